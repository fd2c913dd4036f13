// "Did you mean": the known names that a mistyped one is close to.
#include "base/near_names.h"

#include <algorithm>

namespace connbench {
namespace {

// Levenshtein distance.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

constexpr size_t kShortestPart = 3;  // letters from which on "contains it" means something

}  // namespace

std::vector<std::string_view> NearNames(std::string_view given,
                                        std::span<const std::string_view> known) {
  std::vector<std::string_view> near;
  const size_t tolerated = std::max<size_t>(2, given.size() / 3);
  for (std::string_view name : known) {
    const bool contains =
        given.size() >= kShortestPart && name.find(given) != std::string_view::npos;
    if (contains || EditDistance(given, name) <= tolerated) near.push_back(name);
  }
  return near;
}

std::string SuggestNames(std::string_view given, std::span<const std::string_view> known) {
  const std::vector<std::string_view> near = NearNames(given, known);
  std::string text = near.empty() ? "Known:" : "Near names:";
  const auto append = [&](std::string_view name, size_t index) {
    if (index > 0) text += ',';
    text.append(" \"").append(name).append("\"");
  };
  if (near.empty()) {
    for (size_t i = 0; i < known.size(); ++i) append(known[i], i);
  } else {
    for (size_t i = 0; i < near.size(); ++i) append(near[i], i);
  }
  return text + ".";
}

}  // namespace connbench
