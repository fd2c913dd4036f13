// Choosing among overloads as PostgreSQL does (manual, chapter 10, "Type Conversion").
#include "engine/executor/expression/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "engine/executor/expression/casts.h"

namespace connbench::engine {
namespace {

using Candidates = std::vector<const FunctionDescription*>;

constexpr char kStringCategory = 'S';

// PostgreSQL has these for dates, intervals, points, ... as well, so that literals alone do not say
// which is meant. Here a number would be the only guess, and the wrong one.
bool MeansMoreThanNumbers(std::string_view name, size_t operands) {
  return (name == "+" && operands == 2) || name == "-" || name == "*" || name == "/";
}

bool Preferred(char category, Oid type) {
  const TypeInfo& info = GetType(type);
  return info.preferred && info.category == category;
}

bool Accepts(const FunctionDescription& candidate, std::span<const Oid> types) {
  if (!candidate.takes(types.size())) return false;
  for (uint32_t i = 0; i < types.size(); ++i) {
    const Oid wanted = candidate.argument_type(i);
    if (!CanCoerce(types[i], wanted, CoercionContext::kImplicit)) return false;
    const TypeInfo& given = GetType(types[i]);
    // A literal beside an element is a text, as PostgreSQL prefers it.
    if (given.oid == type_oid::kUnknown && candidate.name == "||" && IsArray(wanted)) return false;
    if (!IsArray(given) || types[i] == wanted) continue;
    if (candidate.exact_arrays) return false;
    // An operator that takes anything means what is no array: those have operators of their own.
    if (candidate.is_operator && wanted == type_oid::kAny) return false;
  }
  return true;
}

bool Exact(const FunctionDescription& candidate, std::span<const Oid> types) {
  if (!candidate.takes(types.size())) return false;
  for (uint32_t i = 0; i < types.size(); ++i) {
    if (candidate.argument_type(i) != types[i]) return false;
  }
  return true;
}

// Keeps the candidates with the most arguments for which matches(candidate, i) holds.
template <typename Matches>
void KeepBest(Candidates& candidates, size_t arguments, Matches&& matches) {
  size_t best = 0;
  std::vector<size_t> counts;
  for (const FunctionDescription* candidate : candidates) {
    size_t count = 0;
    for (uint32_t i = 0; i < arguments; ++i) count += matches(*candidate, i) ? 1 : 0;
    counts.push_back(count);
    best = std::max(best, count);
  }
  Candidates kept;
  for (size_t c = 0; c < candidates.size(); ++c) {
    if (counts[c] == best) kept.push_back(candidates[c]);
  }
  candidates = std::move(kept);
}

// Guesses a category for each unknown argument and keeps the candidates that fit: strings if any
// candidate takes one there, otherwise the category all agree on. False: no agreement.
bool KeepByCategories(Candidates& candidates, std::span<const Oid> types) {
  Candidates kept;
  std::vector<char> categories(types.size());
  std::vector<bool> preferred(types.size());
  for (uint32_t i = 0; i < types.size(); ++i) {
    if (types[i] != type_oid::kUnknown) continue;
    bool agreed = true;
    char category = 0;
    bool has_preferred = false;
    for (const FunctionDescription* candidate : candidates) {
      const TypeInfo& info = GetType(candidate->argument_type(i));
      if (category == 0) {
        category = info.category;
        has_preferred = info.preferred;
      } else if (info.category == category) {
        has_preferred = has_preferred || info.preferred;
      } else if (info.category == kStringCategory) {
        category = kStringCategory;
        has_preferred = info.preferred;
      } else if (category != kStringCategory) {
        agreed = false;
      }
    }
    if (!agreed && category != kStringCategory) return false;
    categories[i] = category;
    preferred[i] = has_preferred;
  }
  for (const FunctionDescription* candidate : candidates) {
    bool fits = true;
    for (uint32_t i = 0; fits && i < types.size(); ++i) {
      if (types[i] != type_oid::kUnknown) continue;
      const TypeInfo& info = GetType(candidate->argument_type(i));
      fits = info.category == categories[i] && (!preferred[i] || info.preferred);
    }
    if (fits) kept.push_back(candidate);
  }
  if (!kept.empty()) candidates = std::move(kept);
  return true;
}

}  // namespace

Resolution ResolveOverload(std::span<const FunctionDescription* const> candidates,
                           std::span<const Oid> given, bool is_operator) {
  // int2vector and the like are arrays under other names.
  std::vector<Oid> types(given.begin(), given.end());
  for (Oid& type : types) {
    if (GetType(type).catalog_only && IsArray(type)) type = ArrayType(ElementType(type));
  }
  for (const FunctionDescription* candidate : candidates) {
    if (Exact(*candidate, types)) return {candidate, false};
  }
  const auto unknowns = std::count(types.begin(), types.end(), type_oid::kUnknown);
  if (is_operator && types.size() == 2 && unknowns == 1) {
    // An unknown operand is first taken to be of the other's type.
    const Oid known = types[0] == type_oid::kUnknown ? types[1] : types[0];
    const Oid assumed[] = {known, known};
    for (const FunctionDescription* candidate : candidates) {
      if (Exact(*candidate, assumed)) return {candidate, false};
    }
  }
  if (unknowns == static_cast<std::ptrdiff_t>(types.size()) && is_operator && !candidates.empty() &&
      MeansMoreThanNumbers(candidates[0]->name, types.size())) {
    return {nullptr, true};
  }
  Candidates left;
  for (const FunctionDescription* candidate : candidates) {
    if (Accepts(*candidate, types)) left.push_back(candidate);
  }
  if (left.empty()) return {};
  if (left.size() == 1) return {left[0], false};
  KeepBest(left, types.size(), [&](const FunctionDescription& candidate, uint32_t i) {
    return types[i] != type_oid::kUnknown && candidate.argument_type(i) == types[i];
  });
  if (left.size() == 1) return {left[0], false};
  KeepBest(left, types.size(), [&](const FunctionDescription& candidate, uint32_t i) {
    const Oid wanted = candidate.argument_type(i);
    return types[i] != type_oid::kUnknown &&
           (wanted == types[i] || Preferred(GetType(types[i]).category, wanted));
  });
  if (left.size() == 1) return {left[0], false};
  if (unknowns == 0) return {nullptr, true};
  if (KeepByCategories(left, types) && left.size() == 1) return {left[0], false};
  // If all known arguments are of one type, assume that the unknown ones are, too.
  Oid known = type_oid::kInvalid;
  for (Oid type : types) {
    if (type == type_oid::kUnknown) continue;
    if (known != type_oid::kInvalid && known != type) return {nullptr, true};
    known = type;
  }
  if (known == type_oid::kInvalid) return {nullptr, true};
  const std::vector<Oid> assumed(types.size(), known);
  const FunctionDescription* only = nullptr;
  for (const FunctionDescription* candidate : left) {
    if (!Accepts(*candidate, assumed)) continue;
    if (only != nullptr) return {nullptr, true};
    only = candidate;
  }
  return {only, only == nullptr};
}

std::string NotSupportedMessage(const FunctionDescription& function) {
  std::string types;
  for (uint32_t i = 0; i < function.argument_count; ++i) {
    types += (i == 0 ? "" : ", ") + FormatType({function.argument_type(i), -1});
  }
  return fmt::format("function {}({}) is not supported", function.name, types);
}

std::string DescribeTypes(std::span<Expression* const> arguments) {
  std::string text;
  for (const Expression* argument : arguments) {
    if (!text.empty()) text += ", ";
    text += FormatType({argument->type.oid, -1});
  }
  return text;
}

}  // namespace connbench::engine
