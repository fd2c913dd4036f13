// The options of sequences: see sequence_options.h.
#include "engine/sql/sequence_options.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "engine/executor/types/type.h"

namespace connbench::engine {
namespace {

Status Invalid(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

// A NumericOnly: the parser leaves what does not fit an int4 as text.
Result<int64_t> Number(const PgQuery__DefElem& option) {
  const std::string text = ast::DefElemText(option);
  int64_t value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    return Status::Error(sqlstate::kNumericValueOutOfRange,
                         fmt::format("value \"{}\" is out of range for type bigint", text));
  }
  if (error != std::errc() || end != text.data() + text.size()) {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("invalid input syntax for type bigint: \"{}\"", text));
  }
  return value;
}

std::pair<int64_t, int64_t> RangeOf(Oid type) {
  if (type == type_oid::kInt2) return {INT16_MIN, INT16_MAX};
  if (type == type_oid::kInt4) return {INT32_MIN, INT32_MAX};
  return {INT64_MIN, INT64_MAX};
}

struct Given {
  const PgQuery__DefElem* as = nullptr;
  const PgQuery__DefElem* increment = nullptr;
  const PgQuery__DefElem* start = nullptr;
  const PgQuery__DefElem* restart = nullptr;
  const PgQuery__DefElem* maxvalue = nullptr;
  const PgQuery__DefElem* minvalue = nullptr;
  const PgQuery__DefElem* cache = nullptr;
  const PgQuery__DefElem* cycle = nullptr;
  const PgQuery__DefElem* owned_by = nullptr;
};

Result<Given> Sort(std::string_view sql, std::span<ast::Node* const> options, bool identity) {
  constexpr std::pair<std::string_view, const PgQuery__DefElem * Given::*> kOptions[] = {
      {"as", &Given::as},
      {"increment", &Given::increment},
      {"start", &Given::start},
      {"restart", &Given::restart},
      {"maxvalue", &Given::maxvalue},
      {"minvalue", &Given::minvalue},
      {"cache", &Given::cache},
      {"cycle", &Given::cycle},
      {"owned_by", &Given::owned_by}};
  Given given;
  for (const ast::Node* node : options) {
    const PgQuery__DefElem& option = *node->def_elem;
    const PgQuery__DefElem** place = nullptr;
    for (const auto& [name, member] : kOptions) {
      if (name == option.defname) place = &(given.*member);
    }
    const auto position = [&] { return CharacterPosition(sql, option.location); };
    if (place == nullptr) {
      // pg_dump's; elsewhere PostgreSQL refuses it, too.
      if (identity) return ast::NotSupported(sql, "SEQUENCE NAME", option.location);
      return Status::Error(sqlstate::kSyntaxError, "invalid sequence option SEQUENCE NAME",
                           position());
    }
    // The type of an identity column is the sequence's.
    if (*place != nullptr || (identity && place == &given.as)) {
      return Status::Error(sqlstate::kSyntaxError, "conflicting or redundant options", position());
    }
    *place = &option;
  }
  return given;
}

Status CheckBounds(const SequenceInfo& info, std::string_view what, int64_t value) {
  if (value < info.minimum) {
    return Invalid(
        fmt::format("{} value ({}) cannot be less than MINVALUE ({})", what, value, info.minimum));
  }
  if (value > info.maximum) {
    return Invalid(fmt::format("{} value ({}) cannot be greater than MAXVALUE ({})", what, value,
                               info.maximum));
  }
  return {};
}

// MAXVALUE or MINVALUE: as given, or the default for the type and direction where that applies.
Status SetBound(const PgQuery__DefElem* option, bool to_default, int64_t by_default,
                std::string_view word, const SequenceInfo& info, int64_t& bound) {
  if (option != nullptr && option->arg != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(bound, Number(*option));
  } else if (to_default || option != nullptr) {  // NO MAXVALUE
    bound = by_default;
  }
  const auto [lowest, highest] = RangeOf(info.type_oid);
  if (bound >= lowest && bound <= highest) return {};
  return Invalid(fmt::format("{} ({}) is out of range for sequence data type {}", word, bound,
                             FormatType({info.type_oid, -1})));
}

}  // namespace

Result<SequenceInfo> SequenceOfType(const SequenceInfo& current, Oid type, int64_t value) {
  SequenceInfo info = current;
  const auto [old_lowest, old_highest] = RangeOf(current.type_oid);
  const auto [lowest, highest] = RangeOf(type);
  info.type_oid = type;
  const bool ascending = info.increment > 0;
  CONNBENCH_RETURN_IF_ERROR(SetBound(nullptr, current.maximum == old_highest,
                                     ascending ? highest : -1, "MAXVALUE", info, info.maximum));
  CONNBENCH_RETURN_IF_ERROR(SetBound(nullptr, current.minimum == old_lowest, ascending ? 1 : lowest,
                                     "MINVALUE", info, info.minimum));
  CONNBENCH_RETURN_IF_ERROR(CheckBounds(info, "START", info.start));
  CONNBENCH_RETURN_IF_ERROR(CheckBounds(info, "RESTART", value));
  return info;
}

Result<SequenceChange> ReadSequenceOptions(std::string_view sql,
                                           std::span<ast::Node* const> options,
                                           const SequenceInfo* current, Oid identity_type) {
  CONNBENCH_ASSIGN_OR_RETURN(const Given given, Sort(sql, options, identity_type != 0));
  const bool is_new = current == nullptr;
  SequenceChange change;
  SequenceInfo& info = change.definition;
  if (!is_new) info = *current;
  if (identity_type != 0) info.type_oid = identity_type;
  bool new_maximum = is_new;
  bool new_minimum = is_new;
  if (given.as != nullptr) {
    const std::string name = ast::DefElemText(*given.as);
    const TypeInfo* type = FindTypeByName(name);
    if (type == nullptr || !IsInteger(type->oid)) {
      return Invalid("sequence type must be smallint, integer, or bigint");
    }
    if (!is_new) {
      // Bounds that were those of the old type become those of the new one.
      const auto [lowest, highest] = RangeOf(info.type_oid);
      new_maximum = info.maximum == highest;
      new_minimum = info.minimum == lowest;
    }
    info.type_oid = type->oid;
  }
  if (given.increment != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(info.increment, Number(*given.increment));
    if (info.increment == 0) return Invalid("INCREMENT must not be zero");
  }
  if (given.cycle != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(info.cycle, ast::DefElemBool(*given.cycle));
  }
  const bool ascending = info.increment > 0;
  const auto [lowest, highest] = RangeOf(info.type_oid);
  CONNBENCH_RETURN_IF_ERROR(SetBound(given.maxvalue, new_maximum, ascending ? highest : -1,
                                     "MAXVALUE", info, info.maximum));
  CONNBENCH_RETURN_IF_ERROR(SetBound(given.minvalue, new_minimum, ascending ? 1 : lowest,
                                     "MINVALUE", info, info.minimum));
  if (info.minimum >= info.maximum) {
    return Invalid(
        fmt::format("MINVALUE ({}) must be less than MAXVALUE ({})", info.minimum, info.maximum));
  }
  if (given.start != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(info.start, Number(*given.start));
  } else if (is_new) {
    info.start = ascending ? info.minimum : info.maximum;
  }
  CONNBENCH_RETURN_IF_ERROR(CheckBounds(info, "START", info.start));
  if (given.restart != nullptr) {
    change.restart = info.start;
    if (given.restart->arg != nullptr) {
      CONNBENCH_ASSIGN_OR_RETURN(change.restart, Number(*given.restart));
    }
    CONNBENCH_RETURN_IF_ERROR(CheckBounds(info, "RESTART", *change.restart));
  }
  if (given.cache != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(const int64_t cache, Number(*given.cache));
    if (cache <= 0) return Invalid(fmt::format("CACHE ({}) must be greater than zero", cache));
  }
  if (given.owned_by != nullptr) {
    const PgQuery__List& parts = *given.owned_by->arg->list;
    for (const ast::Node* part : ast::List(parts.items, parts.n_items)) {
      change.owned_by.emplace_back(ast::StringOf(*part));
    }
  }
  return change;
}

}  // namespace connbench::engine
