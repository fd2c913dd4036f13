// How a system view's columns are written down: each with the function that reads it from a record,
// side by side, so that neither can be forgotten.
//
//   constexpr auto kFields = std::to_array<ViewField<Thing>>({
//       {{"oid", type_oid::kOid}, field::Number<&Thing::oid>},
//       {{"name", type_oid::kName}, field::Copy<&Thing::name>}});
//   ... ViewColumnsOf<kFields> ... AppendViewRow<kFields>(thing, rows);
//
// Safety: constant data and pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "engine/sql/system_views.h"

namespace connbench::engine {

template <typename Record>
struct ViewField {
  SystemViewColumn column;
  Value (*read)(const Record& record, ViewRows& rows);
};

template <const auto& kFields>
inline constexpr auto ViewColumnsOf = [] {
  std::array<SystemViewColumn, kFields.size()> columns{};
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = kFields[i].column;
  return columns;
}();

template <const auto& kFields, typename Record>
void AppendViewRow(const Record& record, ViewRows& rows) {
  for (const auto& each : kFields) rows.Add(each.read(record, rows));
}

// One byte for a "char"; 0: none. It points to constant memory.
inline Value CharValue(char c) {
  static constexpr auto kBytes = [] {
    std::array<char, 128> bytes{};
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i);
    return bytes;
  }();
  if (c == 0) return Value::Text("");
  return Value::Text({kBytes.data() + static_cast<unsigned char>(c) % kBytes.size(), 1});
}

// Readers of fields. member: of the record.
namespace field {

template <auto member, typename Record>
Value Number(const Record& record, ViewRows&) {
  return Value::Integer(static_cast<int64_t>(record.*member));
}
template <auto member, typename Record>
Value Flag(const Record& record, ViewRows&) {
  return Value::Bool(record.*member);
}
template <auto member, typename Record>
Value Char(const Record& record, ViewRows&) {
  return CharValue(record.*member);
}
template <auto member, typename Record>
Value Copy(const Record& record, ViewRows& rows) {
  return rows.Text(record.*member);
}
// Of an optional text or number.
template <auto member, typename Record>
Value CopyIfAny(const Record& record, ViewRows& rows) {
  const auto& text = record.*member;
  return text ? rows.Text(*text) : Value::Null();
}
template <auto member, typename Record>
Value NumberIfAny(const Record& record, ViewRows&) {
  const auto& number = record.*member;
  return number ? Value::Integer(static_cast<int64_t>(*number)) : Value::Null();
}
// Constants.
template <typename Record>
Value Null(const Record&, ViewRows&) {
  return Value::Null();
}
template <typename Record>
Value True(const Record&, ViewRows&) {
  return Value::Bool(true);
}
template <typename Record>
Value False(const Record&, ViewRows&) {
  return Value::Bool(false);
}
template <int64_t number, typename Record>
Value Constant(const Record&, ViewRows&) {
  return Value::Integer(number);
}
template <char c, typename Record>
Value ConstantChar(const Record&, ViewRows&) {
  return CharValue(c);
}
// "-": the regproc of no function. Functions have no oids here.
template <typename Record>
Value NoFunction(const Record&, ViewRows&) {
  return Value::Text("-");
}

}  // namespace field
}  // namespace connbench::engine
