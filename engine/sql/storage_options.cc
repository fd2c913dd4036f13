// Options of tables and indexes: see storage_options.h.
#include "engine/sql/storage_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "engine/executor/key_codec.h"
#include "engine/executor/types/type.h"

namespace connbench::engine {
namespace {

Status InvalidOption(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

bool IsTableOption(std::string_view name) {
  return name == "fillfactor" || name == "parallel_workers" || name.starts_with("autovacuum_") ||
         name == "toast_tuple_target" || name == "vacuum_index_cleanup" ||
         name == "vacuum_truncate" || name == "log_autovacuum_min_duration" ||
         name == "user_catalog_table";
}

bool IsIndexOption(std::string_view name) {
  return name == "fillfactor" || name == "deduplicate_items";
}

Status CheckFillfactor(const PgQuery__DefElem& option) {
  const std::string text = ast::DefElemText(option);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidOption(fmt::format("invalid value for integer option \"fillfactor\": {}", text));
  }
  constexpr int kLowest = 10;
  constexpr int kHighest = 100;
  if (value >= kLowest && value <= kHighest) return {};
  return InvalidOption(fmt::format("value {} out of bounds for option \"fillfactor\"", text))
      .WithDetail(fmt::format("Valid values are between \"{}\" and \"{}\".", kLowest, kHighest));
}

// The B-tree operator classes and the types that each takes. Keys are compared byte by byte, so
// that the pattern classes differ from the others in name only.
struct OperatorClass {
  std::string_view name;
  Oid type;
  Oid other_type = type_oid::kInvalid;
};
constexpr OperatorClass kOperatorClasses[] = {
    {"bool_ops", type_oid::kBool},
    {"int2_ops", type_oid::kInt2},
    {"int4_ops", type_oid::kInt4},
    {"int8_ops", type_oid::kInt8},
    {"float4_ops", type_oid::kFloat4},
    {"float8_ops", type_oid::kFloat8},
    {"numeric_ops", type_oid::kNumeric},
    {"text_ops", type_oid::kText, type_oid::kVarchar},
    {"varchar_ops", type_oid::kText, type_oid::kVarchar},
    {"bpchar_ops", type_oid::kBpchar},
    {"name_ops", type_oid::kName},
    {"oid_ops", type_oid::kOid},
    {"char_ops", type_oid::kChar},
    {"date_ops", type_oid::kDate},
    {"time_ops", type_oid::kTime},
    {"interval_ops", type_oid::kInterval},
    {"timestamp_ops", type_oid::kTimestamp},
    {"timestamptz_ops", type_oid::kTimestamptz},
    {"bytea_ops", type_oid::kBytea},
    {"uuid_ops", type_oid::kUuid},
    {"text_pattern_ops", type_oid::kText, type_oid::kVarchar},
    {"varchar_pattern_ops", type_oid::kText, type_oid::kVarchar},
    {"bpchar_pattern_ops", type_oid::kBpchar},
};
// Those of types that are not there.
constexpr std::string_view kOtherClasses[] = {
    "array_ops",   "bit_ops",     "cidr_ops",     "enum_ops",   "inet_ops",   "jsonb_ops",
    "macaddr_ops", "money_ops",   "pg_lsn_ops",   "range_ops",  "record_ops", "tid_ops",
    "timetz_ops",  "tsquery_ops", "tsvector_ops", "varbit_ops", "xid8_ops"};

bool IsText(Oid type) {
  return type == type_oid::kText || type == type_oid::kVarchar || type == type_oid::kBpchar ||
         type == type_oid::kName;
}

}  // namespace

Status CheckStorageOptions(std::string_view sql, std::span<ast::Node* const> options, bool index) {
  static_cast<void>(sql);
  for (const ast::Node* node : options) {
    const PgQuery__DefElem& option = *node->def_elem;
    const std::string_view name = option.defname;
    const std::string_view space = option.defnamespace;
    if (!space.empty() && (index || space != "toast")) {
      return InvalidOption(fmt::format("unrecognized parameter namespace \"{}\"", space));
    }
    if (!index && name == "oids") {
      CONNBENCH_ASSIGN_OR_RETURN(const bool oids, ast::DefElemBool(option));
      if (!oids) continue;
      return Status::Error(sqlstate::kFeatureNotSupported,
                           "tables declared WITH OIDS are not supported");
    }
    if (!(index ? IsIndexOption(name) : IsTableOption(name))) {
      return InvalidOption(fmt::format("unrecognized parameter \"{}\"", name));
    }
    if (name == "fillfactor") CONNBENCH_RETURN_IF_ERROR(CheckFillfactor(option));
  }
  return {};
}

Status CheckTablespace(std::string_view name) {
  if (name.empty() || name == "pg_default") return {};
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("tablespace \"{}\" does not exist", name));
}

Status CheckIndexableType(std::string_view sql, Oid type, int location) {
  if (IsIndexable(type)) return {};
  const std::string name = FormatType({type, -1});
  if (HasOrder(type)) return ast::NotSupported(sql, "an index on type " + name, location);
  return Status::Error(
             sqlstate::kUndefinedObject,
             fmt::format("data type {} has no default operator class for access method \"btree\"",
                         name))
      .WithHint(
          "You must specify an operator class for the index or define a default operator class for "
          "the data type.");
}

Status CheckIndexElement(std::string_view sql, const PgQuery__IndexElem& element, Oid type,
                         int location) {
  if (element.n_collation > 0) {
    const std::string_view name = ast::StringOf(*element.collation[element.n_collation - 1]);
    if (!IsText(type)) {
      return Status::Error(
          sqlstate::kDatatypeMismatch,
          fmt::format("collations are not supported by type {}", FormatType({type, -1})));
    }
    if (name != "C" && name != "POSIX" && name != "default" && name != "ucs_basic") {
      return ast::NotSupported(sql, fmt::format("collation \"{}\"", name), location);
    }
  }
  if (element.n_opclass == 0) return {};
  const std::string_view name = ast::StringOf(*element.opclass[element.n_opclass - 1]);
  if (element.n_opclass > 1) {
    const std::string_view schema = ast::StringOf(*element.opclass[element.n_opclass - 2]);
    if (schema != "pg_catalog" && schema != "public") {
      return Status::Error(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist", schema));
    }
  }
  const auto* found = std::find_if(std::begin(kOperatorClasses), std::end(kOperatorClasses),
                                   [name](const OperatorClass& row) { return row.name == name; });
  const bool is_other = std::find(std::begin(kOtherClasses), std::end(kOtherClasses), name) !=
                        std::end(kOtherClasses);
  if (found == std::end(kOperatorClasses) && !is_other) {
    return Status::Error(
        sqlstate::kUndefinedObject,
        fmt::format("operator class \"{}\" does not exist for access method \"btree\"", name));
  }
  const bool fits =
      found != std::end(kOperatorClasses) && (found->type == type || found->other_type == type);
  if (!fits) {
    return Status::Error(sqlstate::kDatatypeMismatch,
                         fmt::format("operator class \"{}\" does not accept data type {}", name,
                                     FormatType({type, -1})));
  }
  if (element.n_opclassopts > 0) {
    return InvalidOption(fmt::format("operator class {} has no options", name));
  }
  return {};
}

}  // namespace connbench::engine
