// The parts of a regular expression that decide which match is taken, and what its parentheses
// capture. Private to RegularExpression and its parser.
//
// A part is a node when it has parentheses that capture, or when its wish for a long or a short
// match differs from what stands around it. Everything else stays one program, whose inner
// divisions nobody sees. Which wish a part has is PostgreSQL's rule (manual, 9.7.3.5): a quantifier
// has one, a branch takes that of its first part that has one, and alternatives always wish for the
// longest.
//
// Safety: private memory, one thread. Parentheses nest as deep as the parser allows; sequences
// nest to the right, one level for each node in them.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "engine/executor/expression/regular_expression.h"

namespace connbench::engine {

struct RegexNode {
  enum class Kind : uint8_t { kProgram, kSequence, kAlternatives, kRepetition, kGroup };
  // Which match is wished for, and what is inside.
  static constexpr uint8_t kLonger = 1;
  static constexpr uint8_t kShorter = 2;
  static constexpr uint8_t kMixed = 4;     // both wishes are inside
  static constexpr uint8_t kCaptures = 8;  // parentheses that capture are inside

  using Program = std::vector<RegularExpression::Instruction>;

  Kind kind = Kind::kProgram;
  uint8_t flags = 0;
  int capture = 0;  // the number of its parentheses; 0: none
  int least = 1;    // kRepetition
  int most = 1;     // kRepetition; < 0: no limit
  Program program;  // all that matches the part; ends with kMatch once the parser is done
  std::vector<RegexNode*> children;  // in the same tree

  static uint8_t Wish(uint8_t flags) { return flags & (kLonger | kShorter); }
  // What a part says to the one around it.
  static uint8_t Outside(uint8_t flags) {
    const bool both = (flags & kLonger) != 0 && (flags & kShorter) != 0;
    return static_cast<uint8_t>((flags & (kMixed | kCaptures)) | (both ? kMixed : 0));
  }
  static bool NeedsNode(uint8_t flags) { return (flags & (kMixed | kCaptures)) != 0; }
  // Of two parts, one after the other: the first wish counts.
  static uint8_t Combine(uint8_t first, uint8_t second) {
    const uint8_t wish = Wish(first) != 0 ? Wish(first) : Wish(second);
    return static_cast<uint8_t>(Outside(first | second) | wish);
  }
  bool shorter() const { return (flags & kShorter) != 0; }
};

struct RegexTree {
  std::deque<RegexNode> nodes;
  RegexNode* root = nullptr;
  int captures = 0;
};

}  // namespace connbench::engine
