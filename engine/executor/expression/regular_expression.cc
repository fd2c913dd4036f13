// Runs regular expressions; regular_expression_parser.cc reads them.
#include "engine/executor/expression/regular_expression.h"

#include <algorithm>

#include "base/ascii.h"
#include "engine/executor/expression/regular_expression_parser.h"
#include "engine/executor/expression/regular_expression_run.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr char32_t kAsciiEnd = 128;
constexpr char32_t kCaseBit = 'a' ^ 'A';  // in letters of ASCII

bool IsWordCharacter(char c) { return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '_'; }

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
  return found != negated && !(c == '\n' && no_newline);
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

bool RegexOptions::Set(char letter) {
  switch (letter) {
    case 'i':
    case 'c':
      ignore_case = letter == 'i';
      return true;
    case 'm':
    case 'n':
      newline_ends_dot = newline_anchors = true;
      return true;
    case 'p':
    case 'w':
      newline_ends_dot = letter == 'p';
      newline_anchors = letter == 'w';
      return true;
    case 's':
      newline_ends_dot = newline_anchors = false;
      return true;
    case 't':
    case 'x':
      expanded = letter == 'x';
      return true;
    default:
      return false;
  }
}

Result<bool> RegularExpression::Matches(std::string_view text, WorkMeter meter) const {
  RegexRun run(*this, program_, text, meter);
  size_t earliest = 0;
  size_t end = 0;
  CONNBENCH_RETURN_IF_ERROR(run.Scan(0, earliest, end));
  return end != RegexRun::kNowhere;
}

Result<RegularExpression> RegularExpression::Compile(std::string_view pattern,
                                                     const RegexOptions& options) {
  RegularExpression compiled;
  RegularExpressionParser parser(pattern, options, compiled.program_, compiled.sets_);
  CONNBENCH_RETURN_IF_ERROR(parser.Parse());
  compiled.ignore_case_ = parser.options().ignore_case;
  compiled.tree_ = parser.tree();
  return compiled;
}

// ---- runs ----

RegexRun::Surroundings RegexRun::Around(size_t at) const {
  Surroundings around;
  around.begin = at == 0;
  around.end = at == text_.size();
  if (!around.begin) {
    around.word_before = IsWordCharacter(text_[at - 1]);
    around.newline_before = text_[at - 1] == '\n';
  }
  if (!around.end) {
    around.word_after = IsWordCharacter(text_[at]);
    around.newline_after = text_[at] == '\n';
  }
  return around;
}

void RegexRun::Follow(uint32_t from, const Surroundings& around) {
  using Opcode = RegularExpression::Opcode;
  using Anchor = RegularExpression::Anchor;
  next_.pending.push_back(from);
  while (!next_.pending.empty()) {
    const uint32_t place = next_.pending.back();
    next_.pending.pop_back();
    if (next_.marks[place] == next_.round) continue;
    next_.marks[place] = next_.round;
    const RegularExpression::Instruction& instruction = program_[place];
    switch (instruction.opcode) {
      case Opcode::kMatch:
        next_.matched = true;
        break;
      case Opcode::kJump:
        next_.pending.push_back(instruction.first);
        break;
      case Opcode::kSplit:
        next_.pending.push_back(instruction.second);
        next_.pending.push_back(instruction.first);
        break;
      case Opcode::kAnchor: {
        const bool edge = around.word_before != around.word_after;
        bool holds = false;
        switch (instruction.anchor) {
          case Anchor::kBegin:
            holds = around.begin;
            break;
          case Anchor::kEnd:
            holds = around.end;
            break;
          case Anchor::kWordBegin:
            holds = edge && around.word_after;
            break;
          case Anchor::kWordEnd:
            holds = edge && around.word_before;
            break;
          case Anchor::kWordEdge:
            holds = edge;
            break;
          case Anchor::kNoWordEdge:
            holds = !edge;
            break;
          case Anchor::kLineBegin:
            holds = around.begin || around.newline_before;
            break;
          case Anchor::kLineEnd:
            holds = around.end || around.newline_after;
            break;
        }
        if (holds) next_.pending.push_back(place + 1);
        break;
      }
      case Opcode::kCharacter:
      case Opcode::kAny:
      case Opcode::kSet:
        next_.places.push_back(place);
        break;
    }
  }
}

Status RegexRun::Read(size_t& at) {
  const char32_t c = TakeUtf8(text_, at);
  now_.places.clear();
  for (const uint32_t place : next_.places) {
    if (expression_.Accepts(program_[place], c)) now_.places.push_back(place + 1);
  }
  constexpr int64_t kStepsPerState = 10;
  return meter_.Spend(kStepsPerState * static_cast<int64_t>(next_.places.size() + 1));
}

Status RegexRun::Longest(size_t begin, size_t last, size_t& end) {
  end = kNowhere;
  now_.places.assign(1, 0);
  for (size_t at = begin; !now_.places.empty();) {
    const Surroundings around = Around(at);
    next_.Clear();
    for (const uint32_t place : now_.places) Follow(place, around);
    if (next_.matched) end = at;
    if (at >= last) break;
    CONNBENCH_RETURN_IF_ERROR(Read(at));
  }
  return {};
}

Status RegexRun::Shortest(size_t begin, size_t least, size_t last, size_t& end) {
  end = kNowhere;
  now_.places.assign(1, 0);
  for (size_t at = begin; !now_.places.empty();) {
    const Surroundings around = Around(at);
    next_.Clear();
    for (const uint32_t place : now_.places) Follow(place, around);
    if (next_.matched && at >= least) {
      end = at;
      break;
    }
    if (at >= last) break;
    CONNBENCH_RETURN_IF_ERROR(Read(at));
  }
  return {};
}

Status RegexRun::Scan(size_t from, size_t& earliest, size_t& end) {
  end = kNowhere;
  earliest = from;
  now_.places.clear();
  for (size_t at = from;;) {
    const Surroundings around = Around(at);
    // What the characters before this one have led to, and a match that begins here.
    if (now_.places.empty()) earliest = at;
    next_.Clear();
    for (const uint32_t place : now_.places) Follow(place, around);
    Follow(0, around);
    if (next_.matched) {
      end = at;
      return {};
    }
    if (around.end) return {};
    CONNBENCH_RETURN_IF_ERROR(Read(at));
  }
}

}  // namespace connbench::engine
