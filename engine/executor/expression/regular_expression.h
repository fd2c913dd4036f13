// Regular expressions for ~, !~, ~* and !~*: PostgreSQL's advanced ones, as far as the answer is
// only whether a text matches somewhere. Greed does not matter to that.
//
// A pattern becomes a program that runs over the text once, in all of its possible states at the
// same time: linear in the text, whatever the pattern. Letters are those of ASCII, as in the C
// locale; a text is read by characters.
//
// Safety: private memory, one thread. Nesting is bounded, so a 256 kB thread stack suffices.
// Errors: 2201B with PostgreSQL's text; 0A000 for back references, lookaround, collating elements
// and embedded options other than i, c, s and t; 54000 for a pattern of too many states.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

class RegularExpression {
 public:
  static Result<RegularExpression> Compile(std::string_view pattern, bool ignore_case);
  // Whether some part of text matches.
  Result<bool> Matches(std::string_view text, WorkMeter meter) const;

  // A set of characters: a bitmap of ASCII, ranges of the others.
  struct Set {
    std::array<bool, 128> ascii{};
    std::vector<std::pair<char32_t, char32_t>> ranges;
    bool others = false;   // a class such as \D has all characters outside ASCII
    bool negated = false;  // all but these

    void Add(char32_t first, char32_t last);
    bool Contains(char32_t c, bool ignore_case) const;
  };
  // What must hold between two characters.
  enum class Anchor : uint8_t { kBegin, kEnd, kWordBegin, kWordEnd, kWordEdge, kNoWordEdge };
  enum class Opcode : uint8_t { kCharacter, kAny, kSet, kAnchor, kSplit, kJump, kMatch };
  struct Instruction {
    Opcode opcode = Opcode::kMatch;
    Anchor anchor = Anchor::kBegin;
    char32_t character = 0;
    uint32_t first = 0;   // kSet: which; kSplit, kJump: where to go on
    uint32_t second = 0;  // kSplit: and there, too
  };

 private:
  struct States;
  // Adds what is reached from a place in the program without reading a character.
  void Follow(uint32_t from, bool at_begin, bool at_end, bool word_before, bool word_after,
              States& states) const;
  bool Accepts(const Instruction& instruction, char32_t c) const;

  std::vector<Instruction> program_;
  std::vector<Set> sets_;
  bool ignore_case_ = false;
};

}  // namespace connbench::engine
