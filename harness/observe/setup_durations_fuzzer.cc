// Fuzzes the reading of PostgreSQL's log: whatever the server wrote, no more lines are understood
// than there are, what is understood lies in bounds, and a log that is cut gives a part of the
// same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/observe/setup_durations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  const auto all = connbench::observe::ParseSetupDurations(log);
  if (all.size() > static_cast<size_t>(std::count(log.begin(), log.end(), '\n'))) std::abort();
  for (const auto& durations : all) {
    if (durations.connection_id == 0 || durations.total_ns < 0 || durations.fork_ns < 0 ||
        durations.authentication_ns < 0) {
      std::abort();
    }
  }
  const auto half = connbench::observe::ParseSetupDurations(log.substr(0, size / 2));
  if (half.size() > all.size()) std::abort();
  for (size_t i = 0; i < half.size(); ++i) {
    if (half[i].connection_id != all[i].connection_id || half[i].total_ns != all[i].total_ns) {
      std::abort();
    }
  }
  return 0;
}
