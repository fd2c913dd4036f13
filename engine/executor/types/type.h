// The data types: one row each in type.cc, with everything the engine does to a value of the type.
//
// Safety: constant data and pure functions; any thread.
//
// How values are held (engine/executor/value.h):
//   integer  bool, int2, int4, int8, oid, xid, regclass, regtype (the oid), timestamp, timestamptz
//            (microseconds since 2000-01-01, INT64_MIN and INT64_MAX are -infinity and infinity),
//            date (days since 2000-01-01, INT32_MIN and INT32_MAX likewise), time (microseconds
//            since midnight)
//   real     float4 (rounded to float), float8
//   bytes    text, varchar, name, unknown: UTF-8; bpchar: as stored, blank-padded;
//            bytea; uuid: its 16 bytes; json: its text; interval: engine/executor/types/interval.h;
//            numeric: see engine/executor/types/numeric.h; arrays: engine/executor/types/array.h
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/wire_value.h"
#include "engine/executor/value.h"
#include "engine/session.h"

namespace connbench {

// Those that only the engine knows; arrays are in no table.
namespace type_oid {
inline constexpr Oid kJson = 114;
inline constexpr Oid kJsonArray = 199;
inline constexpr Oid kBoolArray = 1000;
inline constexpr Oid kByteaArray = 1001;
inline constexpr Oid kInt4Array = 1007;
inline constexpr Oid kBpcharArray = 1014;
inline constexpr Oid kVarcharArray = 1015;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kFloat4Array = 1021;
inline constexpr Oid kFloat8Array = 1022;
inline constexpr Oid kAclItem = 1033;  // only as an element
inline constexpr Oid kDate = 1082;
inline constexpr Oid kTime = 1083;
inline constexpr Oid kTimestampArray = 1115;
inline constexpr Oid kDateArray = 1182;
inline constexpr Oid kTimeArray = 1183;
inline constexpr Oid kTimestamptzArray = 1185;
inline constexpr Oid kInterval = 1186;
inline constexpr Oid kIntervalArray = 1187;
inline constexpr Oid kNumericArray = 1231;
inline constexpr Oid kRegclassArray = 2210;
inline constexpr Oid kRegtypeArray = 2211;
inline constexpr Oid kUuid = 2950;
inline constexpr Oid kUuidArray = 2951;
}  // namespace type_oid

namespace engine {

// What PostgreSQL adds to lengths and precisions, so that a packed one is never 0 or less.
inline constexpr int32_t kModifierHeader = 4;

// A type with its modifier as PostgreSQL packs it: char(n), varchar(n): n + 4; numeric(p, s):
// (p << 16 | s) + 4; timestamp(p), time(p): p; interval: its fields << 16 | p; -1: none.
struct Type {
  Oid oid = type_oid::kInvalid;
  int32_t modifier = -1;
  friend bool operator==(const Type&, const Type&) = default;
};

enum class ValueForm : uint8_t { kInteger, kReal, kBytes, kNone };

struct TypeInfo {
  Oid oid;
  std::string_view name;      // in pg_type, and what libpg_query's TypeName carries: "int4"
  std::string_view sql_name;  // as format_type prints it: "integer"
  int16_t size;               // on disk and in RowDescription; -1: variable
  char category;              // pg_type.typcategory
  bool preferred;             // pg_type.typispreferred
  ValueForm form;
  bool catalog_only = false;  // only columns of system relations have it; no name leads to it
  Oid element = type_oid::kInvalid;  // pg_type.typelem
};

// Whether tables, parameters and casts may have the type.
bool IsKnownType(Oid oid);
// The type's row. An oid without a type has a row, too, which has no form and no casts, so that an
// oid from a damaged or newer catalog leads to an error, never to a crash.
const TypeInfo& GetType(Oid oid);
const TypeInfo* FindTypeByName(std::string_view name);  // "int4"; also "char" for the one-byte type
// The door for oids that clients send: ok if the type is known, 0A000 if only PostgreSQL has it,
// 42704 if there is no such type.
Status CheckTypeOid(Oid oid);
// 0A000 "type "date" is not supported" or 42704 "type "dat" does not exist".
Status UnknownTypeError(std::string_view name);
// Those of system relations included.
std::span<const TypeInfo> AllTypes();

// As format_type(oid, modifier) prints: "character varying(10)", "timestamp with time zone".
std::string FormatType(Type type);
// The packed modifier from the numbers in "varchar(10)", "numeric(10, 2)": 22023 if out of range or
// if the type takes none.
Result<int32_t> MakeTypeModifier(Oid oid, std::span<const int32_t> numbers);

inline bool IsInteger(Oid oid) {
  return oid == type_oid::kInt4 || oid == type_oid::kInt8 || oid == type_oid::kInt2;
}
// text, varchar, bpchar, name, unknown: anything in PostgreSQL's string category plus unknown.
bool IsString(Oid oid);

// Whether values of the type, or of its elements, can be compared: json cannot.
bool HasOrder(Oid oid);

// Held as an array: int2vector and oidvector, too.
inline bool IsArray(const TypeInfo& type) { return type.category == 'A'; }
inline bool IsArray(Oid oid) { return IsArray(GetType(oid)); }
// The type of its elements; kInvalid: it is no array.
inline Oid ElementType(const TypeInfo& type) {
  return IsArray(type) ? type.element : type_oid::kInvalid;
}
inline Oid ElementType(Oid oid) { return ElementType(GetType(oid)); }
// The array type of these elements; kInvalid: the engine has none.
Oid ArrayType(Oid element);

// Whether a value's text depends on the session: its time zone, its IntervalStyle, its view of the
// catalog.
inline bool TextDependsOnSession(Oid oid) {
  const TypeInfo& type = GetType(oid);
  if (IsArray(type)) return TextDependsOnSession(type.element);
  return type.category == 'D' || type.category == 'T' || oid == type_oid::kRegclass;
}

// <0, 0, >0 in the type's own order (float8: NaN above all; text: bytes, the C collation; bpchar:
// without trailing blanks). Neither may be null.
int CompareValues(Oid oid, const Value& a, const Value& b);
// Equal values hash equally. Not null.
uint64_t HashValue(Oid oid, const Value& value);

// DISTINCT, GROUP BY, ORDER BY: nulls are equal to each other and greater than everything.
inline int CompareNullsLast(Oid oid, const Value& a, const Value& b) {
  if (a.null || b.null) return static_cast<int>(a.null) - static_cast<int>(b.null);
  return CompareValues(oid, a, b);
}
inline uint64_t HashNullable(Oid oid, const Value& value) {
  return value.null ? 0x9E3779B97F4A7C15u : HashValue(oid, value);
}

}  // namespace engine
}  // namespace connbench
