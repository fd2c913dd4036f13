#include "plots/memory_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

// What a connection is made of, in the order in which the parts are stacked.
struct Part {
  const char* label;
  double TrialRow::*metric;
};
constexpr Part kParts[] = {
    {"private memory", &TrialRow::private_kb_per_connection},
    {"page tables", &TrialRow::page_tables_kb_per_connection},
    {"kernel stacks", &TrialRow::kernel_stack_kb_per_connection},
    {"slab", &TrialRow::slab_unreclaimable_kb_per_connection},
    {"socket buffers", &TrialRow::socket_kb_per_connection},
};

// What the connections had done when their memory was read: one workload, and one value of what it
// varies.
struct State {
  std::string workload;
  std::string parameters;
  std::string label;

  bool Has(const TrialRow& row) const {
    return row.status == results::kTrialOk && row.workload == workload &&
           row.parameters == parameters;
  }
};

constexpr std::string_view kPrefix = "memory-";

// Short, to stand below a narrow bar; the subtitle says what they mean.
std::string LabelOf(const TrialRow& row) {
  if (!row.workload.starts_with(kPrefix)) return row.workload;
  if (row.workload == "memory-connected") return "new";
  const size_t equals = row.parameters.find('=');
  if (equals != std::string::npos) return row.parameters.substr(equals + 1) + " %";
  return row.workload.substr(kPrefix.size());
}

// The workloads made for it, in the order of their names, which is that of a session's life;
// otherwise the best of the others.
std::vector<State> StatesOf(const Run& run) {
  std::vector<State> states;
  const auto add = [&](const TrialRow& row) {
    const auto is_known = [&](const State& state) { return state.Has(row); };
    if (row.status == results::kTrialOk && std::none_of(states.begin(), states.end(), is_known)) {
      states.push_back({row.workload, row.parameters, LabelOf(row)});
    }
  };
  for (const TrialRow& row : run.trials) {
    if (row.workload.starts_with(kPrefix)) add(row);
  }
  if (states.empty()) {
    const std::string workload =
        ChooseWorkload(run, {"idle", "steady"}, &TrialRow::rss_kb_per_connection);
    for (const TrialRow& row : run.trials) {
      if (row.workload == workload && states.empty()) add(row);
    }
  }
  std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return std::tuple(a.workload, a.parameters.size(), a.parameters) <
           std::tuple(b.workload, b.parameters.size(), b.parameters);
  });
  return states;
}

// States stand side by side within a series, so that what they vary is not in its name.
std::set<std::string> NamesOf(const Run& run) {
  std::set<std::string> names;
  for (const TrialRow& row : run.trials) names.insert(SeriesNameWithoutParameters(row));
  return names;
}

// Over the repetitions at the largest connection count.
std::optional<double> Median(const Run& run, const State& state, std::string_view series,
                             double TrialRow::*metric) {
  int64_t most = 0;
  for (const TrialRow& row : run.trials) {
    if (state.Has(row)) most = std::max(most, row.connections);
  }
  std::vector<double> values;
  for (const TrialRow& row : run.trials) {
    if (state.Has(row) && row.connections == most && SeriesNameWithoutParameters(row) == series) {
      values.push_back(row.*metric);
    }
  }
  if (values.empty()) return std::nullopt;
  return SpreadOf(std::move(values)).median;
}

std::string Subtitle(const Run& run, const State& state) {
  return fmt::format("workload {}, slope over connection counts, median of {}", state.workload,
                     PrintRepetitions(run, [&](const TrialRow& row) { return state.Has(row); }));
}

}  // namespace

std::optional<Chart> RssAgainstRealMemory(const Run& run) {
  const std::vector<State> states = StatesOf(run);
  if (states.empty()) return std::nullopt;
  // Where most was touched the two differ most.
  const State& state = states.back();
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.name = "memory_rss_against_real";
  chart.title = "Memory of one connection: what RSS says and what it really takes";
  chart.subtitle = Subtitle(run, state);
  chart.caption =
      "Lower is better; the scale is logarithmic. RSS counts the shared segment again in every "
      "process that has touched it, so it grows with processes although no memory is used.";
  chart.y_label = "kB per connection";
  chart.log_y = true;
  chart.parts = {"RSS", "really: private memory, page tables, kernel stacks, slab, sockets"};
  for (const std::string& name : NamesOf(run)) {
    const auto rss = Median(run, state, name, &TrialRow::rss_kb_per_connection);
    if (!rss) continue;
    double real = 0;
    for (const Part& part : kParts) real += std::max(0.0, *Median(run, state, name, part.metric));
    if (*rss == 0 && real == 0) continue;  // a server whose processes are not seen
    chart.bars.push_back(
        {name, fmt::format("{:.0f} kB", std::max(0.0, *rss)), {std::max(0.0, *rss), 0}, 0, 0});
    chart.bars.push_back({name, fmt::format("{:.0f} kB", real), {0, real}, 0, 0});
  }
  if (chart.bars.empty()) return std::nullopt;
  return chart;
}

std::optional<Chart> MemoryPerConnection(const Run& run) {
  const std::vector<State> states = StatesOf(run);
  if (states.empty()) return std::nullopt;
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.name = "memory_per_connection";
  chart.title = "What the memory of one connection is made of";
  chart.subtitle = Subtitle(run, states.front());
  if (states.size() > 1) {
    chart.subtitle =
        "slope over connection counts: new (just connected), queried (once), and after reading so "
        "many percent of the rows";
  }
  chart.caption =
      "Lower is better. What a connection takes from the machine: private memory (Pss_Anon), page "
      "tables, which each process needs for itself, a kernel stack for each thread, the kernel's "
      "objects (slab, with the client's end of the socket) and socket buffers. Intervals: 95 % of "
      "the fitted slope of the whole.";
  chart.y_label = "kB per connection";
  for (const Part& part : kParts) chart.parts.emplace_back(part.label);
  for (const std::string& name : NamesOf(run)) {
    for (const State& state : states) {
      Bar bar{name, states.size() > 1 ? state.label : "", {}, 0, 0};
      const auto rss = Median(run, state, name, &TrialRow::rss_kb_per_connection);
      if (!rss) continue;
      // A part that shrinks by the noise of the machine has no height.
      for (const Part& part : kParts) {
        bar.parts.push_back(std::max(0.0, *Median(run, state, name, part.metric)));
      }
      const bool seen = *rss != 0 || std::any_of(bar.parts.begin(), bar.parts.end(),
                                                 [](double part) { return part > 0; });
      if (!seen) continue;  // a server whose processes are not seen
      bar.low = *Median(run, state, name, &TrialRow::memory_kb_per_connection_low);
      bar.high = *Median(run, state, name, &TrialRow::memory_kb_per_connection_high);
      chart.bars.push_back(std::move(bar));
    }
  }
  if (chart.bars.empty()) return std::nullopt;
  return chart;
}

}  // namespace connbench::plots
