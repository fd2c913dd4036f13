// A run as charts see it: experiments, each one workload with all that was varied, and what is
// asked of a picture.
//
// Safety: plain values and pure functions; any thread. An experiment points into its run, which
// must outlive it. There are no errors.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plots/axes.h"
#include "plots/chart.h"
#include "plots/charts.h"
#include "results/reader.h"

namespace connbench::plots {

struct Trial {
  const results::TrialRow* row;
  AxisValues axes;  // connections included
};

struct Experiment {
  std::string workload;
  std::string pattern;
  std::string protocol;
  // For charts' names: workload, protocol where there are several, axes that others lack.
  std::string id;
  std::vector<Trial> trials;            // valid ones
  std::vector<std::string> contenders;  // all, sorted; also those without a valid trial
  std::vector<std::string> swept;       // axes with several values, connections first
  const results::Run* run = nullptr;
  ChartRequest request;

  const Trial* TrialOf(int64_t number) const;  // null if it is not valid, or of another experiment
  std::vector<std::string> ValuesOf(const std::string& axis) const;  // ordered by what they mean
  // Whether all values of the axis are numbers, so that it can be an axis of a chart.
  bool IsNumeric(const std::string& axis) const;
  // The experiment at the largest connection count only.
  Experiment AtMostConnections() const;
};

// In the order of results/metrics.def's patterns, then by workload.
std::vector<Experiment> ExperimentsOf(const results::Run& run, const ChartRequest& request);

// What a series or row is called: its contender, and the values of the swept axes but x.
std::string LabelOf(const Experiment& experiment, const Trial& trial, std::string_view x = "");

// The trials by label, in the labels' order.
std::map<std::string, std::vector<const Trial*>> ByLabel(const Experiment& experiment,
                                                         std::string_view x = "");

using Figure = std::function<std::optional<double>(const results::TrialRow&)>;

// The middle of the repetitions with its interval, where they carry one.
Point PointOf(double x, std::vector<double> repetitions);
std::vector<double> Measured(const std::vector<const Trial*>& trials, const Figure& figure);

double MedianOf(std::vector<double> values);

// A chart's name as the name of a file.
std::string FileNameOf(std::string name);

// A chart of this experiment: name, pattern, workload, conditions and source.
Chart ChartFor(const Experiment& experiment, std::string_view topic);
// Notes which contenders the chart does not show; why: "their processes cannot be seen".
void NoteMissing(const Experiment& experiment, Chart& chart, std::string_view why);
// Rows by value, the best first.
void SortRows(Chart& chart);
// Rows and lines by a logarithmic axis where the values span more than a linear one can show.
bool SpansDecades(const Chart& chart);

// "run NAME, DATE; connbench VERSION (COMMIT); 2 CPUs: MODEL, KERNEL".
std::string SourceOf(const results::Run& run);

}  // namespace connbench::plots
