// Arrays, as far as the system relations need them: as text, their elements, = ANY.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array_text.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreArrayText(EvalContext& context, std::string_view text, Value& out) {
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(copy);
  return true;
}

template <Oid kArray>
bool ArrayToString(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  out = Value::Null();
  if (a[0].null || a[1].null) return true;
  // Without a text for them, nulls are left out.
  std::optional<std::string_view> null_text;
  if (count > 2 && !a[2].null) null_text = a[2].text();
  Result<ArrayElements> elements = ElementsOf(kArray, a[0].text());
  if (!elements.ok()) return context.Fail(elements.TakeStatus());
  std::string joined;
  bool first = true;
  for (const std::optional<std::string>& element : *elements) {
    if (!element && !null_text) continue;
    if (!first) joined += a[1].text();
    first = false;
    joined += element ? std::string_view(*element) : *null_text;
  }
  return StoreArrayText(context, joined, out);
}

// The last subscript of the first dimension; null of an empty array and of other dimensions.
template <Oid kArray>
bool ArrayUpper(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Result<ArrayElements> elements = ElementsOf(kArray, a[0].text());
  if (!elements.ok()) return context.Fail(elements.TakeStatus());
  const bool there = a[1].integer == 1 && !elements->empty();
  out = there ? Value::Integer(static_cast<int64_t>(elements->size())) : Value::Null();
  return true;
}

bool ReadElement(EvalContext& context, Oid type, const std::optional<std::string>& element,
                 Value& out) {
  out = Value::Null();
  if (!element) return true;
  const std::string_view copy = context.arena->Copy(*element);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  return context.Check(ParseText({type, -1}, copy, context.io(), out));
}

// array[subscript]; those of int2vector and oidvector begin at 0.
template <Oid kArray, Oid kElement>
bool ArrayElement(EvalContext& context, const Value* a, uint32_t, Value& out) {
  constexpr int64_t kFirst = kArray == oid::kInt2Vector || kArray == oid::kOidVector ? 0 : 1;
  Result<ArrayElements> elements = ElementsOf(kArray, a[0].text());
  if (!elements.ok()) return context.Fail(elements.TakeStatus());
  const int64_t place = a[1].integer - kFirst;
  out = Value::Null();
  if (place < 0 || place >= static_cast<int64_t>(elements->size())) return true;
  return ReadElement(context, kElement, (*elements)[static_cast<size_t>(place)], out);
}

// value = ANY (array)
template <Oid kArray, Oid kElement>
bool EqualsAny(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Result<ArrayElements> elements = ElementsOf(kArray, a[1].text());
  if (!elements.ok()) return context.Fail(elements.TakeStatus());
  bool has_null = false;
  for (const std::optional<std::string>& each : *elements) {
    Value element;
    if (!ReadElement(context, kElement, each, element)) return false;
    has_null = has_null || element.null;
    if (element.null || CompareValues(kElement, a[0], element) != 0) continue;
    out = Value::Bool(true);
    return true;
  }
  out = has_null ? Value::Null() : Value::Bool(false);
  return true;
}

template <bool kEqual>
bool SameArrays(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool((a[0].text() == a[1].text()) == kEqual);
  return true;
}

struct ArrayRows {
  std::vector<FunctionDescription> functions;  // and operators
  std::vector<FunctionDescription> any;        // value = ANY (array)
  std::vector<FunctionDescription> elements;   // array[subscript]

  template <Oid kArray, Oid kElement>
  void Add() {
    any.push_back(FunctionRow("=", {kElement, kArray}, oid::kBool, EqualsAny<kArray, kElement>));
    elements.push_back(FunctionRow("array element", {kArray, oid::kInt4}, kElement,
                                   ArrayElement<kArray, kElement>));
    AddFunctions<kArray>();
  }
  template <Oid kArray>
  void AddFunctions() {
    functions.push_back(CalledOnNull(FunctionRow("array_to_string", {kArray, oid::kText},
                                                 oid::kText, ArrayToString<kArray>, kStable)));
    functions.push_back(
        CalledOnNull(FunctionRow("array_to_string", {kArray, oid::kText, oid::kText}, oid::kText,
                                 ArrayToString<kArray>, kStable)));
    functions.push_back(
        FunctionRow("array_upper", {kArray, oid::kInt4}, oid::kInt4, ArrayUpper<kArray>));
    functions.push_back(
        FunctionRow("array_length", {kArray, oid::kInt4}, oid::kInt4, ArrayUpper<kArray>));
    functions.push_back(OperatorRow("=", {kArray, kArray}, oid::kBool, SameArrays<true>));
    functions.push_back(OperatorRow("<>", {kArray, kArray}, oid::kBool, SameArrays<false>));
  }
};

const ArrayRows& AllArrayRows() {
  static const ArrayRows kRows = [] {
    ArrayRows rows;
    rows.Add<oid::kCharArray, oid::kChar>();
    rows.Add<oid::kNameArray, oid::kName>();
    rows.Add<oid::kInt2Array, oid::kInt2>();
    rows.Add<oid::kTextArray, oid::kText>();
    rows.Add<oid::kOidArray, oid::kOid>();
    rows.Add<oid::kInt2Vector, oid::kInt2>();
    rows.Add<oid::kOidVector, oid::kOid>();
    rows.AddFunctions<oid::kAclItemArray>();
    return rows;
  }();
  return kRows;
}

std::vector<const FunctionDescription*> PointersTo(const std::vector<FunctionDescription>& rows) {
  std::vector<const FunctionDescription*> pointers;
  for (const FunctionDescription& row : rows) pointers.push_back(&row);
  return pointers;
}

}  // namespace

std::span<const FunctionDescription> ArrayFunctions() { return AllArrayRows().functions; }

std::span<const FunctionDescription* const> EqualsAnyFunctions() {
  static const auto kPointers = PointersTo(AllArrayRows().any);
  return kPointers;
}

std::span<const FunctionDescription* const> ArrayElementFunctions() {
  static const auto kPointers = PointersTo(AllArrayRows().elements);
  return kPointers;
}

}  // namespace connbench::engine
