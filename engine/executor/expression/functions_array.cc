// Arrays: their text, size and elements, arrays of arrays, comparisons, and sets made of them.
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/array.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreArrayText(EvalContext& context, std::string_view text, Value& out) {
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(copy);
  return true;
}

template <Oid kElement>
bool SameElement(const Value& a, const Value& b) {
  return CompareNullsLast(kElement, a, b) == 0;
}

// ---- text, size ----

template <Oid kElement>
bool ArrayToString(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  out = Value::Null();
  if (a[0].null || a[1].null) return true;
  // Without a text for them, nulls are left out.
  std::optional<std::string_view> null_text;
  if (count > 2 && !a[2].null) null_text = a[2].text();
  ArenaBuffer joined;
  const auto add = [&](std::string_view piece) {
    return joined.Append(piece, *context.arena) || context.Fail(joined.OutOfMemory(*context.arena));
  };
  bool first = true;
  WorkMeter meter = context.arena->Meter();
  constexpr int64_t kBytesPerStep = 4;
  const int64_t steps_per_element = 20 + int64_t{a[1].length} / kBytesPerStep;
  Value element;
  for (ArrayReader reader(kElement, a[0].text()); reader.Next(element);) {
    if (!context.Check(meter.Spend(steps_per_element))) return false;
    if (element.null && !null_text) continue;
    if (!first && !add(a[1].text())) return false;
    first = false;
    std::string_view text;
    if (element.null) {
      text = *null_text;
    } else if (!context.Check(FormatText(kElement, element, context.io(), text))) {
      return false;
    }
    if (!add(text)) return false;
  }
  out = Value::Text(joined.view());
  return true;
}

enum class ArrayExtent : uint8_t { kFirst, kLast, kLength };

// Null of an empty array and of other dimensions than the first.
template <Oid kElement, ArrayExtent kExtent>
bool ArrayDimension(EvalContext&, const Value* a, uint32_t, Value& out) {
  const ArrayReader reader(kElement, a[0].text());
  out = Value::Null();
  if (a[1].integer != 1 || reader.size() == 0) return true;
  out = Value::Integer(kExtent == ArrayExtent::kFirst  ? reader.first()
                       : kExtent == ArrayExtent::kLast ? reader.last()
                                                       : reader.size());
  return true;
}
template <Oid kElement>
bool Cardinality(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(ArrayReader(kElement, a[0].text()).size());
  return true;
}
template <Oid kElement>
bool ArrayDimensions(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = ArrayReader(kElement, a[0].text()).size() == 0 ? Value::Null() : Value::Integer(1);
  return true;
}
template <Oid kElement>
bool ArrayBounds(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const ArrayReader reader(kElement, a[0].text());
  out = Value::Null();
  if (reader.size() == 0) return true;
  return StoreArrayText(context, fmt::format("[{}:{}]", reader.first(), reader.last()), out);
}

// ---- elements ----

// array[subscript]
template <Oid kElement>
bool ElementAt(EvalContext&, const Value* a, uint32_t, Value& out) {
  ArrayReader reader(kElement, a[0].text());
  out = Value::Null();
  const int64_t place = a[1].integer - reader.first();
  if (place < 0 || place >= int64_t{reader.size()}) return true;
  for (int64_t i = 0; i <= place; ++i) reader.Next(out);
  return true;
}

// The subscript of the first element that is the same, from the third argument on.
template <Oid kElement>
bool ArrayPosition(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  out = Value::Null();
  if (a[0].null) return true;
  if (count > 2 && a[2].null) {
    return context.Fail(
        Status::Error(sqlstate::kNullValueNotAllowed, "initial position must not be null"));
  }
  ArrayReader reader(kElement, a[0].text());
  Value element;
  for (int64_t at = reader.first(); reader.Next(element); ++at) {
    if ((count > 2 && at < a[2].integer) || !SameElement<kElement>(element, a[1])) continue;
    out = Value::Integer(at);
    return true;
  }
  return true;
}
template <Oid kElement>
bool ArrayPositions(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Null();
  if (a[0].null) return true;
  ArrayReader reader(kElement, a[0].text());
  ArrayWriter writer(oid::kInt4, *context.arena);
  Value element;
  for (int64_t at = reader.first(); reader.Next(element); ++at) {
    if (SameElement<kElement>(element, a[1])) writer.Add(Value::Integer(at));
  }
  return context.Check(writer.Finish(out));
}

// ---- other arrays ----

template <Oid kElement>
bool CatArrays(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].null || a[1].null) {
    out = a[0].null ? a[1] : a[0];
    return true;
  }
  const ArrayReader left(kElement, a[0].text());
  const ArrayReader right(kElement, a[1].text());
  if (left.size() == 0 || right.size() == 0) {
    out = left.size() == 0 ? a[1] : a[0];
    return true;
  }
  ArrayWriter writer(kElement, *context.arena, left.first());
  writer.AddAll(left);
  writer.AddAll(right);
  return context.Check(writer.Finish(out));
}
template <Oid kElement, bool kInFront>
bool AddElement(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const Value& array = a[kInFront ? 1 : 0];
  const ArrayReader reader(kElement, array.null ? std::string_view() : array.text());
  if (kInFront && reader.first() == INT32_MIN) {
    return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange, "integer out of range"));
  }
  ArrayWriter writer(kElement, *context.arena, reader.first());
  if (kInFront) writer.Add(a[0]);
  writer.AddAll(reader);
  if (!kInFront) writer.Add(a[1]);
  return context.Check(writer.Finish(out));
}
// array_remove, and with a third argument array_replace
template <Oid kElement>
bool ReplaceElement(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  out = Value::Null();
  if (a[0].null) return true;
  ArrayReader reader(kElement, a[0].text());
  ArrayWriter writer(kElement, *context.arena, reader.first());
  Value element;
  while (reader.Next(element)) {
    const bool same = SameElement<kElement>(element, a[1]);
    if (!same || count > 2) writer.Add(same ? a[2] : element);
  }
  return context.Check(writer.Finish(out));
}

// The array's subscripts, as an array; from the last one back if a[2] is true.
template <Oid kElement>
bool Subscripts(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const ArrayReader reader(kElement, a[0].text());
  ArrayWriter writer(oid::kInt4, *context.arena);
  const bool backwards = count == 3 && a[2].integer != 0;
  const int64_t size = a[1].integer == 1 ? reader.size() : 0;
  for (int64_t i = 0; i < size && writer.ok(); ++i) {
    writer.Add(Value::Integer(backwards ? reader.last() - i : reader.first() + i));
  }
  return context.Check(writer.Finish(out));
}

// The parts of a text; a null delimiter takes it apart into characters.
bool StringToArray(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  out = Value::Null();
  if (a[0].null) return true;
  std::string_view rest = a[0].text();
  ArrayWriter writer(oid::kText, *context.arena);
  const auto add = [&](std::string_view part) {
    const bool null = count > 2 && !a[2].null && part == a[2].text();
    writer.Add(null ? Value::Null() : Value::Text(part));
  };
  if (a[1].null) {
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    while (!rest.empty()) {
      size_t bytes = 1;
      while (bytes < rest.size() && continues(rest[bytes])) ++bytes;
      add(rest.substr(0, bytes));
      rest.remove_prefix(bytes);
    }
    return context.Check(writer.Finish(out));
  }
  const std::string_view delimiter = a[1].text();
  while (!rest.empty() || writer.size() > 0) {
    const size_t end = delimiter.empty() ? std::string_view::npos : rest.find(delimiter);
    add(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + delimiter.size());
  }
  return context.Check(writer.Finish(out));
}

// ---- comparisons ----

template <Oid kElement, OperatorMeaning kMeaning>
bool CompareBoth(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int order = CompareArrays(kElement, a[0].text(), a[1].text());
  out = Value::Bool(kMeaning == OperatorMeaning::kEqual       ? order == 0
                    : kMeaning == OperatorMeaning::kNotEqual  ? order != 0
                    : kMeaning == OperatorMeaning::kLess      ? order < 0
                    : kMeaning == OperatorMeaning::kLessEqual ? order <= 0
                    : kMeaning == OperatorMeaning::kGreater   ? order > 0
                                                              : order >= 0);
  return true;
}

// Are all elements of some (kAll), or is one of them, in the other array? Nulls are in none.
template <Oid kElement, bool kAll>
bool AreIn(EvalContext& context, const Value& some, const Value& other, Value& out) {
  WorkMeter meter = context.arena->Meter();
  Value element;
  for (ArrayReader reader(kElement, some.text()); reader.Next(element);) {
    bool found = false;
    Value candidate;
    for (ArrayReader others(kElement, other.text()); !found && others.Next(candidate);) {
      if (!context.Check(meter.Spend(1))) return false;
      found = !element.null && !candidate.null && CompareValues(kElement, element, candidate) == 0;
    }
    if (found == kAll) continue;
    out = Value::Bool(!kAll);
    return true;
  }
  out = Value::Bool(kAll);
  return true;
}
template <Oid kElement>
bool Contains(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return AreIn<kElement, true>(context, a[1], a[0], out);
}
template <Oid kElement>
bool IsContained(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return AreIn<kElement, true>(context, a[0], a[1], out);
}
template <Oid kElement>
bool Overlaps(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return AreIn<kElement, false>(context, a[0], a[1], out);
}

// ---- the tables ----

struct ArrayRows {
  std::vector<FunctionDescription> functions;  // and operators
  std::vector<FunctionDescription> elements;   // array[subscript]

  void Operator(std::string_view name, Oid left, Oid right, Oid result,
                FunctionImplementation implementation,
                OperatorMeaning meaning = OperatorMeaning::kOther) {
    functions.push_back(OperatorRow(name, {left, right}, result, implementation, meaning));
    functions.back().exact_arrays = result == oid::kBool;
  }
  template <Oid kArray, Oid kElement, OperatorMeaning kMeaning>
  void Comparison(std::string_view name) {
    Operator(name, kArray, kArray, oid::kBool, CompareBoth<kElement, kMeaning>, kMeaning);
  }

  template <Oid kArray, Oid kElement>
  void AddWithoutOrder() {
    elements.push_back(
        FunctionRow("array element", {kArray, oid::kInt4}, kElement, ElementAt<kElement>));
    const auto add = [this](FunctionDescription row) { functions.push_back(row); };
    add(CalledOnNull(FunctionRow("array_to_string", {kArray, oid::kText}, oid::kText,
                                 ArrayToString<kElement>, kStable)));
    add(CalledOnNull(FunctionRow("array_to_string", {kArray, oid::kText, oid::kText}, oid::kText,
                                 ArrayToString<kElement>, kStable)));
    add(FunctionRow("array_lower", {kArray, oid::kInt4}, oid::kInt4,
                    ArrayDimension<kElement, ArrayExtent::kFirst>));
    add(FunctionRow("array_upper", {kArray, oid::kInt4}, oid::kInt4,
                    ArrayDimension<kElement, ArrayExtent::kLast>));
    add(FunctionRow("array_length", {kArray, oid::kInt4}, oid::kInt4,
                    ArrayDimension<kElement, ArrayExtent::kLength>));
    add(FunctionRow("cardinality", {kArray}, oid::kInt4, Cardinality<kElement>));
    add(FunctionRow("array_ndims", {kArray}, oid::kInt4, ArrayDimensions<kElement>));
    add(FunctionRow("array_dims", {kArray}, oid::kText, ArrayBounds<kElement>));
    add(CalledOnNull(FunctionRow("array_cat", {kArray, kArray}, kArray, CatArrays<kElement>)));
    add(CalledOnNull(
        FunctionRow("array_append", {kArray, kElement}, kArray, AddElement<kElement, false>)));
    add(CalledOnNull(
        FunctionRow("array_prepend", {kElement, kArray}, kArray, AddElement<kElement, true>)));
    add(ReturnsSet(FunctionRow("generate_subscripts", {kArray, oid::kInt4}, oid::kInt4Array,
                               Subscripts<kElement>)));
    add(ReturnsSet(FunctionRow("generate_subscripts", {kArray, oid::kInt4, oid::kBool},
                               oid::kInt4Array, Subscripts<kElement>)));
    add(ReturnsSet(FunctionRow("unnest", {kArray}, kArray, SameValue)));
    Operator("||", kArray, kArray, kArray, CatArrays<kElement>);
    functions.back().nulls = NullHandling::kCalledOnNull;
    Operator("||", kArray, kElement, kArray, AddElement<kElement, false>);
    functions.back().nulls = NullHandling::kCalledOnNull;
    Operator("||", kElement, kArray, kArray, AddElement<kElement, true>);
    functions.back().nulls = NullHandling::kCalledOnNull;
  }
  template <Oid kArray, Oid kElement>
  void Add() {
    AddWithoutOrder<kArray, kElement>();
    const auto add = [this](FunctionDescription row) { functions.push_back(row); };
    add(CalledOnNull(
        FunctionRow("array_position", {kArray, kElement}, oid::kInt4, ArrayPosition<kElement>)));
    add(CalledOnNull(FunctionRow("array_position", {kArray, kElement, oid::kInt4}, oid::kInt4,
                                 ArrayPosition<kElement>)));
    add(CalledOnNull(FunctionRow("array_positions", {kArray, kElement}, oid::kInt4Array,
                                 ArrayPositions<kElement>)));
    add(CalledOnNull(
        FunctionRow("array_remove", {kArray, kElement}, kArray, ReplaceElement<kElement>)));
    add(CalledOnNull(FunctionRow("array_replace", {kArray, kElement, kElement}, kArray,
                                 ReplaceElement<kElement>)));
    Comparison<kArray, kElement, OperatorMeaning::kEqual>("=");
    Comparison<kArray, kElement, OperatorMeaning::kNotEqual>("<>");
    Comparison<kArray, kElement, OperatorMeaning::kLess>("<");
    Comparison<kArray, kElement, OperatorMeaning::kLessEqual>("<=");
    Comparison<kArray, kElement, OperatorMeaning::kGreater>(">");
    Comparison<kArray, kElement, OperatorMeaning::kGreaterEqual>(">=");
    Operator("@>", kArray, kArray, oid::kBool, Contains<kElement>);
    Operator("<@", kArray, kArray, oid::kBool, IsContained<kElement>);
    Operator("&&", kArray, kArray, oid::kBool, Overlaps<kElement>);
  }
};

const ArrayRows& AllArrayRows() {
  static const ArrayRows kRows = [] {
    ArrayRows rows;
    rows.Add<oid::kBoolArray, oid::kBool>();
    rows.Add<oid::kCharArray, oid::kChar>();
    rows.Add<oid::kNameArray, oid::kName>();
    rows.Add<oid::kInt2Array, oid::kInt2>();
    rows.Add<oid::kInt4Array, oid::kInt4>();
    rows.Add<oid::kInt8Array, oid::kInt8>();
    rows.Add<oid::kTextArray, oid::kText>();
    rows.Add<oid::kBpcharArray, oid::kBpchar>();
    rows.Add<oid::kVarcharArray, oid::kVarchar>();
    rows.Add<oid::kFloat4Array, oid::kFloat4>();
    rows.Add<oid::kFloat8Array, oid::kFloat8>();
    rows.Add<oid::kNumericArray, oid::kNumeric>();
    rows.Add<oid::kTimestampArray, oid::kTimestamp>();
    rows.Add<oid::kTimestamptzArray, oid::kTimestamptz>();
    rows.Add<oid::kDateArray, oid::kDate>();
    rows.Add<oid::kTimeArray, oid::kTime>();
    rows.Add<oid::kIntervalArray, oid::kInterval>();
    rows.Add<oid::kByteaArray, oid::kBytea>();
    rows.Add<oid::kUuidArray, oid::kUuid>();
    rows.AddWithoutOrder<oid::kJsonArray, oid::kJson>();
    rows.Add<oid::kOidArray, oid::kOid>();
    rows.Add<oid::kRegclassArray, oid::kRegclass>();
    rows.Add<oid::kRegtypeArray, oid::kRegtype>();
    rows.Add<oid::kAclItemArray, oid::kAclItem>();
    for (const bool with_null : {false, true}) {
      FunctionDescription row =
          FunctionRow("string_to_array", {oid::kText, oid::kText}, oid::kTextArray, StringToArray);
      if (with_null) row.argument_types[row.argument_count++] = oid::kText;
      rows.functions.push_back(CalledOnNull(row));
      row.name = "string_to_table";
      rows.functions.push_back(ReturnsSet(CalledOnNull(row)));
    }
    return rows;
  }();
  return kRows;
}

}  // namespace

std::span<const FunctionDescription> ArrayFunctions() { return AllArrayRows().functions; }

const FunctionDescription* ArrayElementFunction(Oid element) {
  for (const FunctionDescription& row : AllArrayRows().elements) {
    if (row.result_type == element) return &row;
  }
  return nullptr;
}

}  // namespace connbench::engine
