// Comparisons for programs that read lines or XML: CSV, JUnit, annotations of a GitHub workflow.
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "base/printable.h"
#include "harness/answers/outputs.h"
#include "harness/answers/tables.h"
#include "harness/answers/text.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using stats::Verdict;
using stats::VerdictRow;
using stats::VerdictTable;

std::string Xml(std::string_view text) { return EscapeMarkup(Printable(text)); }

// The text of a workflow command, where a line end would begin the next one.
std::string Command(std::string_view text, bool property) {
  std::string out;
  for (const char c : Printable(text)) {
    if (c == '%') {
      out += "%25";
    } else if (property && c == ':') {
      out += "%3A";
    } else if (property && c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

bool IsJudged(const VerdictRow& row) {
  return !row.invalid.empty() || row.answer.verdict != Verdict::kDescribed;
}

std::string Annotation(std::string_view level, std::string_view title, std::string_view text) {
  return fmt::format("::{} title={}::{}\n", level, Command(title, true), Command(text, false));
}

}  // namespace

std::string FormatCsv(const VerdictTable& comparison) {
  std::string text =
      "cell,pattern,workload,connections,base,candidate,metric,unit,role,base_median,"
      "candidate_median,ratio,ratio_low,ratio_high,base_n,candidate_n,paired,margin,drift,verdict,"
      "p,smallest_effect,blocks_needed,reason\n";
  for (const VerdictRow& row : comparison.rows) {
    const stats::Answer& answer = row.answer;
    const auto of_ratio = [&](double stats::Interval::*end) {
      return answer.ratio ? CsvNumber((*answer.ratio).*end) : std::string();
    };
    const bool judged = row.question.gated && row.invalid.empty();
    text += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
        CsvText(row.cell), CsvText(row.pattern), CsvText(row.workload), row.connections,
        CsvText(row.base), CsvText(row.candidate), CsvText(row.metric), CsvText(row.unit),
        row.headline ? "headline" : (row.question.gated ? "gated" : "described"),
        CsvNumber(answer.base_median), CsvNumber(answer.candidate_median),
        of_ratio(&stats::Interval::estimate), of_ratio(&stats::Interval::low),
        of_ratio(&stats::Interval::high), row.question.base.size(), row.question.candidate.size(),
        row.question.paired ? "true" : "false", row.question.margin, row.question.drift,
        row.invalid.empty() ? stats::VerdictName(answer.verdict) : "INVALID",
        judged ? CsvNumber(answer.p) : "", CsvNumber(answer.smallest_effect),
        answer.blocks_needed ? std::to_string(*answer.blocks_needed) : "",
        CsvText(row.invalid.empty() ? answer.reason : row.invalid));
  }
  return text;
}

std::string FormatJunit(const VerdictTable& comparison) {
  const stats::VerdictCounts counts = stats::Count(comparison);
  std::string cases;
  for (const VerdictRow& row : comparison.rows) {
    if (!IsJudged(row)) continue;
    const std::string metric = row.metric.empty() ? "valid trials" : row.metric;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\"",
                         Xml(GroupTitle(comparison, row)), Xml(metric));
    const std::string words = Xml(stats::ChangeInWords(row));
    if (!row.invalid.empty()) {
      cases += fmt::format(">\n      <error message=\"INVALID: {}\"/>\n    </testcase>\n",
                           Xml(row.invalid));
    } else if (row.answer.verdict == Verdict::kWorse) {
      cases += fmt::format(">\n      <failure message=\"{}\"/>\n    </testcase>\n", words);
    } else if (row.answer.verdict == Verdict::kInconclusive ||
               row.answer.verdict == Verdict::kUnstable) {
      cases += fmt::format(">\n      <skipped message=\"{}: {}\"/>\n    </testcase>\n",
                           stats::VerdictName(row.answer.verdict), Xml(stats::WhatIsMissing(row)));
    } else {
      cases += "/>\n";
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
      "  <testsuite name=\"connbench {} against {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
      "skipped=\"{}\">\n{}    <system-out>{}</system-out>\n  </testsuite>\n</testsuites>\n",
      Xml(comparison.candidate.empty() ? "others" : comparison.candidate), Xml(comparison.base),
      counts.judged() + counts.invalid, counts.worse, counts.invalid,
      counts.inconclusive + counts.unstable, cases, Xml(stats::Conclusion(comparison)));
}

std::string FormatGithub(const VerdictTable& comparison) {
  std::string text = Annotation("notice", "connbench", stats::Conclusion(comparison));
  for (const VerdictRow& row : comparison.rows) {
    const std::string title = GroupTitle(comparison, row);
    if (!row.invalid.empty()) {
      text += Annotation("warning", title, "INVALID: " + row.invalid);
    } else if (row.answer.verdict == Verdict::kWorse) {
      text += Annotation("error", title, "worse: " + stats::ChangeInWords(row));
    } else if (row.answer.verdict == Verdict::kUnstable) {
      text += Annotation("warning", title,
                         fmt::format("unstable: {}: {}", row.label, stats::WhatIsMissing(row)));
    } else if (row.answer.verdict == Verdict::kBetter) {
      text += Annotation("notice", title, "better: " + stats::ChangeInWords(row));
    }
  }
  return text;
}

}  // namespace connbench::answers
