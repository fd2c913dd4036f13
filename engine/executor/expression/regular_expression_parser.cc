// Reads regular expressions.
#include "engine/executor/expression/regular_expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

using RegexAnchor = RegularExpression::Anchor;
using RegexInstruction = RegularExpression::Instruction;
using RegexOpcode = RegularExpression::Opcode;
using RegexProgram = RegularExpressionParser::Program;
using RegexSet = RegularExpression::Set;

constexpr size_t kMaxRegexInstructions = 50'000;
constexpr int kMaxRegexNesting = 30;
constexpr int kMaxRegexRepeats = 255;  // as in PostgreSQL
constexpr char32_t kLastRegexCharacter = 0x10FFFF;
constexpr char32_t kFirstRegexOther = 128;

Status InvalidRegex(std::string_view why) {
  return Status::Error(sqlstate::kInvalidRegularExpression,
                       fmt::format("invalid regular expression: {}", why));
}
Status RegexTooComplex() { return InvalidRegex("regular expression is too complex"); }
Status LackingInRegex(std::string_view what) {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       fmt::format("{} in a regular expression is not supported", what));
}

RegexInstruction RelativeStep(RegexOpcode opcode, size_t first, size_t second = 0) {
  return {opcode, RegexAnchor::kBegin, 0, static_cast<uint32_t>(first),
          static_cast<uint32_t>(second)};
}
// Jumps back: the sum wraps around.
uint32_t JumpBack(size_t distance) {
  return static_cast<uint32_t>(-static_cast<int64_t>(distance));
}

RegexInstruction CharacterStep(char32_t c) {
  return {RegexOpcode::kCharacter, RegexAnchor::kBegin, c, 0, 0};
}
RegexInstruction AnchorStep(RegexAnchor anchor) { return {RegexOpcode::kAnchor, anchor, 0, 0, 0}; }

void AppendProgram(RegexProgram& to, const RegexProgram& part) {
  to.insert(to.end(), part.begin(), part.end());
}

struct RegexClass {
  std::string_view name;
  std::string_view ranges;  // pairs of first and last
};
constexpr RegexClass kRegexClasses[] = {
    {"alnum", "azAZ09"},
    {"alpha", "azAZ"},
    {"ascii", std::string_view("\0\x7F", 2)},
    {"blank", "  \t\t"},
    {"cntrl", std::string_view("\0\x1F\x7F\x7F", 4)},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "  \t\r"},
    {"upper", "AZ"},
    {"word", "azAZ09__"},
    {"xdigit", "09afAF"},
};

bool AddRegexClass(std::string_view name, RegexSet& set) {
  for (const RegexClass& each : kRegexClasses) {
    if (each.name != name) continue;
    for (size_t i = 0; i + 1 < each.ranges.size(); i += 2) {
      set.Add(static_cast<unsigned char>(each.ranges[i]),
              static_cast<unsigned char>(each.ranges[i + 1]));
    }
    return true;
  }
  return false;
}

void AddRegexShorthand(char shorthand, RegexSet& set) {
  RegexSet named;
  const char lower = AsciiLower(shorthand);
  AddRegexClass(lower == 'd' ? "digit" : lower == 's' ? "space" : "word", named);
  const bool complement = lower != shorthand;
  for (char32_t c = 0; c < kFirstRegexOther; ++c) {
    if (named.ascii[c] != complement) set.ascii[c] = true;
  }
  set.others = set.others || complement;
}

}  // namespace

bool RegularExpressionParser::Take(std::string_view text) {
  if (!pattern_.substr(at_).starts_with(text)) return false;
  at_ += text.size();
  return true;
}

char32_t RegularExpressionParser::TakeCharacter() { return TakeUtf8(pattern_, at_); }

RegexProgram RegularExpressionParser::OfSet(RegexSet set) {
  sets_.push_back(std::move(set));
  return {RelativeStep(RegexOpcode::kSet, sets_.size() - 1)};
}

// Ends it, and makes its jumps absolute.
void RegularExpressionParser::FinishProgram(Program& program) {
  program.push_back({});
  for (size_t i = 0; i < program.size(); ++i) {
    RegexInstruction& instruction = program[i];
    if (instruction.opcode != RegexOpcode::kSplit && instruction.opcode != RegexOpcode::kJump)
      continue;
    instruction.first += static_cast<uint32_t>(i);
    instruction.second += static_cast<uint32_t>(i);
  }
}

Status RegularExpressionParser::Parse() {
  if (options_.search) tree_ = std::make_shared<RegexTree>();
  RegexNode* root = nullptr;
  if (options_.literal || Take("***=")) {  // the rest is a literal text
    while (!AtEnd()) program_.push_back(CharacterStep(TakeCharacter()));
    if (program_.size() > kMaxRegexInstructions) return RegexTooComplex();
    if (tree_ != nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(root, NewNode(RegexNode::Kind::kProgram, 0, program_));
    }
  } else {
    Take("***:");
    CONNBENCH_RETURN_IF_ERROR(ParseOptions());
    CONNBENCH_ASSIGN_OR_RETURN(Part all, ParseAlternatives(0));
    if (!AtEnd()) return InvalidRegex("parentheses () not balanced");
    program_ = std::move(all.program);
    root = all.node;
  }
  FinishProgram(program_);
  if (tree_ == nullptr) return {};
  tree_->root = root;
  tree_->captures = static_cast<int>(groups_);
  for (RegexNode& node : tree_->nodes) FinishProgram(node.program);
  return {};
}

// (?i) and the like at the very beginning.
Status RegularExpressionParser::ParseOptions() {
  const size_t begin = at_;
  if (!Take("(?")) return {};
  std::string_view letters = pattern_.substr(at_);
  letters = letters.substr(0, letters.find_first_not_of("abcdefghijklmnopqrstuvwxyz"));
  at_ += letters.size();
  if (letters.empty() || !Take(")")) {
    at_ = begin;
    return {};
  }
  for (const char letter : letters) {
    if (options_.Set(letter)) continue;
    if (letter == 'b' || letter == 'e' || letter == 'q') {
      return LackingInRegex(fmt::format("the option {}", letter));
    }
    return InvalidRegex("invalid embedded option");
  }
  return {};
}

// (?#...), wherever an atom or a quantifier may stand. One that nothing closes is the rest.
void RegularExpressionParser::SkipIgnored() {
  while (true) {
    const size_t begin = at_;
    if (options_.expanded) {
      while (!AtEnd() && IsAsciiSpace(pattern_[at_])) ++at_;
      if (Next('#')) {
        while (!AtEnd() && !Next('\n')) ++at_;
      }
    }
    if (Take("(?#")) {
      while (!AtEnd() && !Next(')')) ++at_;
      Take(")");
    }
    if (at_ == begin) return;
  }
}

Result<RegularExpressionParser::Part> RegularExpressionParser::ParseAlternatives(int depth) {
  if (depth > kMaxRegexNesting) return RegexTooComplex();
  std::vector<RegexProgram> branches;
  std::vector<RegexNode*> nodes;
  size_t total = 0;
  do {
    CONNBENCH_ASSIGN_OR_RETURN(Part branch, ParseBranch(depth));
    total += branch.program.size() + 2;
    if (total > kMaxRegexInstructions) return RegexTooComplex();
    branches.push_back(std::move(branch.program));
    nodes.push_back(branch.node);
  } while (Take("|"));
  if (branches.size() == 1) return Part{std::move(branches[0]), nodes[0]};
  total -= 2;  // the last branch needs neither a split nor a jump
  RegexProgram all;
  all.reserve(total);
  for (size_t i = 0; i + 1 < branches.size(); ++i) {
    all.push_back(RelativeStep(RegexOpcode::kSplit, 1, branches[i].size() + 2));
    AppendProgram(all, branches[i]);
    all.push_back(RelativeStep(RegexOpcode::kJump, total - all.size()));
  }
  AppendProgram(all, branches.back());
  RegexNode* node = nullptr;
  if (tree_ != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(node, AlternativesNode(all, nodes));
  }
  return Part{std::move(all), node};
}

Result<RegularExpressionParser::Part> RegularExpressionParser::ParseBranch(int depth) {
  RegexProgram branch;
  std::vector<Piece> pieces;
  for (SkipIgnored(); !AtEnd() && !Next('|') && !Next(')'); SkipIgnored()) {
    bool may_repeat = true;
    CONNBENCH_ASSIGN_OR_RETURN(Part part, ParseAtom(depth, may_repeat));
    Counts counts;
    CONNBENCH_ASSIGN_OR_RETURN(const bool repeats, ParseQuantifier(counts));
    RegexProgram repeated = part.program;
    if (repeats) {
      if (!may_repeat) return InvalidRegex("quantifier operand invalid");
      CONNBENCH_ASSIGN_OR_RETURN(repeated, Repeat(part.program, counts));
      Counts again;
      CONNBENCH_ASSIGN_OR_RETURN(const bool twice, ParseQuantifier(again));
      if (twice) return InvalidRegex("quantifier operand invalid");
    }
    AppendProgram(branch, repeated);
    if (branch.size() > kMaxRegexInstructions) return RegexTooComplex();
    if (tree_ != nullptr) pieces.push_back({std::move(part), std::move(repeated), counts});
  }
  RegexNode* node = nullptr;
  if (tree_ != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(node, BranchNode(pieces));
  }
  return Part{std::move(branch), node};
}

Result<RegularExpressionParser::Part> RegularExpressionParser::ParseAtom(int depth,
                                                                         bool& may_repeat) {
  const auto anchor = [&may_repeat](RegexAnchor which) {
    may_repeat = false;
    return Part{{AnchorStep(which)}, nullptr};
  };
  switch (pattern_[at_]) {
    case '(':
      return ParseGroup(depth);
    case '[': {
      if (Take("[[:<:]]")) return anchor(RegexAnchor::kWordBegin);
      if (Take("[[:>:]]")) return anchor(RegexAnchor::kWordEnd);
      CONNBENCH_ASSIGN_OR_RETURN(RegexProgram set, ParseBrackets());
      return Part{std::move(set), nullptr};
    }
    case '.': {
      ++at_;
      if (!options_.newline_ends_dot) return Part{{RelativeStep(RegexOpcode::kAny, 0)}, nullptr};
      RegexSet set;
      set.negated = set.no_newline = true;
      return Part{OfSet(std::move(set)), nullptr};
    }
    case '^':
      ++at_;
      return anchor(options_.newline_anchors ? RegexAnchor::kLineBegin : RegexAnchor::kBegin);
    case '$':
      ++at_;
      return anchor(options_.newline_anchors ? RegexAnchor::kLineEnd : RegexAnchor::kEnd);
    case '*':
    case '+':
    case '?':
      return InvalidRegex("quantifier operand invalid");
    case '{':
      if (at_ + 1 < pattern_.size() && IsAsciiDigit(pattern_[at_ + 1])) {
        return InvalidRegex("quantifier operand invalid");
      }
      return Part{{CharacterStep(TakeCharacter())}, nullptr};
    case '\\': {
      CONNBENCH_ASSIGN_OR_RETURN(const Escape escape, ParseEscape());
      if (escape.anchor) return anchor(*escape.anchor);
      if (escape.shorthand == 0) return Part{{CharacterStep(escape.character)}, nullptr};
      RegexSet set;
      AddRegexShorthand(escape.shorthand, set);
      return Part{OfSet(std::move(set)), nullptr};
    }
    default:
      return Part{{CharacterStep(TakeCharacter())}, nullptr};
  }
}

Result<RegularExpressionParser::Part> RegularExpressionParser::ParseGroup(int depth) {
  ++at_;
  if (Take("?=") || Take("?!") || Take("?<=") || Take("?<!")) {
    return LackingInRegex("a lookaround constraint");
  }
  size_t capture = 0;
  if (!Take("?:")) {
    if (Next('?')) return InvalidRegex("quantifier operand invalid");
    capture = ++groups_;
  }
  CONNBENCH_ASSIGN_OR_RETURN(Part inner, ParseAlternatives(depth + 1));
  if (!Take(")")) return InvalidRegex("parentheses () not balanced");
  if (tree_ != nullptr && capture > 0) {
    CONNBENCH_ASSIGN_OR_RETURN(inner.node, CapturingNode(*inner.node, static_cast<int>(capture)));
  }
  return inner;
}

// ---- quantifiers ----

Result<bool> RegularExpressionParser::ParseQuantifier(Counts& counts) {
  SkipIgnored();
  bool exact = false;
  if (Take("*")) {
    counts = {0, -1};
  } else if (Take("+")) {
    counts = {1, -1};
  } else if (Take("?")) {
    counts = {0, 1};
  } else if (Next('{') && at_ + 1 < pattern_.size() && IsAsciiDigit(pattern_[at_ + 1])) {
    ++at_;
    const auto number = [this] {
      int value = 0;
      for (; !AtEnd() && IsAsciiDigit(pattern_[at_]); ++at_) {
        value = std::min(value * 10 + (pattern_[at_] - '0'), kMaxRegexRepeats + 1);
      }
      return value;
    };
    counts.least = counts.most = number();
    exact = !Next(',');
    if (Take(",")) counts.most = Next('}') ? -1 : number();
    if (!Take("}")) return InvalidRegex("braces {} not balanced");
    const bool in_order = counts.most < 0 || counts.least <= counts.most;
    if (!in_order || counts.least > kMaxRegexRepeats || counts.most > kMaxRegexRepeats) {
      return InvalidRegex("invalid repetition count(s)");
    }
  } else {
    return false;
  }
  const bool shorter = Take("?");
  counts.wish = exact ? 0 : shorter ? RegexNode::kShorter : RegexNode::kLonger;
  return true;
}

Result<RegexProgram> RegularExpressionParser::Repeat(const RegexProgram& part,
                                                     const Counts& counts) const {
  const auto copies = static_cast<size_t>(std::max(counts.least, counts.most) + 1);
  if (copies * (part.size() + 2) > kMaxRegexInstructions) return RegexTooComplex();
  RegexProgram all;
  for (int i = 0; i < counts.least; ++i) AppendProgram(all, part);
  if (counts.most < 0) {
    if (counts.least > 0) {
      all.push_back({RegexOpcode::kSplit, RegexAnchor::kBegin, 0, JumpBack(part.size()), 1});
      return all;
    }
    all.push_back(RelativeStep(RegexOpcode::kSplit, 1, part.size() + 2));
    AppendProgram(all, part);
    all.push_back({RegexOpcode::kJump, RegexAnchor::kBegin, 0, JumpBack(part.size() + 1), 0});
    return all;
  }
  // Each of the rest leads on, or past them all.
  for (int left = counts.most - counts.least; left > 0; --left) {
    all.push_back(
        RelativeStep(RegexOpcode::kSplit, 1, static_cast<size_t>(left) * (part.size() + 1)));
    AppendProgram(all, part);
  }
  return all;
}

// ---- sets ----

Result<RegexProgram> RegularExpressionParser::ParseBrackets() {
  ++at_;
  RegexSet set;
  set.negated = Take("^");
  set.no_newline = set.negated && options_.newline_ends_dot;
  bool first = true;
  while (first || !Next(']')) {
    if (AtEnd()) return InvalidRegex("brackets [] not balanced");
    first = false;
    CONNBENCH_RETURN_IF_ERROR(ParseBracketItem(set));
  }
  ++at_;
  return OfSet(std::move(set));
}

Status RegularExpressionParser::ParseBracketItem(RegexSet& set) {
  bool is_class = false;
  CONNBENCH_ASSIGN_OR_RETURN(const char32_t begin, ParseBracketEnd(set, is_class));
  if (is_class) return {};
  char32_t end = begin;
  const bool is_range = Next('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
  if (is_range) {
    ++at_;
    CONNBENCH_ASSIGN_OR_RETURN(end, ParseBracketEnd(set, is_class));
    if (is_class || end < begin) return InvalidRegex("invalid character range");
  }
  set.Add(begin, end);
  return {};
}

Result<char32_t> RegularExpressionParser::ParseBracketEnd(RegexSet& set, bool& is_class) {
  if (AtEnd()) return InvalidRegex("brackets [] not balanced");
  if (Next('[') && at_ + 1 < pattern_.size()) {
    const char kind = pattern_[at_ + 1];
    if (kind == ':') {
      is_class = true;
      CONNBENCH_RETURN_IF_ERROR(ParseClassName(set));
      return char32_t{0};
    }
    if (kind == '.' || kind == '=') return LackingInRegex("a collating element");
  }
  if (!Next('\\')) return TakeCharacter();
  CONNBENCH_ASSIGN_OR_RETURN(const Escape escape, ParseEscape());
  if (escape.anchor) return InvalidRegex("invalid escape \\ sequence");
  if (escape.shorthand == 0) return escape.character;
  is_class = true;
  AddRegexShorthand(escape.shorthand, set);
  return char32_t{0};
}

Status RegularExpressionParser::ParseClassName(RegexSet& set) {
  at_ += 2;
  const size_t end = pattern_.find(":]", at_);
  if (end == std::string_view::npos) return InvalidRegex("brackets [] not balanced");
  if (!AddRegexClass(pattern_.substr(at_, end - at_), set)) {
    return InvalidRegex("invalid character class");
  }
  at_ = end + 2;
  return {};
}

// ---- escapes ----

Result<char32_t> RegularExpressionParser::ParseDigits(int base, int least, int most) {
  char32_t value = 0;
  int count = 0;
  for (; count < most && !AtEnd(); ++count, ++at_) {
    const char c = AsciiLower(pattern_[at_]);
    const int digit = IsAsciiDigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : base;
    if (digit >= base) break;
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit);
    if (value > kLastRegexCharacter) return InvalidRegex("invalid escape \\ sequence");
  }
  if (count < least) return InvalidRegex("invalid escape \\ sequence");
  return value;
}

// \1 to \9 is a back reference. More digits are one if there are so many groups so far; else they
// are octal. at_ is behind the first digit.
Result<RegularExpressionParser::Escape> RegularExpressionParser::ParseNumberedEscape() {
  size_t end = pattern_.find_first_not_of("0123456789", at_);
  if (end == std::string_view::npos) end = pattern_.size();
  size_t group = 0;
  for (size_t i = at_ - 1; i < end && group <= groups_; ++i) {
    group = group * 10 + static_cast<size_t>(pattern_[i] - '0');
  }
  if (group <= groups_) return LackingInRegex("a back reference");
  if (end == at_) return InvalidRegex("invalid backreference number");
  --at_;
  CONNBENCH_ASSIGN_OR_RETURN(const char32_t character, ParseDigits(8, 1, 3));
  return Escape{character, 0, {}};
}

Result<RegularExpressionParser::Escape> RegularExpressionParser::ParseEscape() {
  ++at_;
  if (AtEnd()) return InvalidRegex("invalid escape \\ sequence");
  const char letter = pattern_[at_];
  if (!IsAsciiLetter(letter) && !IsAsciiDigit(letter)) return Escape{TakeCharacter(), 0, {}};
  ++at_;
  const auto digits = [this](int base, int least, int most) -> Result<Escape> {
    CONNBENCH_ASSIGN_OR_RETURN(const char32_t character, ParseDigits(base, least, most));
    return Escape{character, 0, {}};
  };
  switch (letter) {
    case 'd':
    case 's':
    case 'w':
    case 'D':
    case 'S':
    case 'W':
      return Escape{0, letter, {}};
    case 'A':
      return Escape{0, 0, RegexAnchor::kBegin};
    case 'Z':
      return Escape{0, 0, RegexAnchor::kEnd};
    case 'm':
      return Escape{0, 0, RegexAnchor::kWordBegin};
    case 'M':
      return Escape{0, 0, RegexAnchor::kWordEnd};
    case 'y':
      return Escape{0, 0, RegexAnchor::kWordEdge};
    case 'Y':
      return Escape{0, 0, RegexAnchor::kNoWordEdge};
    case 'a':
      return Escape{'\a', 0, {}};
    case 'b':
      return Escape{'\b', 0, {}};
    case 'B':
      return Escape{'\\', 0, {}};
    case 'c':
      if (AtEnd()) return InvalidRegex("invalid escape \\ sequence");
      return Escape{TakeCharacter() & 0x1F, 0, {}};
    case 'e':
      return Escape{0x1B, 0, {}};
    case 'f':
      return Escape{'\f', 0, {}};
    case 'n':
      return Escape{'\n', 0, {}};
    case 'r':
      return Escape{'\r', 0, {}};
    case 't':
      return Escape{'\t', 0, {}};
    case 'v':
      return Escape{'\v', 0, {}};
    case 'u':
      return digits(16, 4, 4);
    case 'U':
      return digits(16, 8, 8);
    case 'x':
      return digits(16, 1, std::numeric_limits<int>::max());
    case '0':
      --at_;
      return digits(8, 1, 3);
    default:
      if (!IsAsciiDigit(letter)) return InvalidRegex("invalid escape \\ sequence");
      return ParseNumberedEscape();
  }
}

}  // namespace connbench::engine
