// Charts of phases.csv: where a connect spends its time.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "plots/charts/special_charts.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

// The schema's phases in words that say what happens; phases of the same words are added.
struct PlainName {
  std::string_view side;
  std::string_view phase;
  std::string_view words;
};
constexpr PlainName kPlainNames[] = {
    {"joined", "handshake", "TCP handshake"},
    {"joined", "accept_queue", "waiting to be accepted"},
    {"joined", "dispatch", "starting the process or thread"},
    {"joined", "start", "starting the process or thread"},
    {"joined", "startup_packet", "login"},
    {"joined", "authentication", "login"},
    {"joined", "session", "making the session"},
    {"joined", "reply", "first statement"},
    {"joined", "first_row", "first statement"},
    {"client", "connect", "TCP handshake"},
    {"client", "send_startup", "waiting for the server's first answer"},
    {"client", "authentication", "waiting for the server's first answer"},
    {"client", "session", "until ready for queries"},
    {"client", "first_row", "first statement"},
};

std::string PlainNameOf(std::string_view side, const std::string& phase) {
  const auto* found =
      std::find_if(std::begin(kPlainNames), std::end(kPlainNames),
                   [&](const PlainName& name) { return name.side == side && name.phase == phase; });
  if (found != std::end(kPlainNames)) return std::string(found->words);
  std::string words = phase;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

struct Means {
  std::string contender;
  std::map<int64_t, std::vector<double>> us;  // by the phase's place
};

std::optional<Chart> Phases(const Experiment& experiment, Chart chart, std::string_view side,
                            std::string_view why_missing) {
  std::map<int64_t, std::string> phases;
  std::map<std::string, Means> rows;
  for (const results::PhaseRow& row : experiment.run->phases) {
    if (row.side != side || !row.mean_us) continue;
    const Trial* trial = experiment.TrialOf(row.trial);
    if (trial == nullptr) continue;
    phases[row.position] = PlainNameOf(side, row.phase);
    Means& means = rows[LabelOf(experiment, *trial)];
    means.contender = ContenderName(*trial->row);
    means.us[row.position].push_back(*row.mean_us);
  }
  for (const auto& [position, words] : phases) {
    if (std::find(chart.parts.begin(), chart.parts.end(), words) == chart.parts.end()) {
      chart.parts.push_back(words);
    }
  }
  for (const auto& [label, means] : rows) {
    // Without one of the phases it would look cheaper than it is.
    if (means.us.size() < phases.size()) continue;
    Bar bar;
    bar.label = label;
    bar.contender = means.contender;
    bar.family = FamilyOf(bar.contender);
    bar.parts.resize(chart.parts.size());
    for (const auto& [position, words] : phases) {
      const auto part = std::find(chart.parts.begin(), chart.parts.end(), words);
      bar.parts[static_cast<size_t>(part - chart.parts.begin())] += MedianOf(means.us.at(position));
    }
    chart.bars.push_back(std::move(bar));
  }
  if (chart.bars.empty()) return std::nullopt;
  chart.kind = ChartKind::kBars;
  chart.x_unit = "us";
  chart.better = "lower is better";
  SortRows(chart);
  NoteMissing(experiment, chart, why_missing);
  return chart;
}

}  // namespace

std::optional<Chart> ConnectPhases(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "connect");
  const bool at_once = experiment.pattern != "churn";
  chart.title = at_once ? "Where a connect spends its time when all come at once"
                        : "Where a connect spends its time";
  chart.question = "What does a client wait for while it connects?";
  chart.caption =
      at_once ? "Where all come at once most of the time is waiting: in the listen queue to be "
                "accepted, or for a CPU once started."
              : "Client and server stamp each connection with the same clock; the phases follow "
                "each other without gap.";
  chart.x_label = "mean time from connect() to the first row";
  return Phases(experiment, std::move(chart), "joined",
                "other servers stamp nothing that could be joined; connect_seen has them");
}

std::optional<Chart> ConnectAsSeen(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  // The phases of our own servers say more.
  const auto is_other = [](const Trial& trial) { return trial.row->target != "builtin"; };
  if (std::none_of(experiment.trials.begin(), experiment.trials.end(), is_other)) {
    return std::nullopt;
  }
  Chart chart = ChartFor(experiment, "connect_seen");
  chart.title = "What a connect costs its client";
  chart.question = "What does a client of any server wait for while it connects?";
  chart.caption =
      "What every client sees, whatever the server. Starting a process or a thread is in the wait "
      "for the first answer.";
  chart.x_label = "mean time from connect() to the first row";
  return Phases(experiment, std::move(chart), "client", "its clients stamped no phases");
}

std::optional<Chart> ConnectCpu(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "connect_cpu");
  chart.title = "Where a connection costs the server CPU time";
  chart.question = "Which part of a connection keeps the server's CPUs busy?";
  chart.caption = "CPU time of the threads that hand the connection over and serve it.";
  chart.x_label = "server CPU per connection";
  return Phases(experiment, std::move(chart), "cpu",
                "its threads have several connections open, so their clocks do not tell for whom "
                "they worked");
}

}  // namespace connbench::plots
