// CREATE SEQUENCE, ALTER SEQUENCE, and what expressions ask of sequences.

#include <fmt/format.h>

#include "engine/sql/ast.h"
#include "engine/sql/relation_name.h"
#include "engine/sql/sequence_options.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

Status NotASequence(std::string_view name) {
  return Status::Error(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a sequence", name));
}

bool IsNone(std::span<const std::string> owned_by) {
  return owned_by.size() == 1 && owned_by[0] == "none";
}

}  // namespace

Result<RelationRef> RealSession::FindAndLockSequence(std::string_view name, LockMode mode) {
  RelationRef locked;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(RelationRef found, catalog_.Find(transaction_, name));
    if (found->kind != RelationKind::kSequence) return NotASequence(name);
    if (found == locked) return found;
    CONNBENCH_RETURN_IF_ERROR(transaction_.locks().LockRelation(found->oid, mode));
    locked = std::move(found);
  }
}

Status RealSession::OwnSequence(const RelationRef& sequence,
                                std::span<const std::string> owned_by) {
  if (owned_by.size() == 1 && !IsNone(owned_by)) {
    return Status::Error(sqlstate::kSyntaxError, "invalid OWNED BY option")
        .WithHint("Specify OWNED BY table.column or OWNED BY NONE.");
  }
  RelationRef table;
  int column = -1;
  if (!IsNone(owned_by)) {
    const std::string& table_name = owned_by[owned_by.size() - 2];
    const std::string& column_name = owned_by.back();
    CONNBENCH_ASSIGN_OR_RETURN(table, catalog_.Find(transaction_, table_name));
    if (table->kind != RelationKind::kTable) {
      return Status::Error(sqlstate::kWrongObjectType,
                           fmt::format("sequence cannot be owned by relation \"{}\"", table_name));
    }
    CONNBENCH_RETURN_IF_ERROR(
        transaction_.locks().LockRelation(table->oid, LockMode::kShareUpdateExclusive));
    CONNBENCH_ASSIGN_OR_RETURN(table, catalog_.Find(transaction_, table_name));
    if (table->owner != sequence->owner) {
      return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                           "sequence must have same owner as table it is linked to");
    }
    column = table->FindColumn(column_name);
    if (column < 0) {
      return Status::Error(
          sqlstate::kUndefinedColumn,
          fmt::format("column \"{}\" of relation \"{}\" does not exist", column_name, table->name));
    }
    if (table->columns[static_cast<size_t>(column)].owned_sequence != 0) {
      return Status::Error(
          sqlstate::kFeatureNotSupported,
          fmt::format("a second sequence owned by column \"{}\" is not supported", column_name));
    }
  }
  catalog_changed_ = true;
  // It leaves the column that owned it before.
  CONNBENCH_ASSIGN_OR_RETURN(const auto relations, catalog_.List(transaction_));
  for (const RelationRef& other : relations) {
    for (size_t i = 0; i < other->columns.size(); ++i) {
      if (other->columns[i].owned_sequence != sequence->oid) continue;
      if (other->columns[i].identity != Identity::kNone) {
        return Status::Error(sqlstate::kFeatureNotSupported,
                             "cannot change ownership of identity sequence")
            .WithDetail(fmt::format("Sequence \"{}\" is linked to table \"{}\".", sequence->name,
                                    other->name));
      }
      CONNBENCH_RETURN_IF_ERROR(
          catalog_
              .Alter(transaction_, other,
                     [i](RelationInfo& changed) { changed.columns[i].owned_sequence = 0; })
              .TakeStatus());
    }
  }
  if (table == nullptr) return {};
  const auto index = static_cast<size_t>(column);
  return catalog_
      .Alter(transaction_, table,
             [&](RelationInfo& changed) { changed.columns[index].owned_sequence = sequence->oid; })
      .TakeStatus();
}

Result<RealSession::Outcome> RealSession::RunCreateSequence(const PgQuery__Node& statement,
                                                            std::string_view sql,
                                                            ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE SEQUENCE"));
  const PgQuery__CreateSeqStmt& create = *statement.create_seq_stmt;
  if (std::string_view(create.sequence->relpersistence) == "t") {
    return ast::NotSupported(sql, "a temporary sequence", create.sequence->location);
  }
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(std::string name, ast::NewRelationName(sql, *create.sequence));
  name = TruncateName(name);
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef taken, catalog_.FindIfExists(transaction_, name));
  if (taken != nullptr) {
    std::string message = fmt::format("relation \"{}\" already exists", name);
    if (!create.if_not_exists) {
      return Status::Error(sqlstate::kDuplicateTable, std::move(message));
    }
    Notice(sink, "NOTICE", sqlstate::kDuplicateTable, std::move(message) + ", skipping");
    return Outcome{"CREATE SEQUENCE"};
  }
  CONNBENCH_ASSIGN_OR_RETURN(
      const SequenceChange change,
      ReadSequenceOptions(sql, ast::List(create.options, create.n_options), nullptr, 0));
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(
      const RelationRef made,
      catalog_.CreateSequence(transaction_, name, change.definition, role_.oid));
  if (change.restart) {
    CONNBENCH_RETURN_IF_ERROR(catalog_.SetValue(made, *change.restart, false));
  }
  if (!change.owned_by.empty()) CONNBENCH_RETURN_IF_ERROR(OwnSequence(made, change.owned_by));
  return Outcome{"CREATE SEQUENCE"};
}

Result<RealSession::Outcome> RealSession::RunAlterSequence(const PgQuery__Node& statement,
                                                           std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("ALTER SEQUENCE"));
  const PgQuery__AlterSeqStmt& alter = *statement.alter_seq_stmt;
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, ast::RelationName(sql, *alter.sequence));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef found, catalog_.FindIfExists(transaction_, name));
  if (found == nullptr && alter.missing_ok) {
    Notice(sink, "NOTICE", sqlstate::kSuccessfulCompletion,
           fmt::format("relation \"{}\" does not exist, skipping", name));
    return Outcome{"ALTER SEQUENCE"};
  }
  if (found != nullptr && found->kind == RelationKind::kSequence) {
    CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *found, found->owner));
  }
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef sequence,
                             FindAndLockSequence(name, LockMode::kAccessExclusive));
  CONNBENCH_RETURN_IF_ERROR(RequireOwner(role_, *sequence, sequence->owner));
  CONNBENCH_ASSIGN_OR_RETURN(
      const SequenceChange change,
      ReadSequenceOptions(sql, ast::List(alter.options, alter.n_options), &sequence->sequence, 0));
  int64_t value = 0;
  bool called = catalog_.LastValue(sequence, value);
  if (change.restart) {
    value = *change.restart;
    called = false;
  }
  const SequenceInfo& info = change.definition;
  if (value < info.minimum || value > info.maximum) {
    const bool less = value < info.minimum;
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("RESTART value ({}) cannot be {} {} ({})", value,
                    less ? "less than" : "greater than", less ? "MINVALUE" : "MAXVALUE",
                    less ? info.minimum : info.maximum));
  }
  catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(sequence,
                             catalog_.AlterSequence(transaction_, sequence, info, value, called));
  if (!change.owned_by.empty()) CONNBENCH_RETURN_IF_ERROR(OwnSequence(sequence, change.owned_by));
  return Outcome{"ALTER SEQUENCE"};
}

// ---- what expressions ask for ----

Result<RelationRef> RealSession::SequenceOf(std::string_view text, PrivilegeSet any_of) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RelationNameOf(text, database_));
  // Held to the transaction's end, as in PostgreSQL, so that ALTER and DROP wait.
  CONNBENCH_ASSIGN_OR_RETURN(RelationRef sequence,
                             FindAndLockSequence(name, LockMode::kRowExclusive));
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, *sequence, any_of));
  return sequence;
}

Result<int64_t> RealSession::AdvanceSequence(const RelationRef& sequence) {
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t value, catalog_.NextValue(sequence));
  transaction_.OweFlush();
  sequence_values_.insert_or_assign(sequence->oid, value);
  last_sequence_ = sequence->oid;
  return value;
}

Result<int64_t> RealSession::NextSequenceValue(std::string_view text) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("nextval()"));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                             SequenceOf(text, privilege::kUsage | privilege::kUpdate));
  return AdvanceSequence(sequence);
}

// Whoever may insert into the table may have the value: the sequence is a part of its column.
Result<int64_t> RealSession::NextIdentityValue(Oid oid) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("nextval()"));
  CONNBENCH_RETURN_IF_ERROR(transaction_.locks().LockRelation(oid, LockMode::kRowExclusive));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence, catalog_.FindByOid(transaction_, oid));
  return AdvanceSequence(sequence);
}

Result<int64_t> RealSession::CurrentSequenceValue(std::string_view text) {
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence,
                             SequenceOf(text, privilege::kUsage | privilege::kSelect));
  const auto at = sequence_values_.find(sequence->oid);
  if (at != sequence_values_.end()) return at->second;
  return Status::Error(
      sqlstate::kObjectNotInPrerequisiteState,
      fmt::format("currval of sequence \"{}\" is not yet defined in this session", sequence->name));
}

Result<int64_t> RealSession::LastSequenceValue() {
  Result<RelationRef> sequence = catalog_.FindByOid(transaction_, last_sequence_);
  if (last_sequence_ == 0 || !sequence.ok()) {
    return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                         "lastval is not yet defined in this session");
  }
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_RETURN_IF_ERROR(RequireAny(role_, **sequence, privilege::kUsage | privilege::kSelect));
  return sequence_values_[last_sequence_];
}

Status RealSession::SetSequenceValue(std::string_view text, int64_t value, bool is_called) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("setval()"));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence, SequenceOf(text, privilege::kUpdate));
  CONNBENCH_RETURN_IF_ERROR(catalog_.SetValue(sequence, value, is_called));
  transaction_.OweFlush();
  if (is_called) sequence_values_.insert_or_assign(sequence->oid, value);
  return {};
}

Result<std::string_view> RealSession::SerialSequence(std::string_view table_text,
                                                     std::string_view column_name, Arena& arena) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string name, RelationNameOf(table_text, database_));
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef table, catalog_.Find(transaction_, name));
  const int column = table->FindColumn(column_name);
  if (column < 0) {
    return Status::Error(
        sqlstate::kUndefinedColumn,
        fmt::format("column \"{}\" of relation \"{}\" does not exist", column_name, name));
  }
  const Oid owned = table->columns[static_cast<size_t>(column)].owned_sequence;
  if (owned == 0) return std::string_view();
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef sequence, catalog_.FindByOid(transaction_, owned));
  const std::string_view copy = arena.Copy("public." + QuoteIfNeeded(sequence->name));
  if (copy.data() == nullptr) return arena.OutOfMemory();
  return copy;
}

}  // namespace connbench::engine
