// Fuzzes suite files. Beyond the sanitizers: a refusal says where and why, and what is accepted
// keeps the bounds that the rest of the harness relies on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "harness/suite/suite_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::suite;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto suite = ParseSuite(text, "fuzz.toml");
  if (!suite.ok()) {
    if (!suite.status().error().message.starts_with("fuzz.toml")) std::abort();
    return 0;
  }
  if (suite->experiments.size() > kMaxExperiments) std::abort();
  if (suite->repetitions < 1 || suite->repetitions > kMaxRepetitions) std::abort();
  for (const Experiment& experiment : suite->experiments) {
    if (experiment.connections.size() > kMaxAxisValues) std::abort();
    for (const int connections : experiment.connections) {
      if (connections < 1 || connections > kMaxConnections) std::abort();
    }
    if (experiment.duration_ns.has_value() && *experiment.duration_ns <= 0) std::abort();
  }
  return 0;
}
