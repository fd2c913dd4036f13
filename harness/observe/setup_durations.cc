// How long a server of another make says that setting up each connection took.
#include "harness/observe/setup_durations.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/clock.h"

namespace connbench::observe {
namespace {

// Takes text off the front if it is there.
bool Take(std::string_view& line, std::string_view text) {
  if (!line.starts_with(text)) return false;
  line.remove_prefix(text.size());
  return true;
}

template <typename Number>
bool TakeNumber(std::string_view& line, Number& number) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  return error == std::errc();
}

// "2.150 ms"
bool TakeMilliseconds(std::string_view& line, int64_t& ns) {
  constexpr double kLongestMs = 1e9;  // keeps the product within 64 bits
  double ms = 0;
  if (!TakeNumber(line, ms) || !Take(line, " ms") || !(ms >= 0 && ms < kLongestMs)) return false;
  ns = std::llround(ms * static_cast<double>(kNanosecondsPerMillisecond));
  return true;
}

std::optional<SetupDurations> ParseLine(std::string_view line) {
  SetupDurations durations;
  if (TakeNumber(line, durations.connection_id) && durations.connection_id != 0 &&
      Take(line, " LOG:  connection ready: setup total=") &&
      TakeMilliseconds(line, durations.total_ns) && Take(line, ", fork=") &&
      TakeMilliseconds(line, durations.fork_ns) && Take(line, ", authentication=") &&
      TakeMilliseconds(line, durations.authentication_ns) && line.empty()) {
    return durations;
  }
  return std::nullopt;
}

}  // namespace

std::vector<SetupDurations> ParseSetupDurations(std::string_view log) {
  std::vector<SetupDurations> all;
  while (!log.empty()) {
    const size_t end = log.find('\n');
    // A line without its end is still being written.
    if (end == std::string_view::npos) break;
    std::string_view line = log.substr(0, end);
    log.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const auto durations = ParseLine(line)) all.push_back(*durations);
  }
  return all;
}

}  // namespace connbench::observe
