// What expressions may ask of the session they run in: clocks, names, settings, sequences, waiting.
//
// Implemented by the session; tests have a small one of their own. The defaults answer 0A000, so
// that an implementation offers just what it has.
//
// Safety: private memory of the session, used by the thread that runs it.
// Blocking: only Sleep(), and what sequences do.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/interrupts.h"
#include "engine/executor/types/time_zone.h"
#include "engine/executor/types/type_io.h"
#include "engine/session.h"

namespace connbench::engine {

// What is told of an object by its oid.
enum class CatalogText : uint8_t {
  kRoleName,                  // "unknown (OID=7)" if there is none
  kIndexDefinition,           // CREATE INDEX ..., the table's name without a schema
  kQualifiedIndexDefinition,  // with the schema
  kConstraintDefinition,      // "PRIMARY KEY (id)"
  kViewDefinition,            // "SELECT ...;"
  kPrettyViewDefinition,      // with fewer parentheses
  kRuleDefinition,            // of a view's rule: "CREATE RULE ..."
};

// What of a relation takes room on disk.
enum class RelationPart : uint8_t { kTable, kIndexes, kAll };

class EvalEnvironment : public Interrupts, public RelationNames {
 public:
  // Microseconds since 2000-01-01 UTC.
  virtual int64_t TransactionTimestamp() const = 0;
  virtual int64_t StatementTimestamp() const = 0;
  virtual const TimeZone& time_zone() const { return TimeZone::Utc(); }
  virtual IntervalStyle interval_style() const { return IntervalStyle::kPostgres; }
  // How values are read and written here; results live in the arena.
  IoContext io(Arena& arena) {
    return {&arena, &time_zone(), TransactionTimestamp(), this, interval_style()};
  }

  virtual std::string_view user() const = 0;
  virtual std::string_view database() const = 0;
  virtual std::string_view schema() const { return "public"; }
  virtual std::string_view version() const = 0;  // what version() answers
  virtual uint32_t connection_id() const = 0;    // what pg_backend_pid() answers

  // A pending cancel, timeout or termination as a Status. For loops over rows: cheaper than
  // PollInterrupts(), since it looks at the clock once in some hundred calls.
  virtual Status CheckInterrupts() { return Status::Ok(); }
  // Sleeps through the session's Waiter; ends early with the Status of an interrupt.
  virtual Status Sleep(int64_t microseconds);

  // [0, 1)
  virtual double Random() = 0;
  virtual void SetRandomSeed(double seed) = 0;  // -1 .. 1

  // sequence: as SQL writes a name, "schema"."name"
  virtual Result<int64_t> NextSequenceValue(std::string_view sequence);
  virtual Result<int64_t> NextIdentityValue(Oid sequence);  // for the default of an identity column
  virtual Result<int64_t> CurrentSequenceValue(std::string_view sequence);
  virtual Result<int64_t> LastSequenceValue();
  virtual Status SetSequenceValue(std::string_view sequence, int64_t value, bool is_called);

  // The name of the sequence that the column owns, copied into arena; null data if it owns none.
  virtual Result<std::string_view> SerialSequence(std::string_view table, std::string_view column,
                                                  Arena& arena);

  // The text, copied into arena; null data if there is no such object.
  virtual Result<std::string_view> DescribeObject(CatalogText what, Oid object, Arena& arena);
  // The name of an index's column, from 1; null data if there is none.
  virtual Result<std::string_view> IndexColumn(Oid index, int column, Arena& arena);
  // Whether the relation is found by its bare name; none: there is no such relation.
  virtual Result<std::optional<bool>> RelationIsVisible(Oid relation);
  // None: there is no such relation.
  virtual Result<std::optional<int64_t>> RelationBytes(Oid relation, RelationPart part);

  // The setting's value, copied into arena. Unknown: null data if missing_ok, otherwise 42704.
  virtual Result<std::string_view> CurrentSetting(std::string_view name, bool missing_ok,
                                                  Arena& arena);
  virtual Status SetSetting(std::string_view name, std::string_view value, bool local);

  // False: no such backend.
  virtual Result<bool> CancelBackend(int32_t connection_id);
  virtual Result<bool> TerminateBackend(int32_t connection_id);
  // The id of the current transaction, which gets one if it has none.
  virtual Result<int64_t> TransactionId();
};

}  // namespace connbench::engine
