// The table of functions and operators. Each family (functions_integer.cc, functions_text.cc, ...)
// holds its implementations and, at its end, one row for each: adding one touches one place.
//
// Safety: constant data; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "engine/executor/expression/expression.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {

// False: an error, in context.status. No argument is null unless the row says kCalledOnNull.
using FunctionImplementation = bool (*)(EvalContext& context, const Value* arguments,
                                        uint32_t argument_count, Value& out);

enum class NullHandling : uint8_t { kStrict, kCalledOnNull };

// What a comparison operator says, so that plans and fast paths can understand it.
enum class OperatorMeaning : uint8_t {
  kOther,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
};

// Whether values of this order, <0, 0 or >0, are what the operator says. False for kOther.
constexpr bool MeansTrue(OperatorMeaning meaning, int order) {
  switch (meaning) {
    case OperatorMeaning::kEqual:
      return order == 0;
    case OperatorMeaning::kNotEqual:
      return order != 0;
    case OperatorMeaning::kLess:
      return order < 0;
    case OperatorMeaning::kLessEqual:
      return order <= 0;
    case OperatorMeaning::kGreater:
      return order > 0;
    case OperatorMeaning::kGreaterEqual:
      return order >= 0;
    case OperatorMeaning::kOther:
      break;
  }
  return false;
}

// How an argument declared "any" is handed to the implementation.
enum class AnyArgument : uint8_t {
  kAsIs,
  kCastToText,
  kOutputText,
  kAsJson,
  kAsJsonPairs,  // keys and values, one after the other
};

struct FunctionDescription {
  static constexpr int kMaxFixedArguments = 7;

  std::string_view name;  // "abs", "+", "~~"
  bool is_operator = false;
  uint8_t argument_count = 0;  // a prefix operator has one
  bool variadic = false;       // the last argument type repeats
  std::array<Oid, kMaxFixedArguments> argument_types{};
  Oid result_type = type_oid::kInvalid;
  Volatility volatility = Volatility::kImmutable;
  NullHandling nulls = NullHandling::kStrict;
  FunctionImplementation implementation = nullptr;  // null: the engine lacks it
  OperatorMeaning meaning = OperatorMeaning::kOther;
  AnyArgument any_argument = AnyArgument::kAsIs;
  bool exact_arrays = false;  // an array of another type is not cast
  // The function gives a set: the implementation makes an array of it. result_type is the array's.
  bool returns_set = false;

  // What the table of parameters says about argument i, also for those that repeat.
  Oid argument_type(uint32_t i) const {
    return argument_types[i < argument_count ? i : argument_count - 1u];
  }
  bool takes(size_t count) const {
    return variadic ? count >= argument_count : count == argument_count;
  }
};

// For the rows of the families' tables.
inline constexpr auto kStable = Volatility::kStable;
inline constexpr auto kVolatile = Volatility::kVolatile;
constexpr FunctionDescription FunctionRow(std::string_view name,
                                          std::initializer_list<Oid> arguments, Oid result,
                                          FunctionImplementation implementation,
                                          Volatility volatility = Volatility::kImmutable) {
  FunctionDescription row;
  row.name = name;
  for (Oid type : arguments) row.argument_types[row.argument_count++] = type;
  row.result_type = result;
  row.implementation = implementation;
  row.volatility = volatility;
  return row;
}
constexpr FunctionDescription OperatorRow(std::string_view name,
                                          std::initializer_list<Oid> arguments, Oid result,
                                          FunctionImplementation implementation,
                                          OperatorMeaning meaning = OperatorMeaning::kOther) {
  FunctionDescription row = FunctionRow(name, arguments, result, implementation);
  row.is_operator = true;
  row.meaning = meaning;
  return row;
}
constexpr FunctionDescription Variadic(FunctionDescription row) {
  row.variadic = true;
  return row;
}
constexpr FunctionDescription CalledOnNull(FunctionDescription row) {
  row.nulls = NullHandling::kCalledOnNull;
  return row;
}
constexpr FunctionDescription AnyAs(AnyArgument how, FunctionDescription row) {
  row.any_argument = how;
  return row;
}

constexpr FunctionDescription ReturnsSet(FunctionDescription row) {
  row.returns_set = true;
  return row;
}

// What several families use: the argument as it is, and a text that somebody else keeps.
inline bool SameValue(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = a[0];
  return true;
}
inline bool StoreView(std::string_view text, Value& out) {
  out = Value::Text(text);
  return true;
}

// The families, one file each.
std::span<const FunctionDescription> ComparisonFunctions();
std::span<const FunctionDescription> IntegerFunctions();
std::span<const FunctionDescription> RealFunctions();
std::span<const FunctionDescription> NumericFunctions();
std::span<const FunctionDescription> TextFunctions();
std::span<const FunctionDescription> SearchFunctions();
std::span<const FunctionDescription> PatternFunctions();
std::span<const FunctionDescription> TimeFunctions();
std::span<const FunctionDescription> DateFunctions();
std::span<const FunctionDescription> IntervalFunctions();
std::span<const FunctionDescription> TimeOfDayFunctions();
std::span<const FunctionDescription> BytesFunctions();
std::span<const FunctionDescription> JsonFunctions();
std::span<const FunctionDescription> CharacterFunctions();
std::span<const FunctionDescription> CountFunctions();
std::span<const FunctionDescription> DigestFunctions();
std::span<const FunctionDescription> FormatFunctions();
std::span<const FunctionDescription> MakeTimeFunctions();
std::span<const FunctionDescription> PictureFunctions();
std::span<const FunctionDescription> RegexpFunctions();
std::span<const FunctionDescription> TrigonometryFunctions();
std::span<const FunctionDescription> SystemFunctions();
std::span<const FunctionDescription> CatalogFunctions();
std::span<const FunctionDescription> ArrayFunctions();
// What PostgreSQL has besides; without an implementation, also of the aggregates' names.
std::span<const FunctionDescription> LackingFunctions();

// Whether the first argument is a sequence.
inline bool TakesSequence(const FunctionDescription& function) {
  return function.name == "nextval" || function.name == "currval" || function.name == "setval";
}
// nextval(), currval() and setval() of a sequence by its name.
bool NextSequenceValue(EvalContext& context, const Value* a, uint32_t count, Value& out);
bool CurrentSequenceValue(EvalContext& context, const Value* a, uint32_t count, Value& out);
bool SetSequenceValue(EvalContext& context, const Value* a, uint32_t count, Value& out);

// The next value of the sequence of an identity column, by its oid: what a default of such a column
// is.
const FunctionDescription& IdentityValueFunction();

// What makes json of a value of the type, which is in no table: to_json(value), or the key of an
// object. Null: there is none.
const FunctionDescription* JsonConversion(Oid type, bool as_key);
bool IsJsonConversion(const FunctionDescription& function);

// array[subscript] of arrays of such elements, which is in no table; null: there are none.
const FunctionDescription* ArrayElementFunction(Oid element);

// All rows with that name, any number of arguments.
std::span<const FunctionDescription* const> FindFunctions(std::string_view name);
std::span<const FunctionDescription* const> FindOperators(std::string_view name);
// Whether it gives sets: all functions of a name do, or none.
inline bool IsSetFunction(std::string_view name) {
  const auto rows = FindFunctions(name);
  return !rows.empty() && rows.front()->returns_set;
}

}  // namespace connbench::engine
