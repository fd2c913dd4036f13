// num_nulls(), num_nonnulls() and pg_size_bytes().
#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>

#include "base/ascii.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

template <bool kNulls>
bool CountNulls(EvalContext&, const Value* a, uint32_t count, Value& out) {
  int64_t found = 0;
  for (uint32_t i = 0; i < count; ++i) found += a[i].null == kNulls ? 1 : 0;
  out = Value::Integer(found);
  return true;
}

struct SizeUnit {
  std::string_view name;
  int shift;
};
constexpr SizeUnit kSizeUnits[] = {{"bytes", 0}, {"kb", 10}, {"mb", 20},
                                   {"gb", 30},   {"tb", 40}, {"pb", 50}};

std::string_view SkipSpaces(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  return text;
}

// The number at the text's beginning, as strtod() would take it, without hexadecimals.
size_t NumberLength(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < text.size() && IsAsciiDigit(text[at])) ++at;
    return at > begin;
  };
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
  bool any = digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    any = digits() || any;
  }
  if (!any) return 0;
  if (at < text.size() && AsciiLower(text[at]) == 'e') {
    const size_t before = at++;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) at = before;
  }
  return at;
}

bool SizeBytes(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = SkipSpaces(a[0].text());
  const size_t length = NumberLength(text);
  if (length == 0) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                      fmt::format("invalid size: \"{}\"", a[0].text())));
  }
  Value number;
  if (!context.Check(ParseNumeric(text.substr(0, length), *context.arena, number))) return false;
  std::string_view unit = SkipSpaces(text.substr(length));
  while (!unit.empty() && IsAsciiSpace(unit.back())) unit.remove_suffix(1);
  if (!unit.empty()) {
    const SizeUnit* found = nullptr;
    for (const SizeUnit& each : kSizeUnits) {
      if (EqualIgnoringCase(each.name, unit)) found = &each;
    }
    if (found == nullptr) {
      return context.Fail(
          Status::Error(sqlstate::kInvalidParameterValue,
                        fmt::format("invalid size: \"{}\"", a[0].text()))
              .WithDetail(fmt::format("Invalid size unit: \"{}\".", unit))
              .WithHint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
    }
    Value factor;
    if (!context.Check(NumericFromInteger(__int128{1} << found->shift, *context.arena, factor)) ||
        !context.Check(MultiplyNumeric(number, factor, *context.arena, number))) {
      return false;
    }
  }
  int64_t bytes = 0;
  if (!context.Check(NumericToInteger(number, std::numeric_limits<int64_t>::min(),
                                      std::numeric_limits<int64_t>::max(), "bigint", bytes))) {
    return false;
  }
  out = Value::Integer(bytes);
  return true;
}

// There are no temporary schemas.
bool NoSchema(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Integer(0);
  return true;
}
bool NoOtherTempSchema(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Bool(false);
  return true;
}

constexpr std::array kCountRows = {
    Variadic(CalledOnNull(FunctionRow("num_nulls", {oid::kAny}, oid::kInt4, CountNulls<true>))),
    Variadic(CalledOnNull(FunctionRow("num_nonnulls", {oid::kAny}, oid::kInt4, CountNulls<false>))),
    FunctionRow("pg_size_bytes", {oid::kText}, oid::kInt8, SizeBytes),
    FunctionRow("pg_my_temp_schema", {}, oid::kOid, NoSchema, kStable),
    FunctionRow("pg_is_other_temp_schema", {oid::kOid}, oid::kBool, NoOtherTempSchema, kStable),
};

}  // namespace

std::span<const FunctionDescription> CountFunctions() { return kCountRows; }

}  // namespace connbench::engine
