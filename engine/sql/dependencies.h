// What depends on a relation, so that DROP either refuses or takes it along. Nothing is stored for
// it: the catalog's rows say it all.
//
// Inside a relation: its indexes, and the sequences that its columns own, go with it. Beside it:
// defaults that call a sequence, foreign keys that refer to a table, views that read a table or a
// view. Only these can be in the way. A view has dependents of its own, which go with it.
//
// Safety: private memory. The caller holds a lock on what it asks about that keeps new dependents
// away: who adds one locks what it will depend on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// "table t".
std::string Described(const RelationInfo& relation);

// A default or a foreign key of a table, or a view.
struct Dependent {
  enum class Kind : uint8_t { kDefault, kForeignKey, kView };
  Kind kind = Kind::kDefault;
  RelationRef table;  // that has it; the view
  Oid oid = 0;        // of the foreign key or view
  size_t column = 0;  // of the default
  std::string on;     // "sequence s": what it depends on
  Oid through = 0;    // what goes anyway and leads to it

  // "constraint c_a_fkey on table c"
  std::string Describe() const;
};

// An object that cannot be dropped on its own, because it belongs to another: "constraint t_pkey on
// table t".
struct Part {
  Oid table_oid = 0;
  std::string owner;
};

class Dependencies {
 public:
  // As of now, whatever the transaction's isolation level.
  static Result<Dependencies> Load(Catalog& catalog, Transaction& transaction);

  // Of an index: its constraint. Of a sequence: the identity column whose values it gives. Empty
  // owner: the object stands for itself.
  Part PartOf(const RelationInfo& relation) const;
  // What depends on any of the relations, or on what goes with them, and is not itself in one of
  // them.
  std::vector<Dependent> OnAny(std::span<const RelationRef> relations) const;
  // The views that use a column of the relation, and those that read these.
  std::vector<Dependent> OnColumn(const RelationInfo& relation, int16_t column) const;
  // What goes only with CASCADE when the table loses the column: foreign keys that refer to it,
  // views, defaults that call the sequence that it owns. Its own constraints and indexes go anyway.
  std::vector<Dependent> OnDroppedColumn(const RelationInfo& table, int16_t column) const;
  // The oldest view that uses the column of the relation itself; null: there is none.
  RelationRef ViewOfColumn(const RelationInfo& relation, int16_t column) const;
  // What depends on the unique index of a constraint.
  std::vector<Dependent> OnIndex(const RelationInfo& table, const IndexInfo& index) const;
  // The tables with a foreign key to this one.
  std::vector<RelationRef> Referencing(Oid table) const;

 private:
  // Appends the dependents in the order in which they must go: each before what it depends on.
  void Collect(const RelationInfo& relation, std::vector<Oid>& seen,
               std::vector<Dependent>& dependents) const;
  // The same of those that depend directly: the newest first.
  void Expand(std::vector<Dependent> direct, std::vector<Oid>& seen,
              std::vector<Dependent>& dependents) const;
  void CollectView(Dependent view, std::vector<Oid>& seen,
                   std::vector<Dependent>& dependents) const;

  std::vector<RelationRef> relations_;  // by oid
};

// "owner of table t", "privileges for table u".
Result<std::vector<std::string>> UsesOfRole(Catalog& catalog, Transaction& transaction, Oid role);

}  // namespace connbench::engine
