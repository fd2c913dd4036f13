// Values to and from the wire.
#include "engine/executor/types/type_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include "base/ascii.h"
#include "engine/executor/types/array.h"
#include "engine/executor/types/big_endian.h"
#include "engine/executor/types/byte_strings.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/json.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/postgres_types.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr size_t kIntegerTextBytes = 24;

template <typename T>
Status ParseInteger(std::string_view text, std::string_view type_name, Value& out) {
  std::string_view rest = TrimSpaces(text);
  const bool plus = rest.starts_with('+');
  if (plus) rest.remove_prefix(1);
  T value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  // Too many digits are found before what follows them.
  if (error == std::errc::result_out_of_range && !(plus && rest.starts_with('-'))) {
    return Status::Error(
        sqlstate::kNumericValueOutOfRange,
        fmt::format("value \"{}\" is out of range for type {}", Excerpt(text), type_name));
  }
  if (error != std::errc() || end != rest.data() + rest.size() || (plus && rest.starts_with('-'))) {
    return InvalidInput(type_name, Excerpt(text));
  }
  out = Value::Integer(static_cast<int64_t>(value));
  return Status::Ok();
}

Status ParseOid(std::string_view text, Value& out) {
  Value wide;
  CONNBENCH_RETURN_IF_ERROR(ParseInteger<int64_t>(text, "oid", wide));
  // As strtoul does, a minus sign wraps around, within 32 bits.
  if (wide.integer > std::numeric_limits<uint32_t>::max() ||
      wide.integer < std::numeric_limits<int32_t>::min()) {
    return Status::Error(sqlstate::kNumericValueOutOfRange,
                         fmt::format("value \"{}\" is out of range for type oid", Excerpt(text)));
  }
  out = Value::Integer(static_cast<uint32_t>(wide.integer));
  return Status::Ok();
}

Status ParseRegtype(std::string_view text, Value& out) {
  for (const TypeInfo& type : AllTypes()) {
    if (type.name != text && type.sql_name != text) continue;
    out = Value::Integer(type.oid);
    return Status::Ok();
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("type \"{}\" does not exist", Excerpt(text)));
}

// A number is the oid itself, "-" is none, as PostgreSQL prints it.
Status ParseRegclass(std::string_view text, const IoContext& io, Value& out) {
  if (text == "-") {
    out = Value::Integer(0);
    return Status::Ok();
  }
  const bool number = !text.empty() && std::all_of(text.begin(), text.end(), IsAsciiDigit);
  if (number) return ParseOid(text, out);
  RelationNames none;
  RelationNames& names = io.relations != nullptr ? *io.relations : none;
  CONNBENCH_ASSIGN_OR_RETURN(const Oid relation, names.FindRelation(text));
  out = Value::Integer(relation);
  return Status::Ok();
}

// As an unknown oid of a regclass or regnamespace is printed.
Status FormatUnknownOid(const Value& value, const IoContext& io, std::string_view& out) {
  out = io.arena->Copy(value.integer == 0 ? std::string("-") : std::to_string(value.integer));
  return out.data() == nullptr ? io.arena->OutOfMemory() : Status::Ok();
}

Status FormatRegclass(const Value& value, const IoContext& io, std::string_view& out) {
  if (value.integer != 0 && io.relations != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(
        out, io.relations->RelationName(static_cast<Oid>(value.integer), *io.arena));
    if (out.data() != nullptr) return Status::Ok();
  }
  return FormatUnknownOid(value, io, out);
}

Status ParseRegnamespace(std::string_view text, Value& out) {
  for (const Schema& schema : kSchemas) {
    if (schema.name != text) continue;
    out = Value::Integer(schema.oid);
    return Status::Ok();
  }
  const bool number = !text.empty() && std::all_of(text.begin(), text.end(), IsAsciiDigit);
  if (number) return ParseOid(text, out);
  return Status::Error(sqlstate::kInvalidSchemaName,
                       fmt::format("schema \"{}\" does not exist", Excerpt(text)));
}

Status FormatRegnamespace(const Value& value, const IoContext& io, std::string_view& out) {
  for (const Schema& schema : kSchemas) {
    if (schema.oid != value.integer) continue;
    out = schema.name;
    return Status::Ok();
  }
  return FormatUnknownOid(value, io, out);
}

// Any unambiguous beginning of a word.
Status ParseBool(std::string_view text, Value& out) {
  const std::string_view word = TrimSpaces(text);
  const auto begins = [&](std::string_view whole, size_t at_least) {
    if (word.size() < at_least || word.size() > whole.size()) return false;
    return std::equal(word.begin(), word.end(), whole.begin(),
                      [](char a, char b) { return AsciiLower(a) == b; });
  };
  if (begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1") {
    out = Value::Bool(true);
  } else if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") {
    out = Value::Bool(false);
  } else {
    return InvalidInput("boolean", text);
  }
  return Status::Ok();
}

Status ApplyLength(Type type, bool explicit_cast, const IoContext& io, Value& value) {
  const int64_t limit = type.modifier - kModifierHeader;
  const std::string_view text = value.text();
  // Bytes bound characters, so that short values need no counting.
  const int64_t characters = static_cast<int64_t>(text.size()) < limit ? -1 : CountCharacters(text);
  if (characters > limit) {
    const size_t cut = ByteOffsetOf(text, limit);
    if (!explicit_cast && !TrimTrailingBlanks(text.substr(cut)).empty()) {
      return Status::Error(sqlstate::kStringDataRightTruncation,
                           fmt::format("value too long for type {}", FormatType(type)));
    }
    value.length = static_cast<uint32_t>(cut);
    return Status::Ok();
  }
  if (type.oid != type_oid::kBpchar) return Status::Ok();
  const int64_t count = characters >= 0 ? characters : CountCharacters(text);
  if (count == limit) return Status::Ok();
  const size_t padded = text.size() + static_cast<size_t>(limit - count);
  char* bytes = io.arena->AllocateBytes(padded);
  if (bytes == nullptr) return io.arena->OutOfMemory();
  if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
  std::memset(bytes + text.size(), ' ', padded - text.size());
  value = Value::Text({bytes, padded});
  return Status::Ok();
}

Status WrongBinaryLength(size_t given, size_t wanted) {
  if (given < wanted) {
    return Status::Error(sqlstate::kProtocolViolation, "insufficient data left in message");
  }
  return Status::Error(sqlstate::kInvalidBinaryRepresentation, "incorrect binary data format");
}

template <typename T>
Status ReceiveInteger(std::string_view bytes, Value& out) {
  T value = 0;
  if (!ReadBigEndian(bytes, value)) return WrongBinaryLength(bytes.size(), sizeof(T));
  out = Value::Integer(static_cast<int64_t>(value));
  return Status::Ok();
}

template <typename T>
Status SendBigEndian(T value, const IoContext& io, std::string_view& out) {
  char* bytes = io.arena->AllocateBytes(sizeof(T));
  if (bytes == nullptr) return io.arena->OutOfMemory();
  StoreBigEndian(value, bytes);
  out = {bytes, sizeof(T)};
  return Status::Ok();
}

}  // namespace

Result<Oid> RelationNames::FindRelation(std::string_view) {
  return Status::Error(sqlstate::kFeatureNotSupported,
                       "the name of a relation is not supported here");
}
Result<std::string_view> RelationNames::RelationName(Oid, Arena&) { return std::string_view(); }

[[gnu::hot]] std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && IsAsciiSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsAsciiSpace(text.back())) text.remove_suffix(1);
  return text;
}

Status InvalidInput(std::string_view type_name, std::string_view text) {
  return Status::Error(
      sqlstate::kInvalidTextRepresentation,
      fmt::format("invalid input syntax for type {}: \"{}\"", type_name, Excerpt(text)));
}

[[gnu::hot]] Status ParseText(Type type, std::string_view text, const IoContext& io, Value& out) {
  switch (type.oid) {
    case type_oid::kBool:
      return ParseBool(text, out);
    case type_oid::kInt2:
      return ParseInteger<int16_t>(text, "smallint", out);
    case type_oid::kInt4:
      return ParseInteger<int32_t>(text, "integer", out);
    case type_oid::kInt8:
      return ParseInteger<int64_t>(text, "bigint", out);
    case type_oid::kOid:
      return ParseOid(text, out);
    case type_oid::kRegclass:
      return ParseRegclass(text, io, out);
    case type_oid::kRegtype:
      return ParseRegtype(text, out);
    case type_oid::kFloat4:
    case type_oid::kFloat8: {
      double value = 0;
      CONNBENCH_RETURN_IF_ERROR(ParseReal(text, type.oid == type_oid::kFloat4, value));
      out = Value::Real(value);
      return Status::Ok();
    }
    case type_oid::kNumeric:
      CONNBENCH_RETURN_IF_ERROR(ParseNumeric(text, *io.arena, out));
      break;
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz: {
      int64_t value = 0;
      CONNBENCH_RETURN_IF_ERROR(
          ParseTimestamp(text, type.oid == type_oid::kTimestamptz, io, value));
      out = Value::Integer(value);
      break;
    }
    case type_oid::kDate: {
      int64_t days = 0;
      CONNBENCH_RETURN_IF_ERROR(ParseDate(text, io, days));
      out = Value::Integer(days);
      return Status::Ok();
    }
    case type_oid::kTime: {
      int64_t time_us = 0;
      CONNBENCH_RETURN_IF_ERROR(ParseTime(text, io, time_us));
      out = Value::Integer(time_us);
      break;
    }
    case type_oid::kInterval: {
      Interval interval;
      CONNBENCH_RETURN_IF_ERROR(
          ParseInterval(text, IntervalFields(type.modifier), io.interval_style, interval));
      CONNBENCH_RETURN_IF_ERROR(StoreInterval(interval, *io.arena, out));
      break;
    }
    case type_oid::kUuid:
      return ParseUuid(text, *io.arena, out);
    case type_oid::kBytea:
      return ParseBytea(text, *io.arena, out);
    case type_oid::kJson:
      CONNBENCH_RETURN_IF_ERROR(ValidateJson(text, *io.arena));
      out = Value::Text(text);
      return Status::Ok();
    case type_oid::kName:
      out = Value::Text(ClipToBytes(text, kNameBytes));
      return Status::Ok();
    case type_oid::kChar:
      text = CharFromText(text, *io.arena);
      if (text.data() == nullptr) return io.arena->OutOfMemory();
      out = Value::Text(text);
      return Status::Ok();
    case type_oid::kRegnamespace:
      return ParseRegnamespace(text, out);
    case type_oid::kVoid:
      out = Value::Integer(0);
      return Status::Ok();
    case type_oid::kText:
    case type_oid::kVarchar:
    case type_oid::kBpchar:
    case type_oid::kUnknown:
      out = Value::Text(text);
      break;
    default:
      if (!GetType(type.oid).catalog_only && IsArray(type.oid)) {
        return ParseArray(type.oid, text, io, out);
      }
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("cannot accept a value of type {}", FormatType(type)));
  }
  return type.modifier < 0 ? Status::Ok() : ApplyTypeModifier(type, false, io, out);
}

Status ParseBinary(Type type, std::string_view bytes, const IoContext& io, Value& out) {
  switch (type.oid) {
    case type_oid::kBool:
      if (bytes.size() != 1) return WrongBinaryLength(bytes.size(), 1);
      out = Value::Bool(bytes[0] != 0);
      return Status::Ok();
    case type_oid::kInt2:
      return ReceiveInteger<int16_t>(bytes, out);
    case type_oid::kInt4:
      return ReceiveInteger<int32_t>(bytes, out);
    case type_oid::kInt8:
      return ReceiveInteger<int64_t>(bytes, out);
    case type_oid::kOid:
    case type_oid::kRegclass:
    case type_oid::kRegnamespace:
    case type_oid::kRegtype:
      return ReceiveInteger<uint32_t>(bytes, out);
    case type_oid::kFloat4:
      CONNBENCH_RETURN_IF_ERROR(ReceiveInteger<int32_t>(bytes, out));
      out = Value::Real(std::bit_cast<float>(static_cast<int32_t>(out.integer)));
      return Status::Ok();
    case type_oid::kFloat8:
      CONNBENCH_RETURN_IF_ERROR(ReceiveInteger<int64_t>(bytes, out));
      out = Value::Real(std::bit_cast<double>(out.integer));
      return Status::Ok();
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
      CONNBENCH_RETURN_IF_ERROR(ReceiveInteger<int64_t>(bytes, out));
      if (IsFinite(out.integer) && !InTimestampRange(out.integer)) {
        return Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
      }
      break;
    case type_oid::kDate:
      CONNBENCH_RETURN_IF_ERROR(ReceiveInteger<int32_t>(bytes, out));
      if (IsFiniteDate(out.integer) && !InDateRange(out.integer)) {
        return Status::Error(sqlstate::kDatetimeFieldOverflow, "date out of range");
      }
      return Status::Ok();
    case type_oid::kTime:
      CONNBENCH_RETURN_IF_ERROR(ReceiveInteger<int64_t>(bytes, out));
      if (!InTimeRange(out.integer)) {
        return Status::Error(sqlstate::kDatetimeFieldOverflow, "time out of range");
      }
      break;
    case type_oid::kInterval:
      if (bytes.size() != kIntervalBytes) return WrongBinaryLength(bytes.size(), kIntervalBytes);
      CONNBENCH_RETURN_IF_ERROR(ReceiveInterval(bytes, *io.arena, out));
      break;
    case type_oid::kUuid:
      if (bytes.size() != kUuidBytes) return WrongBinaryLength(bytes.size(), kUuidBytes);
      out = Value::Text(bytes);
      return Status::Ok();
    case type_oid::kBytea:
      out = Value::Text(bytes);
      return Status::Ok();
    case type_oid::kNumeric:
      CONNBENCH_RETURN_IF_ERROR(ReceiveNumeric(bytes, *io.arena, out));
      break;
    case type_oid::kChar:
      if (bytes.size() != 1) return WrongBinaryLength(bytes.size(), 1);
      // It holds the empty text as a zero byte; any other one is right.
      out = Value::Text(bytes[0] == 0 ? std::string_view("") : bytes);
      return Status::Ok();
    case type_oid::kName:
    case type_oid::kText:
    case type_oid::kVarchar:
    case type_oid::kBpchar:
    case type_oid::kUnknown:
    case type_oid::kJson:
      CONNBENCH_RETURN_IF_ERROR(ValidateUtf8(bytes));
      return ParseText(type, bytes, io, out);
    default:
      if (!GetType(type.oid).catalog_only && IsArray(type.oid)) {
        return ReceiveArray(type.oid, bytes, io, out);
      }
      return Status::Error(
          sqlstate::kUndefinedFunction,
          fmt::format("no binary input function available for type {}", FormatType(type)));
  }
  return type.modifier < 0 ? Status::Ok() : ApplyTypeModifier(type, false, io, out);
}

[[gnu::hot]] Status FromWire(Type type, const WireValue& wire, WireFormat format,
                             const IoContext& io, Value& out) {
  if (wire.is_null()) {
    out = Value::Null();
    return Status::Ok();
  }
  const std::string_view bytes(wire.data, static_cast<size_t>(wire.length));
  if (format == WireFormat::kBinary) return ParseBinary(type, bytes, io, out);
  CONNBENCH_RETURN_IF_ERROR(ValidateUtf8(bytes));
  return ParseText(type, bytes, io, out);
}

[[gnu::hot]] Status FormatText(Oid oid, const Value& value, const IoContext& io,
                               std::string_view& out) {
  switch (oid) {
    case type_oid::kBool:
      out = value.integer != 0 ? "t" : "f";
      return Status::Ok();
    case type_oid::kVoid:
      out = "";
      return Status::Ok();
    case type_oid::kRegclass:
      return FormatRegclass(value, io, out);
    case type_oid::kRegnamespace:
      return FormatRegnamespace(value, io, out);
    case type_oid::kRegtype: {
      const auto type = static_cast<Oid>(value.integer);
      const bool there =
          GetType(type).oid != type_oid::kInvalid || FindPostgresType(type) != nullptr;
      if (!there) return FormatUnknownOid(value, io, out);
      out = io.arena->Copy(FormatType({type, -1}));
      return out.data() == nullptr ? io.arena->OutOfMemory() : Status::Ok();
    }
    case type_oid::kInt2:
    case type_oid::kInt4:
    case type_oid::kInt8:
    case type_oid::kOid:
    case type_oid::kXid: {
      char* bytes = io.arena->AllocateBytes(kIntegerTextBytes);
      if (bytes == nullptr) return io.arena->OutOfMemory();
      const auto end = std::to_chars(bytes, bytes + kIntegerTextBytes, value.integer);
      out = {bytes, static_cast<size_t>(end.ptr - bytes)};
      return Status::Ok();
    }
    case type_oid::kFloat4:
    case type_oid::kFloat8: {
      char* bytes = io.arena->AllocateBytes(kRealTextBytes);
      if (bytes == nullptr) return io.arena->OutOfMemory();
      out = {bytes, FormatReal(value.real, oid == type_oid::kFloat4, bytes)};
      return Status::Ok();
    }
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz: {
      char* bytes = io.arena->AllocateBytes(kTimestampTextBytes);
      if (bytes == nullptr) return io.arena->OutOfMemory();
      const TimeZone* zone = nullptr;
      if (oid == type_oid::kTimestamptz) {
        zone = io.time_zone != nullptr ? io.time_zone : &TimeZone::Utc();
      }
      out = {bytes, FormatTimestamp(value.integer, zone, bytes)};
      return Status::Ok();
    }
    case type_oid::kDate: {
      char* bytes = io.arena->AllocateBytes(kTimestampTextBytes);
      if (bytes == nullptr) return io.arena->OutOfMemory();
      out = {bytes, FormatDate(value.integer, bytes)};
      return Status::Ok();
    }
    case type_oid::kTime: {
      char* bytes = io.arena->AllocateBytes(kTimestampTextBytes);
      if (bytes == nullptr) return io.arena->OutOfMemory();
      out = {bytes, FormatTime(value.integer, bytes)};
      return Status::Ok();
    }
    case type_oid::kInterval:
      out = io.arena->Copy(FormatInterval(ToInterval(value), io.interval_style));
      return out.data() == nullptr ? io.arena->OutOfMemory() : Status::Ok();
    case type_oid::kUuid:
      return FormatUuid(value.text(), *io.arena, out);
    case type_oid::kBytea:
      return FormatBytea(value.text(), *io.arena, out);
    case type_oid::kNumeric: {
      out = io.arena->Copy(FormatNumeric(value));
      return out.data() == nullptr ? io.arena->OutOfMemory() : Status::Ok();
    }
    case type_oid::kChar:
      out = CharToText(value.text(), *io.arena);
      return out.data() == nullptr ? io.arena->OutOfMemory() : Status::Ok();
    default:
      if (IsArray(oid)) return FormatArray(oid, value, io, out);
      out = value.text();
      // A null pointer would be taken for SQL NULL.
      if (out.data() == nullptr) out = "";
      return Status::Ok();
  }
}

Status FormatBinary(Oid oid, const Value& value, const IoContext& io, std::string_view& out) {
  switch (oid) {
    case type_oid::kBool:
      return SendBigEndian(static_cast<uint8_t>(value.integer != 0), io, out);
    case type_oid::kInt2:
      return SendBigEndian(static_cast<uint16_t>(value.integer), io, out);
    case type_oid::kInt4:
    case type_oid::kOid:
    case type_oid::kXid:
    case type_oid::kRegclass:
    case type_oid::kRegnamespace:
    case type_oid::kRegtype:
    case type_oid::kDate:
      return SendBigEndian(static_cast<uint32_t>(value.integer), io, out);
    case type_oid::kInt8:
    case type_oid::kTime:
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
      return SendBigEndian(static_cast<uint64_t>(value.integer), io, out);
    case type_oid::kInterval:
      return SendInterval(ToInterval(value), *io.arena, out);
    case type_oid::kFloat4:
      return SendBigEndian(std::bit_cast<uint32_t>(static_cast<float>(value.real)), io, out);
    case type_oid::kFloat8:
      return SendBigEndian(std::bit_cast<uint64_t>(value.real), io, out);
    case type_oid::kNumeric:
      return SendNumeric(value, *io.arena, out);
    case type_oid::kChar:
      out = value.length > 0 ? value.text() : std::string_view("\0", 1);
      return Status::Ok();
    case type_oid::kBytea:
    case type_oid::kUuid:
      out = value.text();
      if (out.data() == nullptr) out = "";
      return Status::Ok();
    case type_oid::kRegproc:
    case type_oid::kInet:
    case type_oid::kAclItem:
    case type_oid::kAclItemArray:
    case type_oid::kAnyArray:
      return Status::Error(
          sqlstate::kFeatureNotSupported,
          fmt::format("type {} in the binary format is not supported", FormatType({oid, -1})));
    default:
      if (IsArray(oid)) return SendArray(oid, value, io, out);
      return FormatText(oid, value, io, out);
  }
}

[[gnu::hot]] Status ToWire(Oid oid, const Value& value, WireFormat format, const IoContext& io,
                           WireValue& out) {
  if (value.null) {
    out = WireValue{};
    return Status::Ok();
  }
  std::string_view bytes;
  CONNBENCH_RETURN_IF_ERROR(format == WireFormat::kBinary ? FormatBinary(oid, value, io, bytes)
                                                          : FormatText(oid, value, io, bytes));
  out = {bytes.data(), static_cast<int32_t>(bytes.size())};
  return Status::Ok();
}

Status ApplyTypeModifier(Type type, bool explicit_cast, const IoContext& io, Value& value) {
  if (value.null || type.modifier < 0) return Status::Ok();
  switch (type.oid) {
    case type_oid::kBpchar:
    case type_oid::kVarchar:
      return ApplyLength(type, explicit_cast, io, value);
    case type_oid::kNumeric:
      return ApplyNumericModifier(type.modifier, *io.arena, value);
    case type_oid::kTime:
    case type_oid::kTimestamp:
    case type_oid::kTimestamptz:
      value.integer = RoundTimestamp(value.integer, type.modifier);
      return Status::Ok();
    case type_oid::kInterval: {
      Interval interval = ToInterval(value);
      CONNBENCH_RETURN_IF_ERROR(ApplyIntervalModifier(type.modifier, interval));
      return StoreInterval(interval, *io.arena, value);
    }
    default:
      return Status::Ok();
  }
}

}  // namespace connbench::engine
