// LIKE and ILIKE, ~ and its relatives. They ignore the case of ASCII letters only, as in the C
// collation.
#include <array>
#include <cstring>

#include "base/ascii.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/regular_expression.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

constexpr size_t kNoPercent = std::string_view::npos;

enum class Match : uint8_t { kYes, kNo, kBadPattern, kInterrupted };

template <bool kIgnoreCase>
bool SameByte(char a, char b) {
  return kIgnoreCase ? AsciiLower(a) == AsciiLower(b) : a == b;
}

// Linear but for backtracking to the last %, the only one that ever needs another try. kBytes: a
// character is a byte.
template <bool kIgnoreCase, bool kBytes>
Match Like(std::string_view text, std::string_view pattern, WorkMeter& meter, Status& status) {
  const auto length = [text](size_t at) {
    return kBytes ? size_t{1} : static_cast<size_t>(Utf8Length(text[at]));
  };
  size_t t = 0;
  size_t p = 0;
  size_t percent = kNoPercent;  // what follows the last % in the pattern
  size_t retry = 0;             // where its match in the text began
  while (t < text.size() || p < pattern.size()) {
    bool matched = false;
    if (p < pattern.size()) {
      const char c = pattern[p];
      if (c == '%') {
        percent = ++p;
        retry = t;
        continue;
      }
      if (t < text.size()) {
        if (c == '\\' && p + 1 == pattern.size()) return Match::kBadPattern;
        if (c == '_') {
          t += length(t);
          ++p;
          matched = true;
        } else {
          const size_t literal = c == '\\' ? p + 1 : p;
          if (SameByte<kIgnoreCase>(pattern[literal], text[t])) {
            ++t;
            p = literal + 1;
            matched = true;
          }
        }
      }
    }
    if (matched) continue;
    // Since the last %, t has read what must be read again.
    status = meter.Spend(static_cast<int64_t>(t - retry) + 1);
    if (!status.ok()) return Match::kInterrupted;
    if (percent == kNoPercent || retry >= text.size()) return Match::kNo;
    retry += length(retry);
    t = retry;
    p = percent;
  }
  return Match::kYes;
}

// bpchar keeps its trailing blanks here.
template <bool kIgnoreCase, bool kNegated, bool kBytes = false>
bool LikeOperator(EvalContext& context, const Value* a, uint32_t, Value& out) {
  WorkMeter meter = context.arena->Meter();
  Status status;
  const Match match = Like<kIgnoreCase, kBytes>(a[0].text(), a[1].text(), meter, status);
  if (match == Match::kInterrupted) return context.Fail(std::move(status));
  if (match == Match::kBadPattern) {
    return context.Fail(Status::Error(sqlstate::kInvalidEscapeSequence,
                                      "LIKE pattern must not end with escape character"));
  }
  out = Value::Bool((match == Match::kYes) != kNegated);
  return true;
}

// Rewrites a pattern whose escape character is another to one whose escape is the backslash.
bool LikeEscape(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view pattern = a[0].text();
  const std::string_view escape = a[1].text();
  if (CountCharacters(escape) > 1) {
    return context.Fail(Status::Error(sqlstate::kInvalidEscapeSequence, "invalid escape string")
                            .WithHint("Escape string must be empty or one character."));
  }
  if (escape == "\\") {
    out = a[0];
    return true;
  }
  char* const bytes = context.Allocate(pattern.size() * 2);
  if (bytes == nullptr) return false;
  char* to = bytes;
  bool escaped = false;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view character =
        pattern.substr(at, static_cast<size_t>(Utf8Length(pattern[at])));
    at += character.size();
    if (character == escape && !escaped) {
      *to++ = '\\';
      escaped = true;
      continue;
    }
    if (character == "\\" && !escaped) *to++ = '\\';
    std::memcpy(to, character.data(), character.size());
    to += character.size();
    escaped = false;
  }
  out = Value::Text({bytes, static_cast<size_t>(to - bytes)});
  return true;
}

template <bool kIgnoreCase, bool kNegated>
bool RegexOperator(EvalContext& context, const Value* a, uint32_t, Value& out) {
  RegexOptions options;
  options.ignore_case = kIgnoreCase;
  Result<RegularExpression> expression = RegularExpression::Compile(a[1].text(), options);
  if (!expression.ok()) return context.Fail(expression.TakeStatus());
  Result<bool> matches = expression->Matches(a[0].text(), context.arena->Meter());
  if (!matches.ok()) return context.Fail(matches.TakeStatus());
  out = Value::Bool(*matches != kNegated);
  return true;
}

template <Oid kLeft>
constexpr std::array<FunctionDescription, 4> RegexRows() {
  return {OperatorRow("~", {kLeft, oid::kText}, oid::kBool, RegexOperator<false, false>),
          OperatorRow("!~", {kLeft, oid::kText}, oid::kBool, RegexOperator<false, true>),
          OperatorRow("~*", {kLeft, oid::kText}, oid::kBool, RegexOperator<true, false>),
          OperatorRow("!~*", {kLeft, oid::kText}, oid::kBool, RegexOperator<true, true>)};
}
constexpr auto kTextRegexRows = RegexRows<oid::kText>();
constexpr auto kNameRegexRows = RegexRows<oid::kName>();
constexpr auto kBpcharRegexRows = RegexRows<oid::kBpchar>();

constexpr std::array kPatternRows = {
    OperatorRow("~~", {oid::kText, oid::kText}, oid::kBool, LikeOperator<false, false>),
    OperatorRow("!~~", {oid::kText, oid::kText}, oid::kBool, LikeOperator<false, true>),
    OperatorRow("~~*", {oid::kText, oid::kText}, oid::kBool, LikeOperator<true, false>),
    OperatorRow("!~~*", {oid::kText, oid::kText}, oid::kBool, LikeOperator<true, true>),
    OperatorRow("~~", {oid::kBpchar, oid::kText}, oid::kBool, LikeOperator<false, false>),
    OperatorRow("!~~", {oid::kBpchar, oid::kText}, oid::kBool, LikeOperator<false, true>),
    OperatorRow("~~*", {oid::kBpchar, oid::kText}, oid::kBool, LikeOperator<true, false>),
    OperatorRow("!~~*", {oid::kBpchar, oid::kText}, oid::kBool, LikeOperator<true, true>),
    OperatorRow("~~", {oid::kBytea, oid::kBytea}, oid::kBool, LikeOperator<false, false, true>),
    OperatorRow("!~~", {oid::kBytea, oid::kBytea}, oid::kBool, LikeOperator<false, true, true>),
    FunctionRow("like_escape", {oid::kText, oid::kText}, oid::kText, LikeEscape),
    kTextRegexRows[0],
    kTextRegexRows[1],
    kTextRegexRows[2],
    kTextRegexRows[3],
    kNameRegexRows[0],
    kNameRegexRows[1],
    kNameRegexRows[2],
    kNameRegexRows[3],
    kBpcharRegexRows[0],
    kBpcharRegexRows[1],
    kBpcharRegexRows[2],
    kBpcharRegexRows[3],
};

}  // namespace

std::span<const FunctionDescription> PatternFunctions() { return kPatternRows; }

}  // namespace connbench::engine
