// PostgreSQL's advanced regular expressions. Matches() answers whether a text matches somewhere, to
// which greed does not matter; regular_expression_search.h says where, and what is captured.
//
// A pattern becomes a program that runs over the text once, in all of its possible states at the
// same time: linear in the text, whatever the pattern. Letters are those of ASCII, as in the C
// locale; a text is read by characters.
//
// Safety: private memory, one thread. Nesting is bounded, so a 256 kB thread stack suffices.
// Errors: 2201B with PostgreSQL's text; 0A000 for back references, lookaround, collating elements
// and the options b, e and q within a pattern.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

struct RegexTree;

struct RegexOptions {
  bool ignore_case = false;
  bool newline_ends_dot = false;  // . and [^...] match no newline
  bool newline_anchors = false;   // ^ and $ hold at the ends of lines, too
  bool expanded = false;          // blanks and # comments say nothing
  bool literal = false;           // the pattern is a text
  bool search = false;            // for RegexSearch: keeps what decides which match is taken

  // As the letter says, which stands in a pattern, (?i), or beside it. False: it is none of
  // i, c, m, n, p, w, s, t and x.
  bool Set(char letter);
};

class RegularExpression {
 public:
  static Result<RegularExpression> Compile(std::string_view pattern, const RegexOptions& options);
  // Whether some part of text matches.
  Result<bool> Matches(std::string_view text, WorkMeter meter) const;

  // A set of characters: a bitmap of ASCII, ranges of the others.
  struct Set {
    std::array<bool, 128> ascii{};
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool others = false;      // a class such as \D has all characters outside ASCII
    bool negated = false;     // all but these
    bool no_newline = false;  // negated or not

    void Add(char32_t first, char32_t last);
    bool Contains(char32_t c, bool ignore_case) const;
  };
  // What must hold between two characters.
  enum class Anchor : uint8_t {
    kBegin,
    kEnd,
    kWordBegin,
    kWordEnd,
    kWordEdge,
    kNoWordEdge,
    kLineBegin,
    kLineEnd,
  };
  enum class Opcode : uint8_t { kCharacter, kAny, kSet, kAnchor, kSplit, kJump, kMatch };
  struct Instruction {
    Opcode opcode = Opcode::kMatch;
    Anchor anchor = Anchor::kBegin;
    char32_t character = 0;
    uint32_t first = 0;   // kSet: which; kSplit, kJump: where to go on
    uint32_t second = 0;  // kSplit: and there, too
  };

  bool Accepts(const Instruction& instruction, char32_t c) const;
  const std::vector<Instruction>& program() const { return program_; }
  // Null unless it was compiled for a search.
  const RegexTree* tree() const { return tree_.get(); }

 private:
  std::vector<Instruction> program_;
  std::vector<Set> sets_;
  std::shared_ptr<const RegexTree> tree_;
  bool ignore_case_ = false;
};

}  // namespace connbench::engine
