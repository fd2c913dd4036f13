// A comparison as text: which outputs there are.
#include "harness/answers/outputs.h"

#include <array>
#include <utility>

namespace connbench::answers {
namespace {

struct Output {
  std::string_view name;
  OutputFormat format;
  std::string (*print)(const stats::VerdictTable&);
};
constexpr std::array kOutputs = {
    Output{"plain", OutputFormat::kPlain, FormatPlain},
    Output{"markdown", OutputFormat::kMarkdown, FormatMarkdown},
    Output{"json", OutputFormat::kJson, FormatJson},
    Output{"junit", OutputFormat::kJunit, FormatJunit},
    Output{"csv", OutputFormat::kCsv, FormatCsv},
    Output{"github", OutputFormat::kGithub, FormatGithub},
    Output{"benchmark", OutputFormat::kBenchmark, FormatBenchmark},
};

}  // namespace

std::optional<OutputFormat> ParseOutputFormat(std::string_view name) {
  for (const Output& output : kOutputs) {
    if (output.name == name) return output.format;
  }
  return std::nullopt;
}

std::vector<std::string> OutputFormatNames() {
  std::vector<std::string> names;
  for (const Output& output : kOutputs) names.emplace_back(output.name);
  return names;
}

std::string FormatComparison(const stats::VerdictTable& comparison, OutputFormat format) {
  for (const Output& output : kOutputs) {
    if (output.format == format) return output.print(comparison);
  }
  return "";
}

}  // namespace connbench::answers
