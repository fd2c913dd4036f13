// Values to and from the wire: PostgreSQL's text and binary forms, its messages and SQLSTATEs.
//
// Safety: pure functions on private memory; any thread.
// Ownership: a parsed value may point into the text it came from or into the arena; a formatted one
// into the value's own bytes or into the arena. Both must outlive the result.
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/time_zone.h"
#include "engine/executor/types/type.h"
#include "engine/executor/value.h"
#include "engine/session.h"

namespace connbench::engine {

// The schemas, under PostgreSQL's oids: all that there are.
struct Schema {
  Oid oid;
  std::string_view name;
};
inline constexpr Schema kSchemas[] = {{11, "pg_catalog"}, {2200, "public"}};

// What regclass values ask of the session.
class RelationNames {
 public:
  virtual ~RelationNames() = default;
  // The relation that a text names, as SQL writes names. 42P01; 42602 and others for a bad name.
  virtual Result<Oid> FindRelation(std::string_view text);
  // The name of a relation as this session would write it, in the arena; null data: there is none.
  virtual Result<std::string_view> RelationName(Oid relation, Arena& arena);
};

// What reading and writing values depends on beside the value.
struct IoContext {
  Arena* arena = nullptr;
  const TimeZone* time_zone = nullptr;  // null: UTC
  int64_t now = 0;  // the transaction's start, microseconds since 2000, for 'now' and 'today'
  RelationNames* relations = nullptr;  // null: regclass is a number
  IntervalStyle interval_style = IntervalStyle::kPostgres;
};

// 22021 unless text is valid UTF-8 without zero bytes.
Status ValidateUtf8(std::string_view text);

// The type's input function. The modifier is applied as for INSERT and COPY: char(n) and varchar(n)
// drop surplus blanks, and fail (22001) when anything else is surplus; numeric and timestamp round.
// Does not validate UTF-8: whoever took the bytes from outside has done so.
Status ParseText(Type type, std::string_view text, const IoContext& io, Value& out);
// The type's receive function: 22P03 for a wrong length, 22021 for invalid UTF-8.
Status ParseBinary(Type type, std::string_view bytes, const IoContext& io, Value& out);
// Either of the two, for a Bind parameter, null included; validates UTF-8.
Status FromWire(Type type, const WireValue& wire, WireFormat format, const IoContext& io,
                Value& out);

// The type's output function; the value is not null.
Status FormatText(Oid oid, const Value& value, const IoContext& io, std::string_view& out);
// The type's send function; the value is not null.
Status FormatBinary(Oid oid, const Value& value, const IoContext& io, std::string_view& out);
// Either of the two, for DataRow, null included.
Status ToWire(Oid oid, const Value& value, WireFormat format, const IoContext& io, WireValue& out);

// Makes a value that already has type.oid fit type.modifier (char(n), varchar(n), numeric(p, s),
// timestamp(p)); null passes. explicit_cast cuts silently, otherwise 22001 as for assignment.
Status ApplyTypeModifier(Type type, bool explicit_cast, const IoContext& io, Value& value);

}  // namespace connbench::engine
