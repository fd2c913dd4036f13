// What a person sees while a suite runs, on stderr.
#include "harness/suite/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace connbench::suite {
namespace {

constexpr int kDefaultColumns = 100;

int TerminalColumns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : kDefaultColumns;
}

}  // namespace

Progress::Progress(const Plan& plan, TrialsLeft left)
    : plan_(plan),
      left_(std::move(left)),
      terminal_(::isatty(STDERR_FILENO) != 0),
      begin_ns_(MonotonicNow()) {}

Progress::~Progress() { Rewrite(""); }

std::string Progress::TimeLeft(const std::vector<Trial>& left) const {
  // Trials differ in length: what the plan expects of the rest, corrected by how the plan has done.
  int64_t expected_ns = 0;
  for (const Trial& trial : left) expected_ns += plan_.EstimatedNs(trial);
  const auto elapsed = static_cast<double>(MonotonicNow() - begin_ns_);
  const double correction =
      expected_done_ns_ == 0 ? 1 : elapsed / static_cast<double>(expected_done_ns_);
  const auto left_s =
      static_cast<int64_t>(static_cast<double>(expected_ns) * correction / kNanosecondsPerSecond) +
      1;
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
  const std::string& cell = plan_.cells[trial.cell].name;
  if (plan_.crossover) {
    // How many there will be, the bisection finds out as it goes.
    return Rewrite(fmt::format("[{}] {} #{}", ended_ + 1, cell, trial.repetition));
  }
  const std::vector<Trial> left = left_(index);
  Rewrite(fmt::format("[{}/{}] {}  {} #{}", ended_ + 1, static_cast<size_t>(ended_) + left.size(),
                      TimeLeft(left), cell, trial.repetition));
}

void Progress::TrialEnded(size_t index, const results::TrialRow& row) {
  expected_done_ns_ += plan_.EstimatedNs(plan_.trials[index]);
  ++ended_;
  const bool ok = row.status == results::kTrialOk;
  if (terminal_ && ok) return;
  std::string line = fmt::format("[{}] {} #{} {}", ended_, row.cell, row.repetition, row.status);
  if (!plan_.crossover) {
    const size_t all = static_cast<size_t>(ended_) + left_(index + 1).size();
    line = fmt::format("[{}/{}] {} #{} {}", ended_, all, row.cell, row.repetition, row.status);
  }
  if (!ok) line += ": " + row.status_reason;
  Print(line);
}

}  // namespace connbench::suite
