// regexp_replace(), regexp_match() and their relatives, substring(text from pattern), SIMILAR TO.
#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "engine/executor/arena_buffer.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/expression/regular_expression.h"
#include "engine/executor/expression/regular_expression_search.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

struct RegexFlags {
  RegexOptions options;
  bool global = false;
};

bool InvalidRegexParameter(EvalContext& context, std::string message, std::string hint = {}) {
  Status status = Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
  if (!hint.empty()) status = std::move(status).WithHint(std::move(hint));
  return context.Fail(std::move(status));
}

bool InvalidRegexOption(EvalContext& context, std::string_view option, std::string hint = {}) {
  return InvalidRegexParameter(
      context,
      fmt::format("invalid regular expression option: \"{}\"",
                  option.substr(0, static_cast<size_t>(Utf8Length(option[0])))),
      std::move(hint));
}

// The letters of regexp_replace() and its relatives. A null text has none.
bool ParseRegexFlags(EvalContext& context, std::string_view letters, RegexFlags& flags) {
  RegexOptions& options = flags.options;
  options.search = true;
  char dialect = 0;
  for (size_t i = 0; i < letters.size(); ++i) {
    const char letter = letters[i];
    if (letter == 'g') {
      flags.global = true;
    } else if (letter == 'q' || letter == 'b' || letter == 'e') {
      options.literal = letter == 'q';
      dialect = letter;
    } else if (!options.Set(letter)) {
      return InvalidRegexOption(context, letters.substr(i));
    }
  }
  const bool conflict =
      options.literal && (options.newline_ends_dot || options.newline_anchors || options.expanded);
  if (dialect == 0 || (options.literal && !conflict)) return true;
  return context.Fail(Status::Error(
      sqlstate::kFeatureNotSupported,
      fmt::format("the option {} of a regular expression is not supported here", dialect)));
}

bool NoGlobalOption(EvalContext& context, std::string_view function, std::string hint = {}) {
  return InvalidRegexParameter(context,
                               fmt::format("{}() does not support the \"global\" option", function),
                               std::move(hint));
}

bool OutOfRegexRange(EvalContext& context, std::string_view name, int64_t value) {
  return InvalidRegexParameter(context,
                               fmt::format("invalid value for parameter \"{}\": {}", name, value));
}

// A text and the expression that is looked for in it.
class RegexCall {
 public:
  RegexCall(EvalContext& context, const Value* arguments)
      : context_(context), text_(arguments[0].text()), pattern_(arguments[1].text()) {}

  bool Compile(const RegexFlags& flags) {
    Result<RegularExpression> compiled = RegularExpression::Compile(pattern_, flags.options);
    if (!compiled.ok()) return context_.Fail(compiled.TakeStatus());
    expression_ = std::move(*compiled);
    search_ = std::make_unique<RegexSearch>(expression_, text_, context_.arena->Meter());
    return true;
  }
  bool Find(size_t from, bool captures, bool& found) {
    return context_.Check(search_->Find(from, captures, found));
  }
  bool FindNext(bool captures, bool& found) {
    return context_.Check(search_->FindNext(captures, found));
  }
  // The n-th match that begins at the start-th character or behind.
  bool FindNumber(int64_t start, int64_t number, bool captures, bool& found) {
    found = false;
    if (start - 1 > CountCharacters(text_)) return true;
    if (!Find(ByteOffsetOf(text_, start - 1), captures, found)) return false;
    for (; found && number > 1; --number) {
      if (!FindNext(captures, found)) return false;
    }
    return true;
  }
  std::string_view text() const { return text_; }
  std::span<const RegexSpan> spans() const { return search_->spans(); }
  size_t captures() const { return search_->captures(); }
  Value ValueOf(const RegexSpan& span) const {
    return span.found() ? Value::Text(span.Of(text_)) : Value::Null();
  }

 private:
  EvalContext& context_;
  const std::string_view text_;
  const std::string_view pattern_;
  RegularExpression expression_;
  std::unique_ptr<RegexSearch> search_;
};

// ---- regexp_replace ----

// Whether the replacement refers to what parentheses captured.
bool RefersToCaptures(std::string_view replacement) {
  for (size_t at = 0; (at = replacement.find('\\', at)) != std::string_view::npos; ++at) {
    if (at + 1 >= replacement.size()) return false;
    const char next = replacement[++at];
    if (next >= '1' && next <= '9') return true;
  }
  return false;
}

bool AppendReplaced(EvalContext& context, std::string_view text, ArenaBuffer& buffer) {
  return buffer.Append(text, *context.arena) || context.Fail(buffer.OutOfMemory(*context.arena));
}

// \1 to \9, \& and \\; any other backslash is one.
bool AppendReplacement(EvalContext& context, std::string_view replacement, const RegexCall& call,
                       ArenaBuffer& buffer) {
  while (true) {
    const size_t escape = replacement.find('\\');
    if (!AppendReplaced(context, replacement.substr(0, escape), buffer)) return false;
    if (escape == std::string_view::npos) return true;
    replacement.remove_prefix(escape + 1);
    const char next = replacement.empty() ? '\0' : replacement[0];
    if (next == '&' || (next >= '1' && next <= '9')) {
      const auto which = static_cast<size_t>(next == '&' ? 0 : next - '0');
      replacement.remove_prefix(1);
      if (which >= call.spans().size() || !call.spans()[which].found()) continue;
      const std::string_view part = call.spans()[which].Of(call.text());
      if (!AppendReplaced(context, part, buffer)) return false;
      continue;
    }
    if (next == '\\') replacement.remove_prefix(1);
    if (!AppendReplaced(context, "\\", buffer)) return false;
  }
}

// number: which match is replaced; 0: all.
bool ReplaceMatches(EvalContext& context, const Value* a, const RegexFlags& flags, int64_t start,
                    int64_t number, Value& out) {
  RegexCall call(context, a);
  const std::string_view replacement = a[2].text();
  const bool captures = RefersToCaptures(replacement);
  if (!call.Compile(flags)) return false;
  bool found = false;
  if (!call.FindNumber(start, std::max<int64_t>(number, 1), captures, found)) return false;
  ArenaBuffer buffer;
  size_t copied = 0;
  const std::string_view text = call.text();
  while (found) {
    const RegexSpan match = call.spans()[0];
    if (!AppendReplaced(context, text.substr(copied, match.begin - copied), buffer) ||
        !AppendReplacement(context, replacement, call, buffer)) {
      return false;
    }
    copied = match.end;
    if (number > 0) break;
    if (!call.FindNext(captures, found)) return false;
  }
  if (!AppendReplaced(context, text.substr(copied), buffer)) return false;
  out = Value::Text(buffer.view());
  return true;
}

bool RegexpReplace(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  const std::string_view letters = count == 4 ? a[3].text() : std::string_view();
  if (!letters.empty() && IsAsciiDigit(letters[0])) {
    return InvalidRegexOption(context, letters,
                              "If you meant to use regexp_replace() with a start parameter, cast "
                              "the fourth argument to integer explicitly.");
  }
  if (!ParseRegexFlags(context, letters, flags)) return false;
  return ReplaceMatches(context, a, flags, 1, flags.global ? 0 : 1, out);
}

bool RegexpReplaceFrom(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  const int64_t start = a[3].integer;
  const int64_t number = count > 4 ? a[4].integer : 1;
  if (start <= 0) return OutOfRegexRange(context, "start", start);
  if (number < 0) return OutOfRegexRange(context, "n", number);
  const std::string_view letters = count > 5 ? a[5].text() : std::string_view();
  if (!ParseRegexFlags(context, letters, flags)) return false;
  return ReplaceMatches(context, a, flags, start, number, out);
}

// ---- regexp_match, regexp_split, ... ----

bool StoreCaptures(EvalContext& context, const RegexCall& call, Value& out) {
  ArrayWriter writer(oid::kText, *context.arena);
  const bool whole = call.captures() == 0;
  for (const RegexSpan& span : call.spans().subspan(whole ? 0 : 1)) writer.Add(call.ValueOf(span));
  return context.Check(writer.Finish(out));
}

// A row for the first match, with the flag g for each.
bool RegexpMatches(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  if (!ParseRegexFlags(context, count == 3 ? a[2].text() : std::string_view(), flags)) return false;
  RegexCall call(context, a);
  if (!call.Compile(flags)) return false;
  const bool captures = call.captures() > 0;
  ArrayWriter rows(oid::kTextArray, *context.arena);
  bool found = false;
  if (!call.Find(0, captures, found)) return false;
  while (found && rows.ok()) {
    Value row;
    if (!StoreCaptures(context, call, row)) return false;
    rows.Add(row);
    if (!flags.global) break;
    if (!call.FindNext(captures, found)) return false;
  }
  return context.Check(rows.Finish(out));
}

bool RegexpMatch(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  if (!ParseRegexFlags(context, count == 3 ? a[2].text() : std::string_view(), flags)) return false;
  if (flags.global) {
    return NoGlobalOption(context, "regexp_match", "Use the regexp_matches function instead.");
  }
  RegexCall call(context, a);
  bool found = false;
  out = Value::Null();
  if (!call.Compile(flags) || !call.Find(0, call.captures() > 0, found)) return false;
  return !found || StoreCaptures(context, call, out);
}

template <bool kTable>
bool RegexpSplit(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  if (!ParseRegexFlags(context, count == 3 ? a[2].text() : std::string_view(), flags)) return false;
  if (flags.global) {
    return NoGlobalOption(context, kTable ? "regexp_split_to_table" : "regexp_split_to_array");
  }
  RegexCall call(context, a);
  bool found = false;
  if (!call.Compile(flags) || !call.Find(0, false, found)) return false;
  ArrayWriter writer(oid::kText, *context.arena);
  const std::string_view text = call.text();
  size_t begin = 0;
  size_t previous_end = 0;
  while (found && writer.ok()) {
    const RegexSpan match = call.spans()[0];
    // An empty match at an end of the text or right behind another match divides nothing.
    if (match.begin < text.size() && match.end > previous_end) {
      writer.Add(Value::Text(text.substr(begin, match.begin - begin)));
      begin = match.end;
    }
    previous_end = match.end;
    if (!call.FindNext(false, found)) return false;
  }
  writer.Add(Value::Text(text.substr(begin)));
  return context.Check(writer.Finish(out));
}

bool RegexpLike(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  if (!ParseRegexFlags(context, count == 3 ? a[2].text() : std::string_view(), flags)) return false;
  if (flags.global) return NoGlobalOption(context, "regexp_like");
  flags.options.search = false;
  Result<RegularExpression> compiled = RegularExpression::Compile(a[1].text(), flags.options);
  if (!compiled.ok()) return context.Fail(compiled.TakeStatus());
  Result<bool> matches = compiled->Matches(a[0].text(), context.arena->Meter());
  if (!matches.ok()) return context.Fail(matches.TakeStatus());
  out = Value::Bool(*matches);
  return true;
}

bool RegexpCount(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexFlags flags;
  const int64_t start = count > 2 ? a[2].integer : 1;
  if (start <= 0) return OutOfRegexRange(context, "start", start);
  if (!ParseRegexFlags(context, count > 3 ? a[3].text() : std::string_view(), flags)) return false;
  if (flags.global) return NoGlobalOption(context, "regexp_count");
  RegexCall call(context, a);
  bool found = false;
  if (!call.Compile(flags) || !call.FindNumber(start, 1, false, found)) return false;
  int64_t matches = 0;
  for (; found; ++matches) {
    if (!call.FindNext(false, found)) return false;
  }
  out = Value::Integer(matches);
  return true;
}

// The arguments that regexp_instr() and regexp_substr() share: where, which, flags, parentheses.
struct RegexPlace {
  int64_t start = 1;
  int64_t number = 1;
  int64_t capture = 0;
  RegexFlags flags;

  // after: how many arguments stand between number and the flags.
  bool Parse(EvalContext& context, const Value* a, uint32_t count, uint32_t after,
             std::string_view function) {
    if (count > 2) start = a[2].integer;
    if (count > 3) number = a[3].integer;
    if (start <= 0) return OutOfRegexRange(context, "start", start);
    if (number <= 0) return OutOfRegexRange(context, "n", number);
    if (after > 0 && count > 4 && a[4].integer != 0 && a[4].integer != 1) {
      return OutOfRegexRange(context, "endoption", a[4].integer);
    }
    const uint32_t letters = 4 + after;
    if (count > letters + 1) capture = a[letters + 1].integer;
    if (capture < 0) return OutOfRegexRange(context, "subexpr", capture);
    const std::string_view text = count > letters ? a[letters].text() : std::string_view();
    if (!ParseRegexFlags(context, text, flags)) return false;
    return !flags.global || NoGlobalOption(context, function);
  }
  // The part that was asked for; it is not found where there is none.
  bool Find(RegexCall& call, RegexSpan& span) const {
    bool found = false;
    if (!call.Compile(flags)) return false;
    // Without parentheses the match counts as the first ones.
    const int64_t which = call.captures() == 0 && capture == 1 ? 0 : capture;
    if (static_cast<size_t>(which) > call.captures()) return true;
    if (!call.FindNumber(start, number, which > 0, found)) return false;
    if (found) span = call.spans()[static_cast<size_t>(which)];
    return true;
  }
};

bool RegexpInstr(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexPlace place;
  if (!place.Parse(context, a, count, 1, "regexp_instr")) return false;
  RegexCall call(context, a);
  RegexSpan span;
  if (!place.Find(call, span)) return false;
  const size_t at = count > 4 && a[4].integer == 1 ? span.end : span.begin;
  out = Value::Integer(span.found() ? CountCharacters(call.text().substr(0, at)) + 1 : 0);
  return true;
}

bool RegexpSubstr(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  RegexPlace place;
  if (!place.Parse(context, a, count, 0, "regexp_substr")) return false;
  RegexCall call(context, a);
  RegexSpan span;
  if (!place.Find(call, span)) return false;
  out = call.ValueOf(span);
  return true;
}

// What the first parentheses capture, or, without any, the match.
bool SubstringOfPattern(EvalContext& context, const Value* a, uint32_t, Value& out) {
  RegexFlags flags;
  if (!ParseRegexFlags(context, {}, flags)) return false;
  RegexCall call(context, a);
  bool found = false;
  if (!call.Compile(flags)) return false;
  const bool captures = call.captures() > 0;
  if (!call.Find(0, captures, found)) return false;
  out = found ? call.ValueOf(call.spans()[captures ? 1 : 0]) : Value::Null();
  return true;
}

// ---- SIMILAR TO ----

// One character after the other, from SQL's form to PostgreSQL's.
class SimilarPattern {
 public:
  SimilarPattern(EvalContext& context, std::string_view pattern, std::string_view escape)
      : context_(context), pattern_(pattern), escape_(escape) {}

  // All of the text must match.
  bool Convert(Value& out) {
    WorkMeter meter = context_.arena->Meter();
    Add("^(?:");
    for (size_t at = 0; at < pattern_.size() && ok_;) {
      const std::string_view character =
          pattern_.substr(at, static_cast<size_t>(Utf8Length(pattern_[at])));
      at += character.size();
      if (!AddCharacter(character)) return false;
      constexpr int64_t kStepsPerCharacter = 20;
      if (!context_.Check(meter.Spend(kStepsPerCharacter))) return false;
    }
    Add(")$");
    if (!ok_) return context_.Fail(buffer_.OutOfMemory(*context_.arena));
    return StoreView(buffer_.view(), out);
  }

 private:
  void Add(std::string_view text) { ok_ = ok_ && buffer_.Append(text, *context_.arena); }

  bool AddCharacter(std::string_view character) {
    const char c = character[0];
    if (escaped_) {
      escaped_ = false;
      if (c == '"' && !in_brackets_) return AddSeparator();
      Add("\\");
      Add(character);
    } else if (!escape_.empty() && character == escape_) {
      escaped_ = true;
    } else if (in_brackets_) {
      if (c == '\\') Add("\\");
      Add(character);
      in_brackets_ = c != ']';
    } else if (c == '[') {
      Add(character);
      in_brackets_ = true;
    } else if (c == '%') {
      Add(".*");
    } else if (c == '_') {
      Add(".");
    } else if (c == '(') {
      Add("(?:");
    } else {
      if (c == '\\' || c == '.' || c == '^' || c == '$') Add("\\");
      Add(character);
    }
    return true;
  }

  // What stands between two of them is what substring() gives. The part before it is as short as it
  // can be, the part itself as long.
  bool AddSeparator() {
    if (separators_ == 2) {
      return context_.Fail(
          Status::Error(sqlstate::kFeatureNotSupported,
                        "more than two escape-double-quote separators are not supported"));
    }
    Add(separators_ == 0 ? "){1,1}?(" : "){1,1}(?:");
    ++separators_;
    return true;
  }

  EvalContext& context_;
  const std::string_view pattern_;
  const std::string_view escape_;
  ArenaBuffer buffer_;
  int separators_ = 0;
  bool escaped_ = false;
  bool in_brackets_ = false;
  bool ok_ = true;
};

bool SimilarToEscape(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const std::string_view escape = count == 2 ? a[1].text() : "\\";
  if (CountCharacters(escape) > 1) {
    return context.Fail(Status::Error(sqlstate::kInvalidEscapeSequence, "invalid escape string")
                            .WithHint("Escape string must be empty or one character."));
  }
  return SimilarPattern(context, a[0].text(), escape).Convert(out);
}

bool SubstringSimilar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Value arguments[2] = {a[0], {}};
  return SimilarToEscape(context, a + 1, 2, arguments[1]) &&
         SubstringOfPattern(context, arguments, 2, out);
}

// The first count types of text, text, then rest.
FunctionDescription RegexRow(std::string_view name, std::initializer_list<Oid> rest, size_t count,
                             Oid result, FunctionImplementation implementation) {
  FunctionDescription row = FunctionRow(name, {oid::kText, oid::kText}, result, implementation);
  for (size_t i = 0; i < count; ++i) row.argument_types[row.argument_count++] = rest.begin()[i];
  return row;
}

}  // namespace

std::span<const FunctionDescription> RegexpFunctions() {
  static const std::vector<FunctionDescription> kRows = [] {
    std::vector<FunctionDescription> rows;
    const auto add = [&rows](std::string_view name, std::initializer_list<Oid> rest, size_t least,
                             Oid result, FunctionImplementation implementation) {
      for (size_t count = least; count <= rest.size(); ++count) {
        rows.push_back(RegexRow(name, rest, count, result, implementation));
      }
    };
    add("regexp_replace", {oid::kText, oid::kText}, 1, oid::kText, RegexpReplace);
    add("regexp_replace", {oid::kText, oid::kInt4, oid::kInt4, oid::kText}, 2, oid::kText,
        RegexpReplaceFrom);
    add("regexp_match", {oid::kText}, 0, oid::kTextArray, RegexpMatch);
    add("regexp_like", {oid::kText}, 0, oid::kBool, RegexpLike);
    add("regexp_count", {oid::kInt4, oid::kText}, 0, oid::kInt4, RegexpCount);
    add("regexp_instr", {oid::kInt4, oid::kInt4, oid::kInt4, oid::kText, oid::kInt4}, 0, oid::kInt4,
        RegexpInstr);
    add("regexp_substr", {oid::kInt4, oid::kInt4, oid::kText, oid::kInt4}, 0, oid::kText,
        RegexpSubstr);
    add("regexp_split_to_array", {oid::kText}, 0, oid::kTextArray, RegexpSplit<false>);
    add("regexp_split_to_table", {oid::kText}, 0, oid::kTextArray, RegexpSplit<true>);
    add("regexp_matches", {oid::kText}, 0, kTextArraySet, RegexpMatches);
    for (FunctionDescription& row : rows) {
      row.returns_set = row.name == "regexp_split_to_table" || row.name == "regexp_matches";
    }
    add("substring", {}, 0, oid::kText, SubstringOfPattern);
    add("substring", {oid::kText}, 1, oid::kText, SubstringSimilar);
    add("similar_to_escape", {}, 0, oid::kText, SimilarToEscape);
    rows.push_back(FunctionRow("similar_to_escape", {oid::kText}, oid::kText, SimilarToEscape));
    return rows;
  }();
  return kRows;
}

}  // namespace connbench::engine
