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
constexpr Oid kTimetz = 1266;
constexpr Oid kBit = 1560;
constexpr Oid kJsonb = 3802;

constexpr FunctionDescription Lacking(std::string_view name, std::initializer_list<Oid> arguments,
                                      Oid result) {
  return FunctionRow(name, arguments, result, nullptr);
}
constexpr FunctionDescription LackingOperator(std::string_view name, Oid left, Oid right,
                                              Oid result) {
  return OperatorRow(name, {left, right}, result, nullptr);
}

constexpr auto kRows = std::to_array<FunctionDescription>({
    LackingOperator("+", oid::kDate, kTimetz, oid::kTimestamptz),
    LackingOperator("+", kTimetz, oid::kDate, oid::kTimestamptz),
    LackingOperator("+", kTimetz, oid::kInterval, kTimetz),
    LackingOperator("+", oid::kInterval, kTimetz, kTimetz),
    LackingOperator("-", kTimetz, oid::kInterval, kTimetz),
    LackingOperator("->", kJsonb, oid::kText, kJsonb),
    LackingOperator("->", kJsonb, oid::kInt4, kJsonb),
    LackingOperator("->>", kJsonb, oid::kText, oid::kText),
    LackingOperator("->>", kJsonb, oid::kInt4, oid::kText),
    LackingOperator("#>", kJsonb, oid::kTextArray, kJsonb),
    LackingOperator("#>>", kJsonb, oid::kTextArray, oid::kText),
    Lacking("age", {oid::kXid}, oid::kInt4),
    Lacking("bit_count", {kBit}, oid::kInt8),
    Lacking("date_part", {oid::kText, kTimetz}, oid::kFloat8),
    Lacking("extract", {oid::kText, kTimetz}, oid::kNumeric),
    Lacking("get_bit", {kBit, oid::kInt4}, oid::kInt4),
    Lacking("length", {oid::kBytea, kName}, oid::kInt4),
    Lacking("overlaps", {kTimetz, kTimetz, kTimetz, kTimetz}, oid::kBool),
    Lacking("overlay", {kBit, kBit, oid::kInt4}, kBit),
    Lacking("overlay", {kBit, kBit, oid::kInt4, oid::kInt4}, kBit),
    Lacking("pg_terminate_backend", {oid::kInt4, oid::kInt8}, oid::kBool),
    Lacking("set_bit", {kBit, oid::kInt4, oid::kInt4}, kBit),
    Lacking("trunc", {kMacaddr}, kMacaddr),
});

}  // namespace

std::span<const FunctionDescription> LackingFunctions() { return kRows; }

}  // namespace connbench::engine
