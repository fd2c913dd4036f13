// Reads a regular expression into the program that RegularExpression runs. Private to it.
//
// Parts of a pattern are programs whose jumps are relative, so that a repetition is a copy.
//
// Safety: private memory, one thread. Errors: see regular_expression.h.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/regular_expression.h"
#include "engine/executor/expression/regular_expression_tree.h"

namespace connbench::engine {

class RegularExpressionParser {
 public:
  using Instruction = RegularExpression::Instruction;
  using Set = RegularExpression::Set;
  using Program = std::vector<Instruction>;

  RegularExpressionParser(std::string_view pattern, const RegexOptions& options, Program& program,
                          std::vector<Set>& sets)
      : pattern_(pattern), options_(options), program_(program), sets_(sets) {}

  Status Parse();
  // With what the pattern itself says: (?i).
  const RegexOptions& options() const { return options_; }
  // Null unless the options want it.
  std::shared_ptr<const RegexTree> tree() const { return tree_; }

 private:
  // {least,most}; most < 0: no limit.
  struct Counts {
    int least = 1;
    int most = 1;
    uint8_t wish = 0;  // RegexNode::kLonger or kShorter; {m} has none
  };
  // node: null for what needs none.
  struct Part {
    Program program;
    RegexNode* node = nullptr;
  };
  // A part of a branch with its quantifier. Only for a tree.
  struct Piece {
    Part once;
    Program repeated;
    Counts counts;
  };
  // What an escape stands for: a character or a class.
  struct Escape {
    char32_t character = 0;
    char shorthand = 0;  // 'd', 's', 'w', or their capitals
    std::optional<RegularExpression::Anchor> anchor;
  };

  Status ParseOptions();
  // Comments and, in expanded syntax, blanks.
  void SkipIgnored();
  Result<Part> ParseAlternatives(int depth);
  Result<Part> ParseBranch(int depth);
  Result<Part> ParseAtom(int depth, bool& may_repeat);
  Result<Part> ParseGroup(int depth);
  Result<Program> ParseBrackets();
  Status ParseBracketItem(Set& set);
  Result<char32_t> ParseBracketEnd(Set& set, bool& is_class);
  Status ParseClassName(Set& set);
  Result<Escape> ParseEscape();
  Result<Escape> ParseNumberedEscape();
  Result<char32_t> ParseDigits(int base, int least, int most);
  // False: there is none here.
  Result<bool> ParseQuantifier(Counts& counts);
  Result<Program> Repeat(const Program& part, const Counts& counts) const;

  // The tree, regular_expression_nodes.cc. 2201B: too many instructions.
  Result<RegexNode*> NewNode(RegexNode::Kind kind, uint8_t flags, Program program);
  Result<RegexNode*> NewSequence(uint8_t flags, RegexNode& first, RegexNode& second);
  Result<RegexNode*> AlternativesNode(const Program& all, const std::vector<RegexNode*>& branches);
  Result<RegexNode*> BranchNode(std::vector<Piece>& pieces);
  Result<RegexNode*> QuantifiedNode(Piece& piece, RegexNode& atom);
  Result<RegexNode*> CapturingNode(RegexNode& inner, int capture);
  static void FinishProgram(Program& program);

  Program OfSet(Set set);
  bool AtEnd() const { return at_ >= pattern_.size(); }
  bool Next(char c) const { return !AtEnd() && pattern_[at_] == c; }
  bool Take(std::string_view text);
  char32_t TakeCharacter();

  std::string_view pattern_;
  size_t at_ = 0;
  RegexOptions options_;
  Program& program_;
  std::vector<Set>& sets_;
  std::shared_ptr<RegexTree> tree_;
  size_t node_instructions_ = 0;  // of all nodes
  size_t groups_ = 0;             // that were opened so far and can be referred back to
};

}  // namespace connbench::engine
