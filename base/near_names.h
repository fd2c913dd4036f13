// "Did you mean": the known names that a mistyped one is close to. Used wherever people type names:
// settings, models, suites, subcommands.
//
// Safety: pure functions; any thread.
#pragma once

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace connbench {

// Those of known that differ from given in few letters or contain it, in the order of known.
std::vector<std::string_view> NearNames(std::string_view given,
                                        std::span<const std::string_view> known);

// "Near names: \"a\", \"b\"." or, when nothing is near, "Known: \"a\", \"b\", \"c\"." so that the
// reader always learns a name that works.
std::string SuggestNames(std::string_view given, std::span<const std::string_view> known);

// Whether name is one of names, a range of texts.
template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace connbench
