// CREATE INDEX.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/executor/nodes/external_sorter.h"
#include "engine/executor/nodes/table.h"
#include "engine/sql/ast.h"
#include "engine/sql/column_defaults.h"
#include "engine/sql/session_impl.h"
#include "engine/sql/storage_options.h"
#include "engine/sql/table_definition.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/storage/storage.h"

namespace connbench::engine {
namespace {

// Sorting the keys of a new index may use this much memory before it goes to disk.
constexpr int64_t kIndexBuildBytes = int64_t{64} << 20;

// The names of an index's columns as its default name has them: "a_b".
std::string KeyNames(const RelationInfo& table, const IndexInfo& index) {
  std::string names;
  for (int16_t column : index.key_columns) {
    if (!names.empty()) names += '_';
    names += table.columns[static_cast<size_t>(column)].name;
  }
  return names;
}

}  // namespace

// An empty index, named if it has no name yet; the table as it is with it.
Result<RelationRef> RealSession::MakeIndex(const RelationRef& table, IndexInfo definition) {
  if (definition.name.empty()) {
    const std::string columns = definition.primary ? "" : KeyNames(*table, definition);
    const std::string_view suffix = definition.primary ? "pkey" : definition.unique ? "key" : "idx";
    CONNBENCH_ASSIGN_OR_RETURN(definition.name, ChooseName(table->name, columns, suffix));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const RelationRef taken,
                             catalog_.FindIfExists(transaction_, definition.name));
  if (taken != nullptr) {
    return Status::Error(sqlstate::kDuplicateTable,
                         fmt::format("relation \"{}\" already exists", definition.name));
  }
  if (definition.constraint && table->HasConstraint(definition.name)) {
    return Status::Error(sqlstate::kDuplicateObject,
                         fmt::format("constraint \"{}\" for relation \"{}\" already exists",
                                     definition.name, table->name));
  }
  catalog_changed_ = true;
  return catalog_.CreateIndex(transaction_, table, definition);
}

// Fills an index of the table from its rows.
Status RealSession::BuildIndex(const RelationRef& relation, size_t which) {
  Table table(storage_, relation);
  const TableIndex& index = table.indexes()[which];
  ExternalSorter sorter;
  sorter.SetMemoryLimit(kIndexBuildBytes);
  sorter.SetInterrupts(this);
  EvalContext context{nullptr, nullptr, &scratch_, this, {}};
  std::vector<Value> row(static_cast<size_t>(table.columns()));
  KeyBuffer key;
  {
    const LatestSnapshot snapshot(transaction_);
    const auto scan = std::make_unique<HeapScan>(table.heap(), transaction_, snapshot.get(),
                                                 ScanPurpose::kIndexBuild);
    HeapRow heap_row;
    while (true) {
      CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
      CONNBENCH_ASSIGN_OR_RETURN(const bool found, scan->Next(heap_row));
      if (!found) break;
      table.codec().DecodeAll(heap_row.bytes, row.data());
      const bool complete = table.MakeKey(index, row.data(), key);
      if (!complete && index.info->primary) {
        for (int16_t column : index.info->key_columns) {
          if (!row[static_cast<size_t>(column)].null) continue;
          const std::string& name = relation->columns[static_cast<size_t>(column)].name;
          return Status::Error(sqlstate::kNotNullViolation,
                               fmt::format("column \"{}\" of relation \"{}\" contains null values",
                                           name, relation->name))
              .OfColumn(relation->name, name);
        }
      }
      if (key.size() > kMaxKeySize) {
        return Status::Error(sqlstate::kProgramLimitExceeded,
                             fmt::format("index row size {} exceeds maximum {} for index \"{}\"",
                                         key.size(), kMaxKeySize, index.info->name));
      }
      // Equal keys in the order of their tids: no key is the beginning of another one. The flag
      // tells rows that are never duplicates.
      const uint64_t tid = __builtin_bswap64(heap_row.tid.Packed());
      key.Append({reinterpret_cast<const char*>(&tid), sizeof tid});
      const char payload = complete ? 1 : 0;
      CONNBENCH_RETURN_IF_ERROR(sorter.Add(key.view(), {&payload, 1}));
    }
  }
  CONNBENCH_RETURN_IF_ERROR(sorter.Finish());
  std::string last_key;
  bool has_last = false;
  const bool unique = index.info->unique;
  BTree tree = index.tree;
  const auto next = [&](std::string_view& key_out, Tid& tid_out) -> Result<bool> {
    CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
    std::string_view payload;
    CONNBENCH_ASSIGN_OR_RETURN(const bool found, sorter.Next(key_out, payload));
    if (!found) return false;
    uint64_t tid = 0;
    key_out.remove_suffix(sizeof tid);
    std::memcpy(&tid, key_out.data() + key_out.size(), sizeof tid);
    tid_out = Tid::FromPacked(__builtin_bswap64(tid));
    const bool complete = payload.back() != 0;
    if (!unique || !complete) return true;
    if (has_last && last_key == key_out) {
      // Read the row again for the message.
      const auto buffer = std::make_unique<RowBuffer>();
      HeapRow duplicate;
      const LatestSnapshot snapshot(transaction_);
      CONNBENCH_ASSIGN_OR_RETURN(
          const FetchOutcome fetched,
          table.heap().Fetch(transaction_, snapshot.get(), tid_out, *buffer, duplicate));
      std::string detail;
      if (fetched == FetchOutcome::kFound) {
        table.codec().DecodeAll(duplicate.bytes, row.data());
        detail = table.DescribeKey(index, row.data(), context) + " is duplicated.";
      }
      return Status::Error(sqlstate::kUniqueViolation,
                           fmt::format("could not create unique index \"{}\"", index.info->name))
          .WithDetail(std::move(detail))
          .OfConstraint(relation->name, index.info->name);
    }
    last_key = key_out;
    has_last = true;
    return true;
  };
  return tree.BulkBuild(next);
}

Result<RealSession::Outcome> RealSession::RunCreateIndex(const PgQuery__Node& statement,
                                                         std::string_view sql, ResultSink& sink) {
  CONNBENCH_RETURN_IF_ERROR(CheckReadOnly("CREATE INDEX"));
  const PgQuery__IndexStmt& create = *statement.index_stmt;
  if (create.concurrent) CONNBENCH_RETURN_IF_ERROR(RefuseBlock("CREATE INDEX CONCURRENTLY"));
  const int location = create.relation->location;
  const std::string_view method = create.access_method;
  constexpr std::string_view kOtherMethods[] = {"hash", "gist", "gin", "spgist", "brin", "rtree"};
  if (method != "btree" && !method.empty()) {
    if (std::find(std::begin(kOtherMethods), std::end(kOtherMethods), method) ==
        std::end(kOtherMethods)) {
      return Status::Error(sqlstate::kUndefinedObject,
                           fmt::format("access method \"{}\" does not exist", method));
    }
    return ast::NotSupported(sql, fmt::format("access method \"{}\"", method), location);
  }
  if (create.where_clause != nullptr) {
    return ast::NotSupported(sql, "a partial index", ast::LocationOf(*create.where_clause));
  }
  CONNBENCH_RETURN_IF_ERROR(CheckTablespace(create.table_space));
  CONNBENCH_RETURN_IF_ERROR(
      CheckStorageOptions(sql, ast::List(create.options, create.n_options), true));
  if (create.n_index_including_params > 0) return ast::NotSupported(sql, "INCLUDE", location);
  if (create.nulls_not_distinct) return ast::NotSupported(sql, "NULLS NOT DISTINCT", location);
  CONNBENCH_RETURN_IF_ERROR(RefreshRole());
  CONNBENCH_ASSIGN_OR_RETURN(
      RelationRef table, FindAndLockTable(planning_context(), sql, *create.relation,
                                          LockMode::kShare, {.ownership = true, .or_view = true}));
  if (table->kind == RelationKind::kView) {
    return Status::Error(sqlstate::kWrongObjectType,
                         fmt::format("cannot create index on relation \"{}\"", table->name))
        .WithDetail("This operation is not supported for views.");
  }
  CONNBENCH_RETURN_IF_ERROR(CheckNotInUse("CREATE INDEX", *table));
  IndexInfo index;
  index.name = TruncateName(create.idxname);
  index.unique = create.unique;
  if (!index.name.empty() && create.if_not_exists) {
    CONNBENCH_ASSIGN_OR_RETURN(const RelationRef taken,
                               catalog_.FindIfExists(transaction_, index.name));
    if (taken != nullptr) {
      Notice(sink, "NOTICE", sqlstate::kDuplicateTable,
             fmt::format("relation \"{}\" already exists, skipping", index.name));
      return Outcome{"CREATE INDEX"};
    }
  }
  if (create.n_index_params > static_cast<size_t>(kMaxIndexColumns)) {
    return Status::Error(
        sqlstate::kTooManyColumns,
        fmt::format("cannot use more than {} columns in an index", kMaxIndexColumns));
  }
  for (const ast::Node* node : ast::List(create.index_params, create.n_index_params)) {
    const PgQuery__IndexElem& element = *node->index_elem;
    if (element.expr != nullptr) {
      return ast::NotSupported(sql, "an index on an expression", ast::LocationOf(*element.expr));
    }
    if (element.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC ||
        element.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST) {
      return ast::NotSupported(sql, "an index that is not ascending with nulls last", location);
    }
    const int column = table->FindColumn(element.name);
    if (column < 0) {
      return Status::Error(sqlstate::kUndefinedColumn,
                           fmt::format("column \"{}\" does not exist", element.name));
    }
    const Oid type = table->columns[static_cast<size_t>(column)].type_oid;
    CONNBENCH_RETURN_IF_ERROR(CheckIndexElement(sql, element, type, location));
    CONNBENCH_RETURN_IF_ERROR(CheckIndexableType(sql, type, location));
    index.key_columns.push_back(static_cast<int16_t>(column));
  }
  if (index.name.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(index.name, ChooseName(table->name, KeyNames(*table, index), "idx"));
  }
  CONNBENCH_ASSIGN_OR_RETURN(table, MakeIndex(table, std::move(index)));
  CONNBENCH_RETURN_IF_ERROR(BuildIndex(table, table->indexes.size() - 1));
  return Outcome{"CREATE INDEX"};
}

}  // namespace connbench::engine
