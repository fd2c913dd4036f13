// How large a change must be to be worth a word.
#include "harness/answers/thresholds.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "base/near_names.h"
#include "base/read_file.h"
#include "results/schema.h"

namespace connbench::answers {
namespace {

constexpr double kMostPercent = 1'000;

std::string PlaceOf(const std::string& path, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", path, source.begin.line, source.begin.column);
}

Result<double> PercentOf(const toml::node& node, const std::string& path) {
  const auto text = node.value<std::string>();
  const auto number = node.value<double>();
  Result<double> share =
      text ? ParsePercent(*text) : ParsePercent(fmt::format("{}", number.value_or(-1)));
  if (share.ok()) return share;
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("{}: expected a percentage from 0 to {:.0f}, such as \"5%\"",
                                   PlaceOf(path, node.source()), kMostPercent));
}

}  // namespace

Status CheckComparedMetric(std::string_view metric) {
  const auto* field = results::FindField<results::TrialRow>(metric);
  const bool compared = field != nullptr && field->column.better() != results::Better::kNeither;
  if (compared) return Status::Ok();
  std::vector<std::string_view> known;
  for (const auto& each : results::Fields<results::TrialRow>()) {
    if (each.column.better() != results::Better::kNeither) known.push_back(each.column.name);
  }
  const std::string near =
      NearNames(metric, known).empty() ? "" : SuggestNames(metric, known) + " ";
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("\"{}\" is not a metric that can be compared", metric))
      .WithHint(near +
                "\"connbench list metrics\" shows the metrics and which direction is better.");
}

double Thresholds::MarginOf(std::string_view metric) const {
  const auto found = by_metric.find(metric);
  return found == by_metric.end() ? margin : found->second;
}

double Thresholds::FailedPercentBound() const {
  const auto found = by_metric.find(kFailedPercent);
  return 100 * (found == by_metric.end() ? kFailedShareBound : found->second);
}

Result<double> ParsePercent(std::string_view text) {
  const std::string_view given = text;
  if (text.ends_with('%')) text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double percent = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(percent) ||
      percent < 0 || percent > kMostPercent) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("\"{}\" is not a percentage from 0 to {:.0f}", given, kMostPercent));
  }
  return percent / 100;
}

Status SetThreshold(std::string_view text, Thresholds& thresholds) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    CONNBENCH_ASSIGN_OR_RETURN(thresholds.margin, ParsePercent(text));
    return Status::Ok();
  }
  const std::string_view metric = text.substr(0, equals);
  if (metric != kFailedPercent) CONNBENCH_RETURN_IF_ERROR(CheckComparedMetric(metric));
  CONNBENCH_ASSIGN_OR_RETURN(const double margin, ParsePercent(text.substr(equals + 1)));
  thresholds.by_metric[std::string(metric)] = margin;
  return Status::Ok();
}

Status ReadThresholds(const std::string& path, Thresholds& thresholds) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("thresholds file", path));
  toml::table root;
  try {
    root = toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{}: {}", PlaceOf(path, error.source()), error.description()));
  }
  for (const auto& [key, node] : root) {
    if (key.str() == "default") {
      CONNBENCH_ASSIGN_OR_RETURN(thresholds.margin, PercentOf(node, path));
    } else if (key.str() == "drift") {
      CONNBENCH_ASSIGN_OR_RETURN(thresholds.drift, PercentOf(node, path));
    } else if (key.str() == "metrics" && node.is_table()) {
      for (const auto& [metric, margin] : *node.as_table()) {
        const Status known =
            metric == kFailedPercent ? Status::Ok() : CheckComparedMetric(metric.str());
        if (!known.ok()) {
          return Status::Error(known.code(), fmt::format("{}: {}", PlaceOf(path, margin.source()),
                                                         known.error().message))
              .WithHint(known.error().hint);
        }
        CONNBENCH_ASSIGN_OR_RETURN(thresholds.by_metric[std::string(metric.str())],
                                   PercentOf(margin, path));
      }
    } else {
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("{}: unknown key \"{}\"; there are default, drift and [metrics]",
                      PlaceOf(path, node.source()), key.str()));
    }
  }
  return Status::Ok();
}

}  // namespace connbench::answers
