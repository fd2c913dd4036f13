// The schema of a run's files.
#include "results/schema.h"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>

#include "results/metrics.h"

namespace connbench::results {
namespace {

constexpr ColumnType TypeOf(const Text*) { return ColumnType::kText; }
constexpr ColumnType TypeOf(const Integer*) { return ColumnType::kInteger; }
constexpr ColumnType TypeOf(const Real*) { return ColumnType::kReal; }

std::string_view TypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return "text";
    case ColumnType::kInteger:
      return "integer";
    case ColumnType::kReal:
      return "number";
  }
  return "";
}

std::string_view RoleName(ColumnRole role) {
  switch (role) {
    case ColumnRole::kAxis:
      return "axis";
    case ColumnRole::kFact:
      return "fact";
    case ColumnRole::kHigher:
      return "higher is better";
    case ColumnRole::kLower:
      return "lower is better";
  }
  return "";
}

// Up to six digits after the point, without trailing zeros: "0.9999", "12.5", "3".
std::string PrintReal(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  std::string text = fmt::format("{:.6f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

const std::string& PrintCell(const Text& value) { return value; }
std::string PrintCell(Integer value) { return std::to_string(value); }
std::string PrintCell(Real value) { return PrintReal(value); }
template <typename T>
std::string PrintCell(const std::optional<T>& value) {
  return value ? PrintCell(*value) : std::string();
}

// One entry per type of a run.json field: its JSON Schema.
std::string_view JsonSchemaOf(const Text*) { return R"("type": "string")"; }
std::string_view JsonSchemaOf(const Integer*) { return R"("type": "integer")"; }
std::string_view JsonSchemaOf(const Real*) { return R"("type": "number")"; }
std::string_view JsonSchemaOf(const Boolean*) { return R"("type": "boolean")"; }
std::string_view JsonSchemaOf(const TextList*) {
  return R"("type": "array", "items": {"type": "string"})";
}
std::string_view JsonSchemaOf(const TextMap*) {
  return R"("type": "object", "additionalProperties": {"type": "string"})";
}

std::string_view FieldTypeName(const Text*) { return "text"; }
std::string_view FieldTypeName(const Integer*) { return "integer"; }
std::string_view FieldTypeName(const Real*) { return "number"; }
std::string_view FieldTypeName(const Boolean*) { return "true or false"; }
std::string_view FieldTypeName(const TextList*) { return "list of texts"; }
std::string_view FieldTypeName(const TextMap*) { return "object of texts"; }

}  // namespace

template <typename Row>
std::optional<double> Field<Row>::Measured(const Row& row) const {
  return std::visit(
      [&](auto pointer) -> std::optional<double> {
        const auto& value = row.*pointer;
        using T = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Text>) {
          return std::nullopt;
        } else if constexpr (std::is_arithmetic_v<T>) {
          return static_cast<double>(value);
        } else {
          return value ? std::optional<double>(static_cast<double>(*value)) : std::nullopt;
        }
      },
      member);
}

template <typename Row>
std::string Field<Row>::Print(const Row& row) const {
  return std::visit([&](auto pointer) -> std::string { return PrintCell(row.*pointer); }, member);
}

#define CONNBENCH_COLUMN(type, name, role, label, unit, help)                            \
  {{#name, TypeOf(static_cast<type*>(nullptr)), ColumnRole::k##role, label, unit, help}, \
   &RowType::name},

#define CONNBENCH_DEFINE_FILE(Row, file)      \
  template <>                                 \
  std::string_view FileName<Row>() {          \
    return file;                              \
  }                                           \
  template <>                                 \
  std::span<const Field<Row>> Fields<Row>() { \
    return Table(static_cast<Row*>(nullptr)); \
  }                                           \
  template struct Field<Row>;

#define CONNBENCH_BEGIN_TABLE(Row)                \
  std::span<const Field<Row>> Table(const Row*) { \
    using RowType = Row;                          \
    static const std::vector<Field<Row>> fields = {
#define CONNBENCH_END_TABLE() \
  }                           \
  ;                           \
  return fields;              \
  }

namespace {
// clang-format off
CONNBENCH_BEGIN_TABLE(TrialRow)
#include "results/trials.def"
CONNBENCH_END_TABLE()
CONNBENCH_BEGIN_TABLE(LatencyRow)
#include "results/latency.def"
CONNBENCH_END_TABLE()
CONNBENCH_BEGIN_TABLE(PhaseRow)
#include "results/phases.def"
CONNBENCH_END_TABLE()
CONNBENCH_BEGIN_TABLE(TimeseriesRow)
#include "results/timeseries.def"
CONNBENCH_END_TABLE()
CONNBENCH_BEGIN_TABLE(MemoryRow)
#include "results/memory.def"
CONNBENCH_END_TABLE()
CONNBENCH_BEGIN_TABLE(ErrorRow)
#include "results/errors.def"
CONNBENCH_END_TABLE()
// clang-format on
}  // namespace

CONNBENCH_DEFINE_FILE(TrialRow, "trials.csv")
CONNBENCH_DEFINE_FILE(LatencyRow, "latency.csv")
CONNBENCH_DEFINE_FILE(PhaseRow, "phases.csv")
CONNBENCH_DEFINE_FILE(TimeseriesRow, "timeseries.csv")
CONNBENCH_DEFINE_FILE(MemoryRow, "memory.csv")
CONNBENCH_DEFINE_FILE(ErrorRow, "errors.csv")

#undef CONNBENCH_COLUMN

namespace {

template <typename Row>
FileDescription Describe(std::string_view about) {
  FileDescription file{FileName<Row>(), about, {}};
  for (const Field<Row>& field : Fields<Row>()) file.columns.push_back(field.column);
  return file;
}

}  // namespace

std::vector<FileDescription> DescribeFiles() {
  return {
      Describe<TrialRow>(
          "One row per trial, INVALID ones included. The file is the commit record of a run: a\n"
          "trial's rows in the other files are written before its row here, and rows of a trial\n"
          "that has no row here are ignored."),
      Describe<LatencyRow>("Each trial's distributions as a ladder of percentiles, fine enough to "
                           "redraw the curve."),
      Describe<PhaseRow>("Where a connect spent its time. The joined phases follow one another "
                         "without gap\nor overlap, so that they stack."),
      Describe<TimeseriesRow>("Each trial in slices of 100 ms."),
      Describe<MemoryRow>("The server's memory at the quiet moments of each trial."),
      Describe<ErrorRow>(
          "How every attempt ended, counted. An outcome that did not occur has no row."),
  };
}

namespace {

// What each pattern's metrics are for.
std::string MetricsMarkdown() {
  std::string text =
      "\n## What each metric is for\n\n"
      "A *headline* metric answers the question that a pattern asks. *Gated* ones are judged "
      "beside\n"
      "it when builds are compared; all others are *described*: shown, never judged. A metric is "
      "a\n"
      "column of `trials.csv`.\n\n"
      "| pattern | headline | gated | described |\n|---|---|---|---|\n";
  for (const std::string_view pattern : MetricPatterns()) {
    text += fmt::format("| {} |", pattern);
    for (const MetricRole role :
         {MetricRole::kHeadline, MetricRole::kGated, MetricRole::kDescribed}) {
      std::string names;
      for (const std::string_view metric : MetricsWith(pattern, role)) {
        if (RoleOf(pattern, metric) != role) continue;
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", metric);
      }
      text += fmt::format(" {} |", names);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string ContenderOf(std::string_view target, std::string_view model) {
  if (model.empty()) return std::string(target);
  return target == "builtin" ? std::string(model) : fmt::format("{}+{}", target, model);
}

std::string SchemaMarkdown() {
  std::string text = fmt::format(
      "# The files of a run, schema version {}\n\n"
      "Made from the tables `results/*.def`; a test keeps this page equal to them. Every CSV file\n"
      "has a header line, fixed columns, commas, and quotes as in RFC 4180. Columns may be added; "
      "a\n"
      "file that lacks one reads as empty there. A change of their meaning raises the schema "
      "version\n"
      "in `run.json`.\n\n"
      "**An empty number** was not measured in that trial, or its sample cannot carry it; it is\n"
      "never 0. Version 1 had 0 in such cells; its files are read with these made empty.\n\n"
      "`docs/method.md` says how each figure is measured.\n",
      kSchemaVersion);
  for (const FileDescription& file : DescribeFiles()) {
    text += fmt::format(
        "\n## {}\n\n{}\n\n| column | type | unit | role | meaning |\n|---|---|---|---|---|\n",
        file.name, file.about);
    for (const Column& column : file.columns) {
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", column.name, TypeName(column.type),
                          column.unit, RoleName(column.role), column.help);
    }
  }
  text += MetricsMarkdown();
  text +=
      "\n## run.json\n\nEverything about the run that is not a measurement. Its JSON Schema is\n"
      "`results/run.schema.json`; every run's folder has a copy.\n\n"
      "| field | type | meaning |\n|---|---|---|\n";
#define CONNBENCH_FIELD(type, name, help)                  \
  text += fmt::format("| `" #name "` | {} | " help " |\n", \
                      FieldTypeName(static_cast<type*>(nullptr)));
#include "results/run.def"
#undef CONNBENCH_FIELD
  return text;
}

std::string RunJsonSchema() {
  std::string properties;
  std::string required;
#define CONNBENCH_FIELD(type, name, help)                                                      \
  properties +=                                                                                \
      fmt::format("{}    \"" #name "\": {{{}, \"description\": \"" help "\"}}",                \
                  properties.empty() ? "" : ",\n", JsonSchemaOf(static_cast<type*>(nullptr))); \
  required += fmt::format("{}\"" #name "\"", required.empty() ? "" : ", ");
#include "results/run.def"
#undef CONNBENCH_FIELD
  return fmt::format(
      "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
      "  \"title\": \"connbench run.json, schema version {}\",\n"
      "  \"type\": \"object\",\n  \"additionalProperties\": false,\n  \"properties\": {{\n{}\n  "
      "}},\n"
      "  \"required\": [{}]\n}}\n",
      kSchemaVersion, properties, required);
}

}  // namespace connbench::results
