// Runs regular expressions; regular_expression_parser.cc reads them.
#include "engine/executor/expression/regular_expression.h"

#include <algorithm>

#include "base/ascii.h"
#include "engine/executor/expression/regular_expression_parser.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr char32_t kAsciiEnd = 128;
constexpr char32_t kCaseBit = 'a' ^ 'A';  // in letters of ASCII

bool IsWordCharacter(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void RegularExpression::Set::Add(char32_t first, char32_t last) {
  for (char32_t c = first; c <= last && c < ascii.size(); ++c) ascii[c] = true;
  if (last >= ascii.size()) {
    ranges.emplace_back(std::max<char32_t>(first, static_cast<char32_t>(ascii.size())), last);
  }
}

bool RegularExpression::Set::Contains(char32_t c, bool ignore_case) const {
  bool found = others;
  if (c < ascii.size()) {
    found = ascii[c];
    if (ignore_case && IsAsciiLetter(static_cast<char>(c))) found = found || ascii[c ^ kCaseBit];
  } else {
    for (const auto& [first, last] : ranges) found = found || (c >= first && c <= last);
  }
  return found != negated;
}

// The instructions that may read the next character, each once.
struct RegularExpression::States {
  explicit States(size_t size) : marks(size, 0) {}
  void Clear() {
    places.clear();
    matched = false;
    ++round;
  }

  std::vector<uint32_t> places;
  std::vector<uint32_t> marks;  // the round in which a place was seen last
  std::vector<uint32_t> pending;
  uint32_t round = 0;
  bool matched = false;
};

void RegularExpression::Follow(uint32_t from, bool at_begin, bool at_end, bool word_before,
                               bool word_after, States& states) const {
  states.pending.push_back(from);
  while (!states.pending.empty()) {
    const uint32_t place = states.pending.back();
    states.pending.pop_back();
    if (states.marks[place] == states.round) continue;
    states.marks[place] = states.round;
    const Instruction& instruction = program_[place];
    switch (instruction.opcode) {
      case Opcode::kMatch:
        states.matched = true;
        break;
      case Opcode::kJump:
        states.pending.push_back(instruction.first);
        break;
      case Opcode::kSplit:
        states.pending.push_back(instruction.second);
        states.pending.push_back(instruction.first);
        break;
      case Opcode::kAnchor: {
        const bool edge = word_before != word_after;
        bool holds = false;
        switch (instruction.anchor) {
          case Anchor::kBegin:
            holds = at_begin;
            break;
          case Anchor::kEnd:
            holds = at_end;
            break;
          case Anchor::kWordBegin:
            holds = edge && word_after;
            break;
          case Anchor::kWordEnd:
            holds = edge && word_before;
            break;
          case Anchor::kWordEdge:
            holds = edge;
            break;
          case Anchor::kNoWordEdge:
            holds = !edge;
            break;
        }
        if (holds) states.pending.push_back(place + 1);
        break;
      }
      case Opcode::kCharacter:
      case Opcode::kAny:
      case Opcode::kSet:
        states.places.push_back(place);
        break;
    }
  }
}

bool RegularExpression::Accepts(const Instruction& instruction, char32_t c) const {
  switch (instruction.opcode) {
    case Opcode::kAny:
      return true;
    case Opcode::kCharacter:
      if (c == instruction.character) return true;
      return ignore_case_ && c < kAsciiEnd && IsAsciiLetter(static_cast<char>(c)) &&
             (c ^ kCaseBit) == instruction.character;
    default:
      return sets_[instruction.first].Contains(c, ignore_case_);
  }
}

Result<bool> RegularExpression::Matches(std::string_view text, WorkMeter meter) const {
  States now(program_.size());
  States next(program_.size());
  now.Clear();
  bool word_before = false;
  for (size_t at = 0;;) {
    const bool at_begin = at == 0;
    const bool at_end = at == text.size();
    size_t behind = at;
    const char32_t c = at_end ? 0 : TakeUtf8(text, behind);
    const bool word_after = !at_end && IsWordCharacter(c);
    // What the characters before this one have led to, and a match that begins here.
    next.Clear();
    for (const uint32_t place : now.places) {
      Follow(place, at_begin, at_end, word_before, word_after, next);
    }
    Follow(0, at_begin, at_end, word_before, word_after, next);
    if (next.matched) return true;
    if (at_end) return false;
    now.Clear();
    for (const uint32_t place : next.places) {
      if (Accepts(program_[place], c)) now.places.push_back(place + 1);
    }
    constexpr int64_t kStepsPerState = 10;
    CONNBENCH_RETURN_IF_ERROR(
        meter.Spend(kStepsPerState * static_cast<int64_t>(next.places.size() + 1)));
    word_before = word_after;
    at = behind;
  }
}

Result<RegularExpression> RegularExpression::Compile(std::string_view pattern, bool ignore_case) {
  RegularExpression compiled;
  RegularExpressionParser parser(pattern, compiled.program_, compiled.sets_);
  CONNBENCH_RETURN_IF_ERROR(parser.Parse());
  compiled.ignore_case_ = parser.ignore_case().value_or(ignore_case);
  return compiled;
}

}  // namespace connbench::engine
