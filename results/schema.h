// The schema of a run's files. Each file has one table (trials.def, latency.def, ...) with one row
// per column; the row structs below, the CSV header, writer, reader, `list metrics` and
// docs/csv-schema.md all come from it, so that a metric is added by one row.
//
// Rules: columns are fixed; names carry their unit. A number that was not measured, or that the
// sample cannot carry, is an empty cell, never 0; axes are always filled. Columns may be added but
// neither moved nor removed, and a change of meaning raises kSchemaVersion. Files of version 1 had
// 0 in place of empty cells; version1.h says how they are read.
//
// Safety: plain values and immutable tables; any thread of any process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace connbench::results {

inline constexpr int64_t kSchemaVersion = 2;
inline constexpr int64_t kOldestSchemaVersion = 1;  // that is still read

// The types a column or field can have, named as in the tables.
using Text = std::string;
using Integer = int64_t;
using Real = double;
using Boolean = bool;
using TextList = std::vector<std::string>;
using TextMap = std::vector<std::pair<std::string, std::string>>;  // in insertion order

enum class ColumnType : uint8_t { kText, kInteger, kReal };

// What a column is for: an axis says where a value belongs, a fact is shown but not judged, the
// others are metrics with a better direction.
enum class ColumnRole : uint8_t { kAxis, kFact, kHigher, kLower };
enum class Better : uint8_t { kNeither, kHigher, kLower };

struct Column {
  std::string_view name;
  ColumnType type;
  ColumnRole role;
  std::string_view label;  // short, for tables and charts
  std::string_view unit;   // "" for counts and shares
  std::string_view help;

  bool is_axis() const { return role == ColumnRole::kAxis; }
  Better better() const {
    if (role == ColumnRole::kHigher) return Better::kHigher;
    return role == ColumnRole::kLower ? Better::kLower : Better::kNeither;
  }
};

// What a row holds of a column: a number that is no axis may be lacking.
template <typename T, ColumnRole role>
using Cell =
    std::conditional_t<role == ColumnRole::kAxis || std::is_same_v<T, Text>, T, std::optional<T>>;

#define CONNBENCH_COLUMN(type, name, role, label, unit, help) \
  Cell<type, ColumnRole::k##role> name = {};
struct TrialRow {
#include "results/trials.def"
};
struct LatencyRow {
#include "results/latency.def"
};
struct PhaseRow {
#include "results/phases.def"
};
struct TimeseriesRow {
#include "results/timeseries.def"
};
struct MemoryRow {
#include "results/memory.def"
};
struct ErrorRow {
#include "results/errors.def"
};
#undef CONNBENCH_COLUMN

// run.json.
struct RunInfo {
#define CONNBENCH_FIELD(type, name, help) type name = {};
#include "results/run.def"
#undef CONNBENCH_FIELD
};

inline constexpr std::string_view kTrialOk = "OK";
inline constexpr std::string_view kTrialInvalid = "INVALID";
inline constexpr std::string_view kTrialInterrupted = "INTERRUPTED";

// A column together with the struct member that holds it.
template <typename Row>
struct Field {
  Column column;
  std::variant<Text Row::*, Integer Row::*, Real Row::*, std::optional<Integer> Row::*,
               std::optional<Real> Row::*>
      member;

  // The value as a number; none for a text, and for what was not measured.
  std::optional<double> Measured(const Row& row) const;
  // The value as it stands in the CSV, unquoted: empty for what was not measured. Not finite: "nan"
  // or "inf", which no writer emits.
  std::string Print(const Row& row) const;
};

// The columns of a file in their order. Defined for the six row types.
template <typename Row>
std::span<const Field<Row>> Fields();
// Name of the file that holds such rows, "trials.csv".
template <typename Row>
std::string_view FileName();

// The field of that name, or null.
template <typename Row>
const Field<Row>* FindField(std::string_view name) {
  for (const Field<Row>& field : Fields<Row>()) {
    if (field.column.name == name) return &field;
  }
  return nullptr;
}

// Copies the columns that all files share (keys.def).
template <typename Row>
void CopyKeys(const TrialRow& from, Row& to) {
#define CONNBENCH_COLUMN(type, name, ...) to.name = from.name;
#include "results/keys.def"
#undef CONNBENCH_COLUMN
}

// Who served, in one word: the model, or the target with the model behind it: "thread-pool",
// "postgres", "pgbouncer+fork".
std::string ContenderOf(std::string_view target, std::string_view model);

// A file as the documentation sees it.
struct FileDescription {
  std::string_view name;
  std::string_view about;
  std::vector<Column> columns;
};
std::vector<FileDescription> DescribeFiles();

// docs/csv-schema.md and results/run.schema.json, whole; a test keeps the committed files equal.
std::string SchemaMarkdown();
std::string RunJsonSchema();

}  // namespace connbench::results
