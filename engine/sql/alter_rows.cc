// ALTER TABLE: what the rows of the table go through.

#include <fmt/format.h>

#include <algorithm>

#include "engine/executor/nodes/table.h"
#include "engine/sql/alter_table.h"
#include "engine/sql/check_constraints.h"
#include "engine/storage/latest_snapshot.h"

namespace connbench::engine {

Status RealSession::Alteration::FinishRows() {
  if (rewrite_) {
    CONNBENCH_RETURN_IF_ERROR(RewriteRows());
  } else if (!not_null_.empty() || !checks_.empty()) {
    CONNBENCH_RETURN_IF_ERROR(TestRows());
  }
  rewrite_ = false;
  values_.clear();
  not_null_.clear();
  checks_.clear();
  before_ = table_;
  return {};
}

Result<RealSession::Alteration::RowTests> RealSession::Alteration::LoadTests() {
  RowTests tests;
  tests.not_null = not_null_;
  std::sort(tests.not_null.begin(), tests.not_null.end());
  for (const Oid oid : checks_) {
    for (const CheckInfo& check : table_->checks) {
      if (check.oid != oid) continue;
      CONNBENCH_ASSIGN_OR_RETURN(const Expression* condition,
                                 ReadStoredCheck(*table_, check, arena_));
      tests.checks.emplace_back(check.name, condition);
    }
  }
  return tests;
}

Status RealSession::Alteration::TestRow(const RowTests& tests, const Value* row,
                                        EvalContext& context) const {
  for (const size_t column : tests.not_null) {
    if (!row[column].null) continue;
    const std::string& name = table_->columns[column].name;
    return Status::Error(sqlstate::kNotNullViolation,
                         fmt::format("column \"{}\" of relation \"{}\" contains null values", name,
                                     table_->name))
        .OfColumn(table_->name, name);
  }
  context.columns = row;
  for (const auto& [name, condition] : tests.checks) {
    Value holds;
    if (!Evaluate(*condition, context, holds)) return std::move(context.status);
    if (holds.null || holds.integer != 0) continue;
    return Status::Error(
               sqlstate::kCheckViolation,
               fmt::format("check constraint \"{}\" of relation \"{}\" is violated by some row",
                           name, table_->name))
        .OfConstraint(table_->name, name);
  }
  return {};
}

Status RealSession::Alteration::TestRows() {
  CONNBENCH_ASSIGN_OR_RETURN(const RowTests tests, LoadTests());
  EvalContext context{nullptr, nullptr, &session_.scratch_, &session_, {}};
  const RowCodec codec = CodecOf(*table_);
  std::vector<Value> row(table_->columns.size());
  const LatestSnapshot snapshot(session_.transaction_);
  const auto scan = std::make_unique<HeapScan>(Heap(session_.storage_, table_->storage),
                                               session_.transaction_, snapshot.get());
  HeapRow heap_row;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(session_.transaction_.CheckForInterrupts());
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, scan->Next(heap_row));
    if (!found) return {};
    session_.scratch_.Reset();
    codec.DecodeAll(heap_row.bytes, row.data());
    CONNBENCH_RETURN_IF_ERROR(TestRow(tests, row.data(), context));
  }
}

// The new rows are this transaction's: older snapshots see none of them, as in PostgreSQL.
Status RealSession::Alteration::RewriteRows() {
  Transaction& transaction = session_.transaction_;
  CONNBENCH_ASSIGN_OR_RETURN(const RowTests tests, LoadTests());
  const RelationRef defined = table_;
  session_.catalog_changed_ = true;
  CONNBENCH_ASSIGN_OR_RETURN(table_, session_.catalog_.Truncate(transaction, defined));
  const size_t width = defined->columns.size();
  const size_t old_width = before_->columns.size();
  values_.resize(width, nullptr);
  const RowCodec old_codec = CodecOf(*before_);
  std::vector<Value> old_row(old_width);
  std::vector<Value> row(width);  // those that no loop below sets stay null
  for (size_t i = old_width; i < width; ++i) {
    const ColumnInfo& column = defined->columns[i];
    if (column.missing.empty()) continue;
    row[i] = RowCodec(std::span(&column.type_oid, 1)).DecodeColumn(column.missing, 0);
  }
  {
    Table table(session_.storage_, table_);
    EvalContext context{nullptr, nullptr, &session_.scratch_, &session_, {}};
    const LatestSnapshot snapshot(transaction);
    const auto scan = std::make_unique<HeapScan>(Heap(session_.storage_, before_->storage),
                                                 transaction, snapshot.get());
    HeapRow heap_row;
    while (true) {
      CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
      CONNBENCH_ASSIGN_OR_RETURN(const bool found, scan->Next(heap_row));
      if (!found) break;
      session_.scratch_.Reset();
      old_codec.DecodeAll(heap_row.bytes, old_row.data());
      context.columns = old_row.data();
      for (size_t i = 0; i < width; ++i) {
        if (defined->columns[i].dropped) continue;
        if (values_[i] == nullptr) {
          if (i < old_width) row[i] = old_row[i];
        } else if (!Evaluate(*values_[i], context, row[i])) {
          return std::move(context.status);
        }
      }
      CONNBENCH_RETURN_IF_ERROR(TestRow(tests, row.data(), context));
      CONNBENCH_RETURN_IF_ERROR(table.Tidy());
      CONNBENCH_RETURN_IF_ERROR(
          table.heap().Insert(transaction, table.Encode(row.data())).TakeStatus());
    }
  }
  transaction.AdvanceCommand();
  for (size_t i = 0; i < table_->indexes.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(session_.BuildIndex(table_, i));
  }
  return {};
}

}  // namespace connbench::engine
