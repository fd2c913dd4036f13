// Reads a regular expression into the program that RegularExpression runs. Private to it.
//
// Parts of a pattern are programs whose jumps are relative, so that a repetition is a copy.
//
// Safety: private memory, one thread. Errors: see regular_expression.h.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/expression/regular_expression.h"

namespace connbench::engine {

class RegularExpressionParser {
 public:
  using Instruction = RegularExpression::Instruction;
  using Set = RegularExpression::Set;
  using Program = std::vector<Instruction>;

  RegularExpressionParser(std::string_view pattern, Program& program, std::vector<Set>& sets)
      : pattern_(pattern), program_(program), sets_(sets) {}

  Status Parse();
  // What the pattern itself says with (?i) or (?c).
  std::optional<bool> ignore_case() const { return ignore_case_; }

 private:
  // {least,most}; most < 0: no limit.
  struct Counts {
    int least = 1;
    int most = 1;
  };
  // What an escape stands for: a character or a class.
  struct Escape {
    char32_t character = 0;
    char shorthand = 0;  // 'd', 's', 'w', or their capitals
    std::optional<RegularExpression::Anchor> anchor;
  };

  Status ParseOptions();
  void SkipComments();
  Result<Program> ParseAlternatives(int depth);
  Result<Program> ParseBranch(int depth);
  Result<Program> ParseAtom(int depth, bool& may_repeat);
  Result<Program> ParseGroup(int depth);
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

  Program OfSet(Set set);
  bool AtEnd() const { return at_ >= pattern_.size(); }
  bool Next(char c) const { return !AtEnd() && pattern_[at_] == c; }
  bool Take(std::string_view text);
  char32_t TakeCharacter();

  std::string_view pattern_;
  size_t at_ = 0;
  Program& program_;
  std::vector<Set>& sets_;
  std::optional<bool> ignore_case_;
  size_t groups_ = 0;  // that were opened so far and can be referred back to
};

}  // namespace connbench::engine
