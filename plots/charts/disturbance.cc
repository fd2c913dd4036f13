// When a workload's other groups disturb the measured one.
#include "plots/charts/disturbance.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/read_file.h"
#include "plots/axes.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFiles = 200;
constexpr int64_t kMaxFileBytes = 1 << 20;
constexpr double kMsPerSecond = 1000;

// Edges of the groups but the first, which is the one that is measured.
std::vector<double> EdgesOf(const toml::table& workload) {
  std::vector<double> edges;
  const toml::array* groups = workload["group"].as_array();
  for (size_t i = 1; groups != nullptr && i < groups->size(); ++i) {
    const toml::table* group = (*groups)[i].as_table();
    if (group == nullptr) continue;
    for (const char* key : {"start", "stop"}) {
      const auto text = (*group)[key].value<std::string>();
      const auto seconds = text ? AxisNumber(*text) : std::nullopt;
      if (seconds && *seconds > 0) edges.push_back(*seconds * kMsPerSecond);
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

}  // namespace

std::vector<double> DisturbanceEdgesMs(const results::Run& run, const std::string& workload) {
  std::error_code error;
  size_t files = 0;
  for (auto entry = fs::recursive_directory_iterator(fs::path(run.folder) / "inputs", error);
       !error && entry != fs::recursive_directory_iterator() && files < kMaxFiles;
       entry.increment(error)) {
    ++files;
    if (entry->path().extension() != ".toml") continue;
    const auto text = ReadNamedFile("workload", entry->path().string(), kMaxFileBytes);
    if (!text.ok()) continue;
    try {
      const toml::table table = toml::parse(*text);
      const std::string name = table["name"].value_or(entry->path().stem().string());
      if (name == workload) return EdgesOf(table);
    } catch (const toml::parse_error&) {
      continue;
    }
  }
  return {};
}

}  // namespace connbench::plots
