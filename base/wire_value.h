// What a value is called and looks like on PostgreSQL's wire: the words that the engine, both ends
// of the protocol and the load generator share.
//
// Safety: plain values; any thread. A WireValue does not own its bytes.
#pragma once

#include <cstdint>
#include <string>

namespace connbench {

// Names a type, a relation or a role, as PostgreSQL does.
using Oid = uint32_t;

// The types that connbench has, by PostgreSQL's numbers, which clients know by heart.
namespace type_oid {
inline constexpr Oid kInvalid = 0;
inline constexpr Oid kBool = 16;
inline constexpr Oid kChar = 18;  // "char", one byte
inline constexpr Oid kName = 19;
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kInt2 = 21;
inline constexpr Oid kInt4 = 23;
inline constexpr Oid kText = 25;
inline constexpr Oid kOid = 26;
inline constexpr Oid kFloat4 = 700;
inline constexpr Oid kFloat8 = 701;
inline constexpr Oid kUnknown = 705;  // an untyped literal, NULL or parameter
inline constexpr Oid kBpchar = 1042;
inline constexpr Oid kVarchar = 1043;
inline constexpr Oid kTimestamp = 1114;
inline constexpr Oid kTimestamptz = 1184;
inline constexpr Oid kNumeric = 1700;
inline constexpr Oid kRegclass = 2205;  // an oid that prints as the relation's name
inline constexpr Oid kRegtype = 2206;   // an oid that prints as the type's name
inline constexpr Oid kAny = 2276;       // only as the argument of a function
inline constexpr Oid kVoid = 2278;
inline constexpr Oid kRegnamespace = 4089;  // an oid that prints as the schema's name
// Only columns of system relations have these (TypeInfo::catalog_only).
inline constexpr Oid kBytea = 17;
inline constexpr Oid kInt2Vector = 22;
inline constexpr Oid kRegproc = 24;
inline constexpr Oid kXid = 28;
inline constexpr Oid kOidVector = 30;
inline constexpr Oid kPgNodeTree = 194;
inline constexpr Oid kInet = 869;
inline constexpr Oid kCharArray = 1002;
inline constexpr Oid kNameArray = 1003;
inline constexpr Oid kInt2Array = 1005;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kOidArray = 1028;
inline constexpr Oid kAclItemArray = 1034;
inline constexpr Oid kAnyArray = 2277;
}  // namespace type_oid

enum class WireFormat : int16_t { kText = 0, kBinary = 1 };

// A value in wire form; data is null for SQL NULL. The bytes belong to whoever made the value and
// stay valid for the duration of the call they are passed to.
struct WireValue {
  const char* data = nullptr;
  int32_t length = -1;
  bool is_null() const { return data == nullptr; }
};

struct ColumnDescription {
  std::string name;
  Oid table_oid = 0;          // 0: not a plain column
  int16_t column_number = 0;  // 1-based; 0: not a plain column
  Oid type_oid = 0;
  int16_t type_size = 0;  // bytes, -1: variable
  int32_t type_modifier = -1;
};

}  // namespace connbench
