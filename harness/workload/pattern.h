// What the clients of a workload do all day: the patterns, each a row of patterns.def. Whoever
// wants to know something of a pattern asks its row; nothing else compares names.
//
// Safety: constants; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace connbench::load {

enum class Pattern : uint8_t {
#define CONNBENCH_PATTERN(enumerator, name, driver, needs, summary) enumerator,
#include "harness/workload/patterns.def"
#undef CONNBENCH_PATTERN
};

// Bits of PatternRow::needs.
enum Needs : uint32_t {
  // All clients connect at the same instant; their sockets are made before.
  kReleasedTogether = 1,
  // The server is made to drop all clients, which then come back at once.
  kDropped = 2,
  // Clients connect and close all the time: connects are counted over the window.
  kSessionsComeAndGo = 4,
  // Connections are up before the window opens and stay open: transactions can have a rate.
  kStaysOpen = 8,
  // A group with a start connects then, not before the window.
  kConnectsAtStart = 16,
  // Connecting is what is measured.
  kConnectsMeasured = 32,
  // A group of a mixed workload can have it.
  kInGroups = 64,
  // It needs [[group]] tables.
  kMadeOfGroups = 128,
};
// All clients come at once: the listen queue must hold them, and the server's crowd may keep the
// client threads from a CPU.
inline constexpr uint32_t kCrowd = kReleasedTogether | kDropped;

struct PatternRow {
  Pattern pattern;
  std::string_view name;
  uint32_t needs;
  std::string_view summary;

  // Whether it has one of them.
  constexpr bool Has(uint32_t any) const { return (needs & any) != 0; }
};

inline constexpr auto kPatterns = std::to_array<PatternRow>({
#define CONNBENCH_PATTERN(enumerator, name, driver, needs, summary) \
  {Pattern::enumerator, name, needs, summary},
#include "harness/workload/patterns.def"
#undef CONNBENCH_PATTERN
});

constexpr const PatternRow& RowOf(Pattern pattern) {
  return kPatterns[static_cast<size_t>(pattern)];
}
constexpr std::string_view Name(Pattern pattern) { return RowOf(pattern).name; }
// Null: there is no such pattern.
const PatternRow* FindPattern(std::string_view name);
// The names of those that have all of these needs (0: of all), in the order of the table.
std::vector<std::string_view> PatternNames(uint32_t all = 0);

}  // namespace connbench::load
