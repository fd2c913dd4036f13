#include "harness/suite/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace connbench::suite {
namespace {

constexpr int kDefaultColumns = 100;

int TerminalColumns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : kDefaultColumns;
}

}  // namespace

Progress::Progress(const Plan& plan)
    : plan_(plan), terminal_(::isatty(STDERR_FILENO) != 0), begin_ns_(MonotonicNow()) {}

Progress::~Progress() { Rewrite(""); }

std::string Progress::TimeLeft(size_t index) const {
  // Trials differ in length: what the plan expects of the rest, corrected by how the plan has done.
  Plan done = {plan_.suite, plan_.seed, plan_.cells, {}};
  done.trials.assign(plan_.trials.begin(), plan_.trials.begin() + static_cast<int64_t>(index));
  const auto expected_done = static_cast<double>(done.EstimatedNs());
  const auto expected_all = static_cast<double>(plan_.EstimatedNs());
  const auto elapsed = static_cast<double>(MonotonicNow() - begin_ns_);
  const double correction = index == 0 ? 1 : elapsed / expected_done;
  const auto left_s =
      static_cast<int64_t>((expected_all - expected_done) * correction / kNanosecondsPerSecond) + 1;
  return fmt::format("{}:{:02} left", left_s / 60, left_s % 60);
}

void Progress::Rewrite(const std::string& line) {
  if (!terminal_ || (line.empty() && !line_is_open_)) return;
  const std::string shown = line.substr(0, static_cast<size_t>(TerminalColumns()) - 1);
  fmt::print(stderr, "\r\033[K{}", shown);
  std::fflush(stderr);
  line_is_open_ = !line.empty();
}

void Progress::Print(const std::string& line) {
  Rewrite("");
  fmt::print(stderr, "{}\n", line);
}

void Progress::TrialBegins(size_t index) {
  const Trial& trial = plan_.trials[index];
  Rewrite(fmt::format("[{}/{}] {}  {} #{}", index + 1, plan_.trials.size(), TimeLeft(index),
                      plan_.cells[trial.cell].name, trial.repetition));
}

void Progress::TrialEnded(size_t index, const results::TrialRow& row) {
  const bool ok = row.status == results::kTrialOk;
  if (terminal_ && ok) return;
  std::string line = fmt::format("[{}/{}] {} #{} {}", index + 1, plan_.trials.size(), row.cell,
                                 row.repetition, row.status);
  if (!ok) line += ": " + row.status_reason;
  Print(line);
}

}  // namespace connbench::suite
