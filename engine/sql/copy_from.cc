// COPY FROM: what becomes of each row.
#include "engine/sql/copy_from.h"

#include <fmt/format.h>

#include <utility>

#include "engine/storage/latest_snapshot.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Rows are written in batches: latches, visibility and page searches are paid once for many.
constexpr size_t kBatchRows = 512;
constexpr int64_t kBatchBytes = 64 * 1024;

}  // namespace

Status BadCopyFormat(std::string message) {
  return Status::Error(sqlstate::kBadCopyFileFormat, std::move(message));
}

CopyFrom::CopyFrom(CopyTarget target, Transaction& transaction, EvalEnvironment& environment)
    : target_(std::move(target)),
      given_(static_cast<size_t>(target_.table->columns()), false),
      transaction_(transaction),
      row_values_(static_cast<size_t>(target_.table->columns())) {
  for (int column : target_.columns) given_[static_cast<size_t>(column)] = true;
  context_.arena = &row_arena_;
  row_arena_.set_interrupts(&environment);
  context_.environment = &environment;
}

const ColumnInfo& CopyFrom::column(size_t i) const {
  return table().columns[static_cast<size_t>(target_.columns[i])];
}

Status CopyFrom::InLine(Status error, std::string_view rest) const {
  if (error.error().fatal) return error;
  return std::move(error).WithContext(
      fmt::format("COPY {}, line {}{}", table().name, line_number_, rest));
}

std::string CopyFrom::NextLine() const {
  return fmt::format("COPY {}, line {}", table().name, line_number_ + 1);
}

Status CopyFrom::BeginRow() {
  row_arena_.Reset();
  return transaction_.CheckForInterrupts();
}

Status CopyFrom::AddRow() {
  for (size_t column = 0; column < given_.size(); ++column) {
    if (given_[column]) continue;
    if (!Evaluate(*target_.defaults[column], context_, row_values_[column])) {
      return InThisRow(std::move(context_.status));
    }
  }
  if (target_.where != nullptr) {
    context_.columns = row_values_.data();
    bool wanted = false;
    if (!EvaluateCondition(*target_.where, context_, wanted)) {
      return InThisRow(std::move(context_.status));
    }
    if (!wanted) return {};
  }
  Table& table = *target_.table;
  Status status = table.CheckConstraints(row_values_.data(), context_);
  if (!status.ok()) return InThisRow(std::move(status));
  const size_t bytes = table.codec().EncodedSize(row_values_.data());
  char* encoded = batch_arena_.AllocateBytes(bytes);
  if (encoded == nullptr) return batch_arena_.OutOfMemory();
  table.codec().Encode(row_values_.data(), encoded);
  batch_rows_.emplace_back(encoded, bytes);
  batch_lines_.push_back(line_number_);
  batch_bytes_ += static_cast<int64_t>(bytes);
  ++rows_;
  if (batch_rows_.size() >= kBatchRows || batch_bytes_ >= kBatchBytes) return Flush();
  return {};
}

Status CopyFrom::Flush() {
  if (batch_rows_.empty()) return {};
  Table& table = *target_.table;
  CONNBENCH_RETURN_IF_ERROR(table.Tidy());
  const LatestSnapshot snapshot(transaction_);
  batch_tids_.resize(batch_rows_.size());
  CONNBENCH_RETURN_IF_ERROR(table.heap().InsertMany(transaction_, batch_rows_, batch_tids_));
  if (!table.indexes().empty() || table.watcher() != nullptr) {
    for (size_t i = 0; i < batch_rows_.size(); ++i) {
      table.codec().DecodeAll(batch_rows_[i], row_values_.data());
      Status status =
          table.AddToIndexes(transaction_, row_values_.data(), batch_tids_[i], context_);
      if (!status.ok()) {
        line_number_ = batch_lines_[i];
        return InLine(std::move(status));
      }
      if (table.watcher() == nullptr) continue;
      CONNBENCH_RETURN_IF_ERROR(table.watcher()->Inserted(row_values_.data(), batch_tids_[i]));
    }
  }
  batch_rows_.clear();
  batch_lines_.clear();
  batch_bytes_ = 0;
  batch_arena_.Reset();
  return {};
}

Result<int64_t> CopyFrom::FinishRows() {
  CONNBENCH_RETURN_IF_ERROR(Flush());
  return rows_;
}

}  // namespace connbench::engine
