// The keys of suite and workload files, as rows: what a reader accepts, and what
// docs/suite-reference.md says of it. A key without a row is refused, so the page has all of them.
//
// Called by the readers of both files and by the page's generator. Safety: constants.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace connbench::load {

struct FileKey {
  std::string_view table;   // "suite", "experiment", "workload", ...
  std::string_view name;    // "connections"
  std::string_view form;    // "whole number", "duration"
  std::string_view preset;  // what holds without it; "required"
  std::string_view help;
};

// workload, group, script and backoff; those of suites are in harness/suite/suite_keys.h.
std::span<const FileKey> WorkloadFileKeys();

inline std::vector<std::string_view> NamesOfTable(std::span<const FileKey> keys,
                                                  std::string_view table) {
  std::vector<std::string_view> names;
  for (const FileKey& key : keys) {
    if (key.table == table) names.push_back(key.name);
  }
  return names;
}

}  // namespace connbench::load
