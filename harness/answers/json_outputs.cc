// Comparisons as JSON: our own, and Google Benchmark's.
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <string>

#include "base/printable.h"
#include "harness/answers/json_values.h"
#include "harness/answers/outputs.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;
using stats::VerdictRow;
using stats::VerdictTable;

constexpr unsigned kIndent = 1;

Array::Ptr Numbers(const std::vector<double>& values) {
  Array::Ptr array = new Array;
  for (const double value : values) array->add(Number(value));
  return array;
}

std::string_view KindName(stats::ComparisonKind kind) {
  switch (kind) {
    case stats::ComparisonKind::kRuns:
      return "runs";
    case stats::ComparisonKind::kAxis:
      return "axis";
    case stats::ComparisonKind::kHalves:
      return "halves";
    case stats::ComparisonKind::kGate:
      return "gate";
  }
  return "";
}

Object::Ptr RowObject(const VerdictRow& row) {
  const stats::Answer& answer = row.answer;
  Object::Ptr object = MakeObject();
  object->set("cell", Printable(row.cell));
  object->set("pattern", Printable(row.pattern));
  object->set("workload", Printable(row.workload));
  object->set("connections", row.connections);
  object->set("base", Printable(row.base));
  object->set("candidate", Printable(row.candidate));
  object->set("metric", row.metric);
  object->set("unit", row.unit);
  object->set("better",
              row.question.direction == stats::Direction::kHigherIsBetter ? "higher" : "lower");
  object->set("headline", row.headline);
  object->set("gated", row.question.gated);
  object->set("paired", row.question.paired);
  object->set("margin", row.question.margin);
  object->set("drift", row.question.drift);
  object->set("base_values", Numbers(row.question.base));
  object->set("candidate_values", Numbers(row.question.candidate));
  object->set("base_median", Number(answer.base_median));
  object->set("candidate_median", Number(answer.candidate_median));
  const auto end = [&](double stats::Interval::*which) {
    return answer.ratio ? Number((*answer.ratio).*which) : Poco::Dynamic::Var();
  };
  object->set("ratio", end(&stats::Interval::estimate));
  object->set("ratio_low", end(&stats::Interval::low));
  object->set("ratio_high", end(&stats::Interval::high));
  object->set("verdict",
              row.invalid.empty() ? std::string(stats::VerdictName(answer.verdict)) : "INVALID");
  object->set("p",
              row.question.gated && row.invalid.empty() ? Number(answer.p) : Poco::Dynamic::Var());
  object->set("smallest_effect", Number(answer.smallest_effect));
  object->set("blocks_needed", answer.blocks_needed
                                   ? Poco::Dynamic::Var(static_cast<int64_t>(*answer.blocks_needed))
                                   : Poco::Dynamic::Var());
  object->set("reason", Printable(row.invalid.empty() ? answer.reason : row.invalid));
  return object;
}

std::string Print(const Object::Ptr& object) {
  std::ostringstream out;
  object->stringify(out, kIndent);
  return out.str() + "\n";
}

void AddBenchmarks(const VerdictRow& row, std::string_view side, const std::vector<double>& values,
                   const VerdictTable& comparison, Array& benchmarks) {
  // The names of both sides differ in their first word alone: compare.py's filters take it away.
  const bool by_row = comparison.kind == stats::ComparisonKind::kAxis;
  const std::string name = Printable(
      fmt::format("{}/{}{}/{}", side, row.cell, by_row ? "/" + row.candidate : "", row.metric));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    Object::Ptr object = MakeObject();
    object->set("name", name);
    object->set("run_name", name);
    object->set("run_type", "iteration");
    object->set("repetitions", static_cast<int64_t>(values.size()));
    object->set("repetition_index", static_cast<int64_t>(i));
    object->set("threads", 1);
    object->set("iterations", 1);
    object->set("real_time", values[i]);
    object->set("cpu_time", values[i]);
    // compare.py knows units of time only; the metric's name has the real one.
    object->set("time_unit", row.unit == "ms" || row.unit == "s" ? row.unit : "us");
    benchmarks.add(object);
  }
}

}  // namespace

std::string FormatJson(const VerdictTable& comparison) {
  const stats::VerdictCounts counts = stats::Count(comparison);
  Object::Ptr root = MakeObject();
  root->set("schema_version", kComparisonSchemaVersion);
  root->set("kind", std::string(KindName(comparison.kind)));
  root->set("base", Printable(comparison.base));
  root->set("candidate", Printable(comparison.candidate));
  root->set("conclusion", Printable(stats::Conclusion(comparison)));
  root->set("sentences", Texts(stats::HeadlineSentences(comparison)));
  root->set("notes", Texts(comparison.notes));
  Object::Ptr count = MakeObject();
  const auto set = [&](const char* name, size_t value) {
    count->set(name, static_cast<int64_t>(value));
  };
  set("better", counts.better);
  set("worse", counts.worse);
  set("same", counts.same);
  set("unstable", counts.unstable);
  set("inconclusive", counts.inconclusive);
  set("described", counts.described);
  set("invalid", counts.invalid);
  root->set("counts", count);
  root->set("repetitions_needed", static_cast<int64_t>(comparison.repetitions_needed));
  Array::Ptr rows = new Array;
  for (const VerdictRow& row : comparison.rows) rows->add(RowObject(row));
  root->set("rows", rows);
  return Print(root);
}

std::string FormatBenchmark(const VerdictTable& comparison) {
  Object::Ptr root = MakeObject();
  Object::Ptr context = MakeObject();
  context->set("executable", "connbench");
  context->set("base", Printable(comparison.base));
  context->set("candidate", Printable(comparison.candidate));
  root->set("context", context);
  Array::Ptr benchmarks = new Array;
  for (const VerdictRow& row : comparison.rows) {
    AddBenchmarks(row, "base", row.question.base, comparison, *benchmarks);
    AddBenchmarks(row, "candidate", row.question.candidate, comparison, *benchmarks);
  }
  root->set("benchmarks", benchmarks);
  return Print(root);
}

}  // namespace connbench::answers
