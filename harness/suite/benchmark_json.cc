// Hands finished trials to Google Benchmark.
#include "harness/suite/benchmark_json.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cerrno>
#include <fstream>

namespace connbench::suite {
namespace {

// Google Benchmark insists on a display; ours is Progress.
class SilentReporter final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& /*runs*/) override {}
};

void Report(benchmark::State& state, const BenchmarkTrial& trial) {
  if (!trial.error.empty()) state.SkipWithError(trial.error.c_str());
  for (auto _ : state) state.SetIterationTime(trial.seconds);
  for (const auto& [name, value] : trial.counters) state.counters[name] = value;
}

}  // namespace

Status CheckBenchmarkJson(const std::string& path) {
  const std::ofstream file(path, std::ios::app);
  return file ? Status::Ok() : Status::System("cannot write " + path, errno);
}

Status WriteBenchmarkJson(const std::string& path, const std::string& program,
                          const std::vector<BenchmarkTrial>& trials) {
  // Google Benchmark ends the process where it cannot write.
  CONNBENCH_RETURN_IF_ERROR(CheckBenchmarkJson(path));
  for (const BenchmarkTrial& trial : trials) {
    benchmark::RegisterBenchmark(trial.name.c_str(),
                                 [&trial](benchmark::State& state) { Report(state, trial); })
        ->UseManualTime()
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond);
  }
  std::vector<std::string> words = {program, "--benchmark_out=" + path,
                                    "--benchmark_out_format=json"};
  std::vector<char*> argv;
  argv.reserve(words.size());
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  SilentReporter display;
  benchmark::RunSpecifiedBenchmarks(&display);
  benchmark::Shutdown();
  benchmark::ClearRegisteredBenchmarks();
  std::ifstream written(path, std::ios::ate);
  if (written && written.tellg() > 0) return Status::Ok();
  return Status::Error(sqlstate::kIoError, fmt::format("{} was not written", path));
}

}  // namespace connbench::suite
