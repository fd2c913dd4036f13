// format() and what quotes values as SQL text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "base/ascii.h"
#include "engine/executor/arena_buffer.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool AppendFormatted(EvalContext& context, std::string_view text, ArenaBuffer& buffer) {
  return buffer.Append(text, *context.arena) || context.Fail(buffer.OutOfMemory(*context.arena));
}

// 'text'; with a backslash in it, E'text' whose backslashes are doubled.
bool AppendLiteral(EvalContext& context, std::string_view text, ArenaBuffer& buffer) {
  WorkMeter meter = context.arena->Meter();
  if (text.find('\\') != std::string_view::npos && !AppendFormatted(context, "E", buffer)) {
    return false;
  }
  if (!AppendFormatted(context, "'", buffer)) return false;
  while (!text.empty()) {
    const size_t special = std::min(text.find_first_of("'\\"), text.size() - 1);
    if (!AppendFormatted(context, text.substr(0, special + 1), buffer)) return false;
    const char last = text[special];
    if ((last == '\'' || last == '\\') && !AppendFormatted(context, {&last, 1}, buffer))
      return false;
    text.remove_prefix(special + 1);
    if (!context.Check(meter.Spend(static_cast<int64_t>(special) + 10))) return false;
  }
  return AppendFormatted(context, "'", buffer);
}

bool QuoteLiteral(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].null) {
    out = Value::Null();
    return true;
  }
  ArenaBuffer buffer;
  if (!AppendLiteral(context, a[0].text(), buffer)) return false;
  out = Value::Text(buffer.view());
  return true;
}
bool QuoteNullable(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (!a[0].null) return QuoteLiteral(context, a, count, out);
  out = Value::Text("NULL");
  return true;
}

// Reads the text that format() is given, specifier by specifier.
class FormatCall {
 public:
  FormatCall(EvalContext& context, const Value* arguments, uint32_t count)
      : context_(context),
        arguments_(arguments),
        count_(count),
        text_(arguments[0].text()),
        meter_(context.arena->Meter()) {}

  bool Run(Value& out) {
    while (at_ < text_.size()) {
      const size_t percent = text_.find('%', at_);
      if (!Append(text_.substr(at_, percent - at_))) return false;
      if (percent == std::string_view::npos) break;
      at_ = percent + 1;
      if (!Next()) return false;
      if (text_[at_] == '%') {
        ++at_;
        if (!Append("%")) return false;
      } else if (!Specifier()) {
        return false;
      }
      constexpr int64_t kStepsPerSpecifier = 50;
      if (!context_.Check(meter_.Spend(kStepsPerSpecifier))) return false;
    }
    out = Value::Text(buffer_.view());
    return true;
  }

 private:
  bool Invalid(std::string message, std::string hint = {}) {
    Status status = Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
    if (!hint.empty()) status = std::move(status).WithHint(std::move(hint));
    return context_.Fail(std::move(status));
  }
  bool Append(std::string_view text) { return AppendFormatted(context_, text, buffer_); }
  // Something must follow.
  bool Next() {
    if (at_ < text_.size()) return true;
    return Invalid("unterminated format() type specifier", "For a single \"%\" use \"%%\".");
  }
  // The digits here; -1: there are none.
  bool Digits(int& value) {
    value = -1;
    if (!IsAsciiDigit(text_[at_])) return true;
    int64_t number = 0;
    while (IsAsciiDigit(text_[at_])) {
      number = number * 10 + (text_[at_] - '0');
      if (number > std::numeric_limits<int32_t>::max()) {
        return context_.Fail(
            Status::Error(sqlstate::kNumericValueOutOfRange, "number is out of range"));
      }
      ++at_;
      if (!Next()) return false;
    }
    value = static_cast<int>(number);
    return true;
  }
  static constexpr const char* kNoArgumentZero =
      "format specifies argument 0, but arguments are numbered from 1";

  // [position$][flags][width]type
  bool Specifier() {
    int position = -1;
    int width = 0;
    int width_position = -1;
    bool left = false;
    int number = -1;
    if (!Digits(number)) return false;
    bool width_read = false;
    if (number >= 0) {
      if (text_[at_] == '$') {
        if (number == 0) return Invalid(kNoArgumentZero);
        position = number;
        ++at_;
        if (!Next()) return false;
      } else {
        width = number;
        width_read = true;
      }
    }
    if (!width_read) {
      while (text_[at_] == '-') {
        left = true;
        ++at_;
        if (!Next()) return false;
      }
      if (text_[at_] == '*') {
        ++at_;
        if (!Next()) return false;
        if (!Digits(number)) return false;
        width_position = 0;
        if (number >= 0) {
          if (text_[at_] != '$') {
            return Invalid("width argument position must be ended by \"$\"");
          }
          if (number == 0) return Invalid(kNoArgumentZero);
          width_position = number;
          ++at_;
          if (!Next()) return false;
        }
      } else {
        if (!Digits(number)) return false;
        width = std::max(number, 0);
      }
    }
    const char type = text_[at_];
    if (type != 's' && type != 'I' && type != 'L') {
      const auto length = static_cast<size_t>(Utf8Length(type));
      return Invalid(
          fmt::format("unrecognized format() type specifier \"{}\"", text_.substr(at_, length)),
          "For a single \"%\" use \"%%\".");
    }
    ++at_;
    if (width_position >= 0 && !ReadWidth(width_position, width, left)) return false;
    if (position > 0) next_ = position;
    if (static_cast<uint32_t>(next_) >= count_) return Invalid("too few arguments for format()");
    return Convert(arguments_[next_++], type, width, left);
  }

  // The width is an argument, the next one or the one with this number.
  bool ReadWidth(int position, int& width, bool& left) {
    if (position > 0) next_ = position;
    if (static_cast<uint32_t>(next_) >= count_) return Invalid("too few arguments for format()");
    const Value& argument = arguments_[next_++];
    if (argument.null) return true;
    // Every argument has come as text. What is no integer fails as pg_strtoint32() does.
    const std::string_view text = argument.text();
    Value number;
    if (!context_.Check(ParseText({oid::kInt4, -1}, text, context_.io(), number))) return false;
    width = static_cast<int>(number.integer);
    if (width >= 0) return true;
    left = true;
    if (width == std::numeric_limits<int32_t>::min()) {
      return context_.Fail(
          Status::Error(sqlstate::kNumericValueOutOfRange, "number is out of range"));
    }
    width = -width;
    return true;
  }

  bool Convert(const Value& value, char type, int width, bool left) {
    if (value.null) {
      if (type == 'I') {
        return context_.Fail(Status::Error(sqlstate::kNullValueNotAllowed,
                                           "null values cannot be formatted as an SQL identifier"));
      }
      return Padded(type == 'L' ? "NULL" : "", width, left);
    }
    if (type == 's') return Padded(value.text(), width, left);
    if (type == 'I') {
      const std::string name = QuoteIfNeeded(value.text());
      return Padded(name, width, left);
    }
    if (width == 0) return AppendLiteral(context_, value.text(), buffer_);
    ArenaBuffer literal;
    return AppendLiteral(context_, value.text(), literal) && Padded(literal.view(), width, left);
  }

  bool Padded(std::string_view text, int width, bool left) {
    const int64_t missing = width == 0 ? 0 : width - CountCharacters(text);
    if (left && !Append(text)) return false;
    for (int64_t rest = missing; rest > 0;) {
      static constexpr std::string_view kBlanks = "                                ";
      const auto size = std::min<int64_t>(rest, static_cast<int64_t>(kBlanks.size()));
      if (!Append(kBlanks.substr(0, static_cast<size_t>(size)))) return false;
      if (!context_.Check(meter_.Spend(size))) return false;
      rest -= size;
    }
    return left || Append(text);
  }

  EvalContext& context_;
  const Value* arguments_;
  const uint32_t count_;
  const std::string_view text_;
  WorkMeter meter_;
  size_t at_ = 0;
  int next_ = 1;
  ArenaBuffer buffer_;
};

bool FormatArguments(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (a[0].null) {
    out = Value::Null();
    return true;
  }
  return FormatCall(context, a, count).Run(out);
}

constexpr std::array kFormatRows = {
    CalledOnNull(FunctionRow("format", {oid::kText}, oid::kText, FormatArguments, kStable)),
    AnyAs(AnyArgument::kOutputText,
          Variadic(CalledOnNull(FunctionRow("format", {oid::kText, oid::kAny}, oid::kText,
                                            FormatArguments, kStable)))),
    FunctionRow("quote_literal", {oid::kText}, oid::kText, QuoteLiteral),
    AnyAs(AnyArgument::kCastToText,
          FunctionRow("quote_literal", {oid::kAny}, oid::kText, QuoteLiteral, kStable)),
    CalledOnNull(FunctionRow("quote_nullable", {oid::kText}, oid::kText, QuoteNullable)),
    AnyAs(AnyArgument::kCastToText, CalledOnNull(FunctionRow("quote_nullable", {oid::kAny},
                                                             oid::kText, QuoteNullable, kStable))),
};

}  // namespace

std::span<const FunctionDescription> FormatFunctions() { return kFormatRows; }

}  // namespace connbench::engine
