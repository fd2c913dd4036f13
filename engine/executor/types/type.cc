// The data types.
#include "engine/executor/types/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>

#include "engine/executor/types/array.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/postgres_types.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr TypeInfo CatalogType(Oid oid, std::string_view name, std::string_view sql_name,
                               int16_t size, char category, ValueForm form) {
  return {oid, name, sql_name, size, category, category == 'I', form, /*catalog_only=*/true};
}
constexpr TypeInfo Array(Oid oid, std::string_view name, std::string_view sql_name, Oid element) {
  return {oid, name, sql_name, -1, 'A', false, ValueForm::kBytes, /*catalog_only=*/false, element};
}
constexpr TypeInfo CatalogArray(Oid oid, std::string_view name, std::string_view sql_name,
                                Oid element) {
  TypeInfo type = Array(oid, name, sql_name, element);
  type.catalog_only = true;
  return type;
}

// In the order of their oids. Category and preferred as in pg_type.
constexpr std::array kTypes = {
    TypeInfo{type_oid::kBool, "bool", "boolean", 1, 'B', true, ValueForm::kInteger},
    TypeInfo{type_oid::kBytea, "bytea", "bytea", -1, 'U', false, ValueForm::kBytes},
    TypeInfo{type_oid::kChar, "char", "\"char\"", 1, 'Z', false, ValueForm::kBytes},
    TypeInfo{type_oid::kName, "name", "name", 64, 'S', false, ValueForm::kBytes, false,
             type_oid::kChar},
    TypeInfo{type_oid::kInt8, "int8", "bigint", 8, 'N', false, ValueForm::kInteger},
    TypeInfo{type_oid::kInt2, "int2", "smallint", 2, 'N', false, ValueForm::kInteger},
    CatalogArray(type_oid::kInt2Vector, "int2vector", "int2vector", type_oid::kInt2),
    TypeInfo{type_oid::kInt4, "int4", "integer", 4, 'N', false, ValueForm::kInteger},
    CatalogType(type_oid::kRegproc, "regproc", "regproc", 4, 'N', ValueForm::kBytes),
    TypeInfo{type_oid::kText, "text", "text", -1, 'S', true, ValueForm::kBytes},
    TypeInfo{type_oid::kOid, "oid", "oid", 4, 'N', true, ValueForm::kInteger},
    CatalogType(type_oid::kXid, "xid", "xid", 4, 'U', ValueForm::kInteger),
    CatalogArray(type_oid::kOidVector, "oidvector", "oidvector", type_oid::kOid),
    TypeInfo{type_oid::kJson, "json", "json", -1, 'U', false, ValueForm::kBytes},
    CatalogType(type_oid::kPgNodeTree, "pg_node_tree", "pg_node_tree", -1, 'Z', ValueForm::kBytes),
    Array(type_oid::kJsonArray, "_json", "json[]", type_oid::kJson),
    TypeInfo{type_oid::kFloat4, "float4", "real", 4, 'N', false, ValueForm::kReal},
    TypeInfo{type_oid::kFloat8, "float8", "double precision", 8, 'N', true, ValueForm::kReal},
    TypeInfo{type_oid::kUnknown, "unknown", "unknown", -2, 'X', false, ValueForm::kBytes},
    CatalogType(type_oid::kInet, "inet", "inet", -1, 'I', ValueForm::kBytes),
    Array(type_oid::kBoolArray, "_bool", "boolean[]", type_oid::kBool),
    Array(type_oid::kByteaArray, "_bytea", "bytea[]", type_oid::kBytea),
    Array(type_oid::kCharArray, "_char", "\"char\"[]", type_oid::kChar),
    Array(type_oid::kNameArray, "_name", "name[]", type_oid::kName),
    Array(type_oid::kInt2Array, "_int2", "smallint[]", type_oid::kInt2),
    Array(type_oid::kInt4Array, "_int4", "integer[]", type_oid::kInt4),
    Array(type_oid::kTextArray, "_text", "text[]", type_oid::kText),
    Array(type_oid::kBpcharArray, "_bpchar", "character[]", type_oid::kBpchar),
    Array(type_oid::kVarcharArray, "_varchar", "character varying[]", type_oid::kVarchar),
    Array(type_oid::kInt8Array, "_int8", "bigint[]", type_oid::kInt8),
    Array(type_oid::kFloat4Array, "_float4", "real[]", type_oid::kFloat4),
    Array(type_oid::kFloat8Array, "_float8", "double precision[]", type_oid::kFloat8),
    Array(type_oid::kOidArray, "_oid", "oid[]", type_oid::kOid),
    CatalogType(type_oid::kAclItem, "aclitem", "aclitem", 12, 'U', ValueForm::kBytes),
    CatalogArray(type_oid::kAclItemArray, "_aclitem", "aclitem[]", type_oid::kAclItem),
    TypeInfo{type_oid::kBpchar, "bpchar", "character", -1, 'S', false, ValueForm::kBytes},
    TypeInfo{type_oid::kVarchar, "varchar", "character varying", -1, 'S', false, ValueForm::kBytes},
    TypeInfo{type_oid::kDate, "date", "date", 4, 'D', false, ValueForm::kInteger},
    TypeInfo{type_oid::kTime, "time", "time without time zone", 8, 'D', false, ValueForm::kInteger},
    TypeInfo{type_oid::kTimestamp, "timestamp", "timestamp without time zone", 8, 'D', false,
             ValueForm::kInteger},
    Array(type_oid::kTimestampArray, "_timestamp", "timestamp without time zone[]",
          type_oid::kTimestamp),
    Array(type_oid::kDateArray, "_date", "date[]", type_oid::kDate),
    Array(type_oid::kTimeArray, "_time", "time without time zone[]", type_oid::kTime),
    TypeInfo{type_oid::kTimestamptz, "timestamptz", "timestamp with time zone", 8, 'D', true,
             ValueForm::kInteger},
    Array(type_oid::kTimestamptzArray, "_timestamptz", "timestamp with time zone[]",
          type_oid::kTimestamptz),
    TypeInfo{type_oid::kInterval, "interval", "interval", 16, 'T', true, ValueForm::kBytes},
    Array(type_oid::kIntervalArray, "_interval", "interval[]", type_oid::kInterval),
    Array(type_oid::kNumericArray, "_numeric", "numeric[]", type_oid::kNumeric),
    TypeInfo{type_oid::kNumeric, "numeric", "numeric", -1, 'N', false, ValueForm::kBytes},
    TypeInfo{type_oid::kRegclass, "regclass", "regclass", 4, 'N', false, ValueForm::kInteger},
    TypeInfo{type_oid::kRegtype, "regtype", "regtype", 4, 'N', false, ValueForm::kInteger},
    Array(type_oid::kRegclassArray, "_regclass", "regclass[]", type_oid::kRegclass),
    Array(type_oid::kRegtypeArray, "_regtype", "regtype[]", type_oid::kRegtype),
    TypeInfo{type_oid::kAny, "any", "\"any\"", 4, 'P', false, ValueForm::kNone},
    CatalogType(type_oid::kAnyArray, "anyarray", "anyarray", -1, 'P', ValueForm::kBytes),
    TypeInfo{type_oid::kVoid, "void", "void", 4, 'P', false, ValueForm::kNone},
    TypeInfo{type_oid::kUuid, "uuid", "uuid", 16, 'U', false, ValueForm::kBytes},
    Array(type_oid::kUuidArray, "_uuid", "uuid[]", type_oid::kUuid),
    TypeInfo{type_oid::kRegnamespace, "regnamespace", "regnamespace", 4, 'N', false,
             ValueForm::kInteger},
};

// The row of every oid that is in none of the others.
constexpr TypeInfo kNoSuchType{type_oid::kInvalid, "???", "???", 4, 'P', false, ValueForm::kNone};

// Where each oid is in kTypes: every bind and every value sent asks. The modulus is the smallest
// one under which these oids differ.
constexpr Oid kOidModulus = [] {
  for (Oid modulus = kTypes.size();; ++modulus) {
    bool differ = true;
    for (size_t i = 0; i < kTypes.size() && differ; ++i) {
      for (size_t j = 0; j < i && differ; ++j) {
        differ = kTypes[i].oid % modulus != kTypes[j].oid % modulus;
      }
    }
    if (differ) return modulus;
  }
}();
constexpr TypeInfo kTextArraySetType =
    CatalogArray(kTextArraySet, "text[] set", "text[] set", type_oid::kTextArray);
constexpr uint8_t kNoType = UINT8_MAX;
constexpr std::array kTypeOfOid = [] {
  std::array<uint8_t, kOidModulus> places{};
  places.fill(kNoType);
  for (size_t i = 0; i < kTypes.size(); ++i) {
    places[kTypes[i].oid % kOidModulus] = static_cast<uint8_t>(i);
  }
  return places;
}();

constexpr int32_t kMaxCharacterLength = 10485760;
constexpr int32_t kMaxNumericPrecision = 1000;
constexpr int32_t kMaxTimestampPrecision = 6;

template <typename T>
int Compare(T a, T b) {
  return static_cast<int>(a > b) - static_cast<int>(a < b);
}

int CompareReals(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return Compare(a, b);
}

uint64_t Mix(uint64_t x) {  // the finalizer of MurmurHash3
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDu;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53u;
  return x ^ (x >> 33);
}

uint64_t HashBytes(std::string_view bytes) { return Mix(std::hash<std::string_view>{}(bytes)); }

Status BadModifier(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

}  // namespace

std::span<const TypeInfo> AllTypes() { return kTypes; }

[[gnu::hot]] const TypeInfo& GetType(Oid oid) {
  const uint8_t place = kTypeOfOid[oid % kOidModulus];
  if (place != kNoType && kTypes[place].oid == oid) return kTypes[place];
  return oid == kTextArraySet ? kTextArraySetType : kNoSuchType;
}

bool IsKnownType(Oid oid) {
  const TypeInfo& type = GetType(oid);
  return type.oid != type_oid::kInvalid && !type.catalog_only;
}

const TypeInfo* FindTypeByName(std::string_view name) {
  const auto* at = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeInfo& type) {
    return type.name == name && !type.catalog_only;
  });
  return at != kTypes.end() ? at : nullptr;
}

Status UnknownTypeError(std::string_view name) {
  if (FindPostgresTypeByName(name) != nullptr) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("type \"{}\" is not supported", name));
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("type \"{}\" does not exist", Excerpt(name)));
}

Status CheckTypeOid(Oid oid) {
  if (IsKnownType(oid)) return Status::Ok();
  if (const PostgresType* type = FindPostgresType(oid)) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("type \"{}\" is not supported", type->sql_name));
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("type with OID {} does not exist", oid));
}

std::string FormatType(Type type) {
  const TypeInfo* info = &GetType(type.oid);
  if (info->oid == type_oid::kInvalid) {
    const PostgresType* other = FindPostgresType(type.oid);
    return std::string(other != nullptr ? other->sql_name : info->sql_name);
  }
  if (type.modifier < 0) return std::string(info->sql_name);
  const int32_t m = type.modifier;
  switch (type.oid) {
    case type_oid::kBpchar:
    case type_oid::kVarchar:
      return fmt::format("{}({})", info->sql_name, m - kModifierHeader);
    case type_oid::kNumeric:
      return fmt::format("numeric({},{})", NumericPrecision(m), NumericScale(m));
    case type_oid::kTime:
      return fmt::format("time({}) without time zone", m);
    case type_oid::kInterval:
      return FormatIntervalType(m);
    case type_oid::kTimestamp:
      return fmt::format("timestamp({}) without time zone", m);
    case type_oid::kTimestamptz:
      return fmt::format("timestamp({}) with time zone", m);
    default:
      return std::string(info->sql_name);
  }
}

Result<int32_t> MakeTypeModifier(Oid oid, std::span<const int32_t> numbers) {
  if (numbers.empty()) return -1;
  switch (oid) {
    case type_oid::kBpchar:
    case type_oid::kVarchar: {
      const char* name = oid == type_oid::kBpchar ? "char" : "varchar";
      if (numbers.size() != 1) return BadModifier("invalid type modifier");
      if (numbers[0] < 1)
        return BadModifier(fmt::format("length for type {} must be at least 1", name));
      if (numbers[0] > kMaxCharacterLength) {
        return BadModifier(
            fmt::format("length for type {} cannot exceed {}", name, kMaxCharacterLength));
      }
      return numbers[0] + kModifierHeader;
    }
    case type_oid::kNumeric: {
      if (numbers.size() > 2) return BadModifier("invalid NUMERIC type modifier");
      const int32_t precision = numbers[0];
      const int32_t scale = numbers.size() == 2 ? numbers[1] : 0;
      if (precision < 1 || precision > kMaxNumericPrecision) {
        return BadModifier(fmt::format("NUMERIC precision {} must be between 1 and {}", precision,
                                       kMaxNumericPrecision));
      }
      if (scale < -kMaxNumericPrecision || scale > kMaxNumericPrecision) {
        return BadModifier(fmt::format("NUMERIC scale {} must be between {} and {}", scale,
                                       -kMaxNumericPrecision, kMaxNumericPrecision));
      }
      return MakeNumericModifier(precision, scale);
    }
    case type_oid::kInterval:
      return MakeIntervalModifier(numbers);
    case type_oid::kTime:
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
      if (numbers.size() != 1) return BadModifier("invalid type modifier");
      if (numbers[0] < 0 && oid == type_oid::kTime) {
        return BadModifier(fmt::format("TIME({}) precision must not be negative", numbers[0]));
      }
      if (numbers[0] < 0) {
        return BadModifier(fmt::format("TIMESTAMP({}){} precision must not be negative", numbers[0],
                                       oid == type_oid::kTimestamptz ? " WITH TIME ZONE" : ""));
      }
      return std::min(numbers[0], kMaxTimestampPrecision);
    default:
      return Status::Error(
          sqlstate::kSyntaxError,
          fmt::format("type modifier is not allowed for type \"{}\"", GetType(oid).name));
  }
}

Oid ArrayType(Oid element) {
  const auto* at = std::find_if(kTypes.begin(), kTypes.end(), [element](const TypeInfo& type) {
    return type.element == element && type.name.starts_with('_');
  });
  return at != kTypes.end() ? at->oid : type_oid::kInvalid;
}

bool HasOrder(Oid oid) { return oid != type_oid::kJson && oid != type_oid::kJsonArray; }

bool IsString(Oid oid) {
  if (oid == type_oid::kUnknown) return true;
  return GetType(oid).category == 'S';
}

int CompareValues(Oid oid, const Value& a, const Value& b) {
  switch (oid) {
    case type_oid::kFloat4:
    case type_oid::kFloat8:
      return CompareReals(a.real, b.real);
    case type_oid::kNumeric:
      return CompareNumeric(a, b);
    case type_oid::kInterval:
      return Compare(IntervalSpan(ToInterval(a)), IntervalSpan(ToInterval(b)));
    case type_oid::kBpchar:
      return TrimTrailingBlanks(a.text()).compare(TrimTrailingBlanks(b.text()));
    default: {
      const TypeInfo& type = GetType(oid);
      if (IsArray(type)) return CompareArrays(type.element, a.text(), b.text());
      if (type.form == ValueForm::kBytes) return a.text().compare(b.text());
      return Compare(a.integer, b.integer);
    }
  }
}

uint64_t HashValue(Oid oid, const Value& value) {
  switch (oid) {
    case type_oid::kFloat4:
    case type_oid::kFloat8:
      if (std::isnan(value.real)) return Mix(~uint64_t{0});
      return Mix(std::bit_cast<uint64_t>(value.real == 0 ? 0.0 : value.real));
    case type_oid::kNumeric:
      return Mix(HashNumeric(value));
    case type_oid::kInterval: {
      const __int128 span = IntervalSpan(ToInterval(value));
      return Mix(static_cast<uint64_t>(span) ^ Mix(static_cast<uint64_t>(span >> 64)));
    }
    case type_oid::kBpchar:
      return HashBytes(TrimTrailingBlanks(value.text()));
    default: {
      const TypeInfo& type = GetType(oid);
      if (IsArray(type)) return HashArray(type.element, value.text());
      if (type.form == ValueForm::kBytes) return HashBytes(value.text());
      return Mix(static_cast<uint64_t>(value.integer));
    }
  }
}

}  // namespace connbench::engine
