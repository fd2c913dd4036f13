// A comparison as text: for a terminal, a pull request, a test report, a spreadsheet, a program.
//
//   plain      sentences and a table within 100 columns
//   markdown   sentences, what changed, the rest folded; never over 60,000 characters
//   json       everything, as comparison.schema.json beside this file describes
//   junit      one test case for each judged row
//   csv        one line for each row
//   github     annotations of a workflow run
//   benchmark  Google Benchmark's JSON: "compare.py filters FILE base/ candidate/"
//
// Names come from files that somebody else may have written. Each output makes them harmless in its
// own way: control characters are shown, not sent; markup, quotes and formulas are escaped.
// Safety: pure functions; any thread. Errors: none.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/stats/verdict_row.h"

namespace connbench::answers {

inline constexpr size_t kTableColumns = 100;
// A comment on GitHub may have 65,536 characters.
inline constexpr size_t kMaxMarkdown = 60'000;
inline constexpr int kComparisonSchemaVersion = 1;

enum class OutputFormat : uint8_t { kPlain, kMarkdown, kJson, kJunit, kCsv, kGithub, kBenchmark };
std::optional<OutputFormat> ParseOutputFormat(std::string_view name);
std::vector<std::string> OutputFormatNames();

// Ends with a line end.
std::string FormatComparison(const stats::VerdictTable& comparison, OutputFormat format);

// The parts, one for each format.
std::string FormatPlain(const stats::VerdictTable& comparison);
std::string FormatMarkdown(const stats::VerdictTable& comparison);
std::string FormatJson(const stats::VerdictTable& comparison);
std::string FormatJunit(const stats::VerdictTable& comparison);
std::string FormatCsv(const stats::VerdictTable& comparison);
std::string FormatGithub(const stats::VerdictTable& comparison);
std::string FormatBenchmark(const stats::VerdictTable& comparison);

}  // namespace connbench::answers
