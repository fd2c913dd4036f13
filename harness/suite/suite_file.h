// A suite file: what to measure, as TOML. workloads/suites/*.toml are the ones that come with
// connbench; each opens with what it is for.
//
//   description = "All models under all four patterns, in three minutes."
//   models = ["fork", "thread", "thread-pool"]
//   [set]                                # server settings for all cells
//   shared_buffers = "64MB"
//   [[experiment]]                       # one workload; every list is an axis
//   workload = "steady"
//   connections = [8, 64, 256]
//
// docs/suite-reference.md has every key, from the rows of suite_keys.def. Paths are relative to the
// suite's file.
//
// until: repetitions beyond `repetitions` are made until the 95 % interval of the metric's mean is
// within so much of it to either side, or max_repetitions were made. Without a metric it is what
// the workload's pattern measures (steadiness.h).
//
// A suite with a [crossover] table has no experiments: it looks for the value of a parameter at
// which the second model overtakes the first (crossover_run.h).
//
// What is named is what is measured: an experiment's models and targets, if it names any, otherwise
// the suite's, otherwise all built-in models. A setting that does not concern a target is left out
// of its cells.
//
// Safety: plain values; control plane. Errors: 42601 as "FILE:LINE:COLUMN: what is wrong", with the
// nearest names for a misspelt key; 58030 if the file cannot be read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "harness/workload/file_key.h"
#include "harness/workload/workload.h"

namespace connbench::suite {

struct SettingAxis {
  std::string name;
  std::vector<std::string> values;
};

struct Until {
  std::string metric;  // empty: by the workload's pattern
  double interval = 0.05;
  int max_repetitions = 20;
};

struct Experiment {
  std::string workload;
  std::vector<int> connections;  // empty: the workload's own
  std::optional<int64_t> duration_ns;
  std::optional<int64_t> warmup_ns;
  std::vector<int> ladder;
  std::vector<std::string> models;  // with targets: empty: the suite's
  std::vector<std::string> targets;
  std::optional<load::ProtocolMode> protocol;
  std::optional<int> repetitions;
  std::optional<Until> until;
  std::vector<SettingAxis> settings;
  std::vector<SettingAxis> parameters;     // of the workload
  std::string where;                       // "quick.toml:12:1", for later errors
  std::optional<load::Workload> resolved;  // in place of looking for the workload by its name
};

struct Crossover {
  Experiment experiment;  // without models and parameters: those are what is compared and varied
  std::string base;
  std::string candidate;
  std::string parameter = "transactions_per_connection";
  std::string metric = "throughput_tps";
  int64_t from = 1;
  int64_t to = 1024;
  int repetitions = 4;
  int max_repetitions = 12;
  double resolution = 1.2;
};

struct Suite {
  std::string name;
  std::string description;
  int repetitions = 3;
  uint64_t seed = 1;
  std::vector<std::string> models;  // with targets: empty: all models
  std::vector<std::string> targets;
  std::vector<std::string> needs;  // Debian packages
  std::vector<std::pair<std::string, std::string>> settings;
  std::optional<Until> until;
  std::vector<Experiment> experiments;
  std::optional<Crossover> crossover;
  std::string path;  // of its file, and what is in it; empty: made up from a workload
  std::string text;
  std::string files_folder = {};  // as Cell::files_folder
  std::string found_as = {};      // of ListSuites: what FindSuite finds it by
};

// All keys that a suite file may have.
std::span<const load::FileKey> SuiteFileKeys();

inline constexpr int kMaxRepetitions = 1000;
inline constexpr int kMaxConnections = load::kMaxConnections;
inline constexpr size_t kMaxExperiments = 1000;
inline constexpr size_t kMaxAxisValues = 1000;

// file_name is for errors only.
Result<Suite> ParseSuite(std::string_view text, const std::string& file_name);
Result<Suite> LoadSuite(const std::string& path);

// name is a path, or a suite that comes with the program: its file's place in workloads/suites
// without ".toml" ("quick", "claims/reconnect-per-request"); 42704 with near names.
Result<Suite> FindSuite(const std::string& name);
bool SuiteExists(const std::string& name);

struct SuiteList {
  std::vector<Suite> suites;
  std::vector<Status> errors;
};
SuiteList ListSuites();

}  // namespace connbench::suite
