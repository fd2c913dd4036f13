// What PostgreSQL has under the names of functions and operators that are here, and this engine
// lacks. The rows take part in the choice among overloads, so that a call means what it means
// there; one that is chosen is refused.
#include <array>

#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

// Types of PostgreSQL that the engine has no values of: only a literal, NULL or a parameter whose
// type is open can mean one.
constexpr Oid kName = 19;
constexpr Oid kMacaddr = 829;
constexpr Oid kTime = 1083;
constexpr Oid kInterval = 1186;
constexpr Oid kTimetz = 1266;

constexpr FunctionDescription Lacking(std::string_view name, std::initializer_list<Oid> arguments,
                                      Oid result) {
  return FunctionRow(name, arguments, result, nullptr);
}
constexpr FunctionDescription LackingOperator(std::string_view name, Oid left, Oid right,
                                              Oid result) {
  return OperatorRow(name, {left, right}, result, nullptr);
}

constexpr auto kRows = std::to_array<FunctionDescription>({
    LackingOperator("+", oid::kTimestamp, kInterval, oid::kTimestamp),
    LackingOperator("+", oid::kTimestamptz, kInterval, oid::kTimestamptz),
    LackingOperator("+", oid::kDate, kInterval, oid::kTimestamp),
    LackingOperator("+", oid::kDate, kTime, oid::kTimestamp),
    LackingOperator("+", oid::kDate, kTimetz, oid::kTimestamptz),
    LackingOperator("+", kInterval, oid::kDate, oid::kTimestamp),
    LackingOperator("+", kTime, oid::kDate, oid::kTimestamp),
    LackingOperator("+", kTimetz, oid::kDate, oid::kTimestamptz),
    LackingOperator("-", oid::kDate, kInterval, oid::kTimestamp),
    LackingOperator("~~", oid::kBytea, oid::kBytea, oid::kBool),
    LackingOperator("!~~", oid::kBytea, oid::kBytea, oid::kBool),
    LackingOperator("+", kInterval, oid::kTimestamp, oid::kTimestamp),
    LackingOperator("+", kInterval, oid::kTimestamptz, oid::kTimestamptz),
    LackingOperator("-", oid::kTimestamp, kInterval, oid::kTimestamp),
    LackingOperator("-", oid::kTimestamptz, kInterval, oid::kTimestamptz),
    LackingOperator("-", oid::kTimestamp, oid::kTimestamp, kInterval),
    LackingOperator("-", oid::kTimestamptz, oid::kTimestamptz, kInterval),
    Lacking("avg", {kInterval}, kInterval),
    Lacking("btrim", {oid::kBytea, oid::kBytea}, oid::kBytea),
    Lacking("date_part", {oid::kText, kInterval}, oid::kFloat8),
    Lacking("date_trunc", {oid::kText, kInterval}, kInterval),
    Lacking("extract", {oid::kText, kInterval}, oid::kNumeric),
    Lacking("isfinite", {kInterval}, oid::kBool),
    Lacking("length", {oid::kBytea, kName}, oid::kInt4),
    Lacking("ltrim", {oid::kBytea, oid::kBytea}, oid::kBytea),
    Lacking("pg_terminate_backend", {oid::kInt4, oid::kInt8}, oid::kBool),
    Lacking("position", {oid::kBytea, oid::kBytea}, oid::kInt4),
    Lacking("rtrim", {oid::kBytea, oid::kBytea}, oid::kBytea),
    Lacking("substring", {oid::kText, oid::kText}, oid::kText),
    Lacking("substring", {oid::kText, oid::kText, oid::kText}, oid::kText),
    Lacking("sum", {kInterval}, kInterval),
    Lacking("to_timestamp", {oid::kText, oid::kText}, oid::kTimestamptz),
    Lacking("trunc", {kMacaddr}, kMacaddr),
});

}  // namespace

std::span<const FunctionDescription> LackingFunctions() { return kRows; }

}  // namespace connbench::engine
