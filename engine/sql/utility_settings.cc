// SET, RESET, SHOW, DISCARD.

#include <fmt/format.h>

#include <algorithm>

#include "engine/sql/ast.h"
#include "engine/sql/session_impl.h"

namespace connbench::engine {
namespace {

// The values of SET name TO a, b as one text.
Result<std::string> ValueText(std::string_view sql, const PgQuery__VariableSetStmt& set) {
  // Settings that are lists in PostgreSQL.
  constexpr std::string_view kLists[] = {"datestyle", "search_path"};
  const std::string_view name = set.name;
  if (set.n_args > 1 && std::find(std::begin(kLists), std::end(kLists), name) == std::end(kLists) &&
      name.find('.') == std::string_view::npos && FindSetting(name) >= 0) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("SET {} takes only one argument", name));
  }
  std::string text;
  for (const ast::Node* node : ast::List(set.args, set.n_args)) {
    if (node->node_case != PG_QUERY__NODE__NODE_A_CONST) {
      return ast::NotSupported(sql, "this kind of value in SET", ast::LocationOf(*node));
    }
    if (!text.empty()) text += ", ";
    const PgQuery__AConst& constant = *node->a_const;
    switch (constant.val_case) {
      case PG_QUERY__A__CONST__VAL_IVAL:
        text += std::to_string(constant.ival->ival);
        break;
      case PG_QUERY__A__CONST__VAL_FVAL:
        text += constant.fval->fval;
        break;
      case PG_QUERY__A__CONST__VAL_SVAL:
        text += constant.sval->sval;
        break;
      case PG_QUERY__A__CONST__VAL_BOOLVAL:
        text += constant.boolval->boolval ? "on" : "off";
        break;
      default:
        return ast::NotSupported(sql, "this kind of value in SET", constant.location);
    }
  }
  return text;
}

}  // namespace

Result<RealSession::Outcome> RealSession::RunSet(const PgQuery__Node& statement,
                                                 std::string_view sql, ResultSink& sink) {
  const PgQuery__VariableSetStmt& set = *statement.variable_set_stmt;
  const std::string_view name = set.name;
  const bool is_reset = set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                        set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT;
  const Outcome outcome{set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                                set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL
                            ? "RESET"
                            : "SET"};
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL) {
    settings_.ResetAll(true);
    return outcome;
  }
  if (set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI) {
    if (name == "TRANSACTION") {
      if (block_ == Block::kImplicit && !multi_statement_) {
        Notice(sink, "WARNING", sqlstate::kNoActiveSqlTransaction,
               "SET TRANSACTION can only be used in transaction blocks");
      }
      CONNBENCH_RETURN_IF_ERROR(ApplyTransactionModes(set.args, set.n_args));
      return outcome;
    }
    if (name != "SESSION CHARACTERISTICS") {
      return ast::NotSupported(sql, fmt::format("SET {}", name), -1);
    }
    for (const ast::Node* node : ast::List(set.args, set.n_args)) {
      const std::string option = fmt::format("default_{}", node->def_elem->defname);
      CONNBENCH_RETURN_IF_ERROR(
          settings_.Set(option, ast::DefElemText(*node->def_elem), false, true));
    }
    return outcome;
  }
  if (set.is_local && block_ == Block::kImplicit && !multi_statement_) {
    Notice(sink, "WARNING", sqlstate::kNoActiveSqlTransaction,
           "SET LOCAL can only be used in transaction blocks");
  }
  std::string value;
  if (!is_reset) {
    CONNBENCH_ASSIGN_OR_RETURN(value, ValueText(sql, set));
  }
  if (name == "role" || name == "session_authorization") {
    // A session acts as its own user and no other.
    if (is_reset || value == "none" || value == user_) return outcome;
    return ast::NotSupported(sql, name == "role" ? "SET ROLE" : "SET SESSION AUTHORIZATION", -1);
  }
  if (IsOfTransaction(name)) {
    // RESET goes back to what the setting is in no transaction, not to the session's default.
    const size_t definition = static_cast<size_t>(FindSetting(name));
    if (is_reset) value = SettingDefinitions()[definition].default_value;
    CONNBENCH_RETURN_IF_ERROR(SetTransactionSetting(name, value));
    return outcome;
  }
  CONNBENCH_RETURN_IF_ERROR(is_reset ? settings_.Reset(name, set.is_local, true)
                                     : settings_.Set(name, value, set.is_local, true));
  return outcome;
}

// SET transaction_isolation, SET transaction_read_only: the same as SET TRANSACTION.
Status RealSession::SetTransactionSetting(std::string_view name, std::string_view value) {
  const SettingDefinition& setting = SettingDefinitions()[static_cast<size_t>(FindSetting(name))];
  CONNBENCH_ASSIGN_OR_RETURN(const std::string canonical, CanonicalValue(setting, value));
  IsolationLevel isolation = transaction_.isolation();
  bool read_only = transaction_.read_only();
  if (setting.name == "transaction_read_only") {
    read_only = canonical == "on";
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(isolation, ParseIsolationLevel(setting.name, canonical));
  }
  return transaction_.SetCharacteristics(isolation, read_only);
}

Result<std::string> RealSession::ShowSetting(std::string_view name) const {
  if (name == "transaction_isolation")
    return std::string(IsolationLevelName(transaction_.isolation()));
  if (name == "transaction_read_only") return std::string(transaction_.read_only() ? "on" : "off");
  if (name == "role") return std::string("none");
  return settings_.Show(name);
}

Result<RealSession::Outcome> RealSession::RunShow(const PgQuery__Node& statement,
                                                  std::span<const WireFormat> formats,
                                                  bool describe, ResultSink& sink) {
  const std::string_view name = statement.variable_show_stmt->name;
  const std::vector<ColumnDescription> columns = *UtilityResult(statement);
  if (name == "all") {
    if (describe) sink.RowDescription(columns, formats);
    for (const Settings::Row& row : settings_.ShowAll()) {
      Result<std::string> value = ShowSetting(row.name);
      const std::string fields[] = {row.name, value.ok() ? *value : row.value, row.description};
      CONNBENCH_RETURN_IF_ERROR(SendTextRow(fields, sink));
    }
    return Outcome{"SHOW"};
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::string value, ShowSetting(name));
  if (describe) sink.RowDescription(columns, formats);
  CONNBENCH_RETURN_IF_ERROR(SendTextRow({&value, 1}, sink));
  return Outcome{"SHOW"};
}

Result<RealSession::Outcome> RealSession::RunDiscard(const PgQuery__Node& statement) {
  const auto forget_sequences = [&] {
    sequence_values_.clear();
    last_sequence_ = 0;
  };
  switch (statement.discard_stmt->target) {
    case PG_QUERY__DISCARD_MODE__DISCARD_ALL:
      CONNBENCH_RETURN_IF_ERROR(RefuseBlock("DISCARD ALL"));
      leaves_no_pipeline_ = true;
      CloseAllPortals();
      settings_.ResetAll(true);
      DropStatements();  // the unnamed one stays, as in PostgreSQL
      forget_sequences();
      return Outcome{"DISCARD ALL"};
    case PG_QUERY__DISCARD_MODE__DISCARD_PLANS:
      // Plans are kept with their statements; the next use of each checks it again.
      for (const auto& [name, prepared] : statements_) {
        if (prepared->plan != nullptr) prepared->plan->catalog_version = 0;
      }
      return Outcome{"DISCARD PLANS"};
    case PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES:
      forget_sequences();
      return Outcome{"DISCARD SEQUENCES"};
    default:
      return Outcome{"DISCARD TEMP"};  // there are no temporary tables
  }
}

}  // namespace connbench::engine
