// Dependencies between relations: see dependencies.h.
#include "engine/sql/dependencies.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/roles/access.h"

namespace connbench::engine {
namespace {

bool Contains(const std::vector<Oid>& oids, Oid oid) {
  return std::find(oids.begin(), oids.end(), oid) != oids.end();
}

bool Uses(const ViewReference& reference, Oid relation, int16_t column) {
  return reference.oid == relation &&
         std::any_of(reference.columns.begin(), reference.columns.end(),
                     [column](const ViewReference::Column& used) { return used.number == column; });
}

}  // namespace

std::string Described(const RelationInfo& relation) {
  return fmt::format("{} {}", KindWord(relation.kind), relation.name);
}

std::string Dependent::Describe() const {
  if (kind == Kind::kView) return Described(*table);
  if (kind == Kind::kDefault) {
    return fmt::format("default value for column {} of table {}", table->columns[column].name,
                       table->name);
  }
  for (const ForeignKeyInfo& key : table->foreign_keys) {
    if (key.oid == oid) return fmt::format("constraint {} on table {}", key.name, table->name);
  }
  return "";
}

Result<Dependencies> Dependencies::Load(Catalog& catalog, Transaction& transaction) {
  Dependencies all;
  CONNBENCH_ASSIGN_OR_RETURN(all.relations_, catalog.List(transaction));
  std::sort(all.relations_.begin(), all.relations_.end(),
            [](const RelationRef& a, const RelationRef& b) { return a->oid < b->oid; });
  return all;
}

Part Dependencies::PartOf(const RelationInfo& relation) const {
  for (const RelationRef& table : relations_) {
    for (const IndexInfo& index : table->indexes) {
      if (index.oid != relation.oid || !index.constraint) continue;
      return {table->oid, fmt::format("constraint {} on table {}", index.name, table->name)};
    }
    for (const ColumnInfo& column : table->columns) {
      if (column.owned_sequence != relation.oid || column.identity == Identity::kNone) continue;
      return {table->oid, fmt::format("column {} of table {}", column.name, table->name)};
    }
  }
  return {};
}

// As PostgreSQL looks for them: the newest first, each after what depends on it.
void Dependencies::Collect(const RelationInfo& relation, std::vector<Oid>& seen,
                           std::vector<Dependent>& dependents) const {
  std::vector<Dependent> direct;
  const std::string on = Described(relation);
  const auto owner_of = [&](Oid sequence) {
    return std::any_of(
        relation.columns.begin(), relation.columns.end(),
        [sequence](const ColumnInfo& column) { return column.owned_sequence == sequence; });
  };
  const auto name_of = [this](Oid sequence) {
    for (const RelationRef& each : relations_) {
      if (each->oid == sequence) return Described(*each);
    }
    return std::string();
  };
  for (const RelationRef& other : relations_) {
    if (Contains(seen, other->oid)) continue;
    for (size_t column = 0; column < other->columns.size(); ++column) {
      for (const Oid sequence : other->columns[column].default_sequences) {
        if (sequence != relation.oid && !owner_of(sequence)) continue;
        direct.push_back({Dependent::Kind::kDefault, other, 0, column, name_of(sequence)});
      }
    }
    for (const ForeignKeyInfo& key : other->foreign_keys) {
      if (key.table_oid != relation.oid && key.index_oid != relation.oid) continue;
      direct.push_back({Dependent::Kind::kForeignKey, other, key.oid, 0, on});
    }
    for (const ViewReference& reference : other->view.references) {
      if (reference.oid != relation.oid) continue;
      direct.push_back({Dependent::Kind::kView, other, other->oid, 0, on});
    }
  }
  Expand(std::move(direct), seen, dependents);
}

void Dependencies::Expand(std::vector<Dependent> direct, std::vector<Oid>& seen,
                          std::vector<Dependent>& dependents) const {
  const auto age = [](const Dependent& each) {
    if (each.through != 0) return each.through;
    return each.oid != 0 ? each.oid : each.table->oid;
  };
  std::reverse(direct.begin(), direct.end());
  std::stable_sort(direct.begin(), direct.end(),
                   [&](const Dependent& a, const Dependent& b) { return age(a) > age(b); });
  for (Dependent& each : direct) {
    if (each.kind == Dependent::Kind::kView) {
      CollectView(std::move(each), seen, dependents);
    } else {
      dependents.push_back(std::move(each));
    }
  }
}

void Dependencies::CollectView(Dependent view, std::vector<Oid>& seen,
                               std::vector<Dependent>& dependents) const {
  if (Contains(seen, view.oid)) return;
  seen.push_back(view.oid);
  Collect(*view.table, seen, dependents);
  dependents.push_back(std::move(view));
}

std::vector<Dependent> Dependencies::OnAny(std::span<const RelationRef> relations) const {
  std::vector<Oid> seen;
  for (const RelationRef& relation : relations) seen.push_back(relation->oid);
  std::vector<Dependent> dependents;
  for (const RelationRef& relation : relations) Collect(*relation, seen, dependents);
  std::reverse(dependents.begin(), dependents.end());
  return dependents;
}

std::vector<Dependent> Dependencies::OnColumn(const RelationInfo& relation, int16_t column) const {
  std::vector<Oid> seen;
  std::vector<Dependent> dependents;
  const std::string on = fmt::format(
      "column {} of {}", relation.columns[static_cast<size_t>(column)].name, Described(relation));
  for (auto view = relations_.rbegin(); view != relations_.rend(); ++view) {
    for (const ViewReference& reference : (*view)->view.references) {
      if (!Uses(reference, relation.oid, column)) continue;
      CollectView({Dependent::Kind::kView, *view, (*view)->oid, 0, on}, seen, dependents);
    }
  }
  std::reverse(dependents.begin(), dependents.end());
  return dependents;
}

std::vector<Dependent> Dependencies::OnDroppedColumn(const RelationInfo& table,
                                                     int16_t column) const {
  const ColumnInfo& dropped = table.columns[static_cast<size_t>(column)];
  const std::string on = fmt::format("column {} of {}", dropped.name, Described(table));
  std::vector<Dependent> direct;
  for (const RelationRef& other : relations_) {
    for (size_t i = 0; i < other->columns.size(); ++i) {
      const bool own = other->oid == table.oid && i == static_cast<size_t>(column);
      if (own || dropped.owned_sequence == 0) continue;
      if (!Contains(other->columns[i].default_sequences, dropped.owned_sequence)) continue;
      const auto sequence = std::find_if(
          relations_.begin(), relations_.end(),
          [&](const RelationRef& each) { return each->oid == dropped.owned_sequence; });
      if (sequence == relations_.end()) continue;
      direct.push_back(
          {Dependent::Kind::kDefault, other, 0, i, Described(**sequence), dropped.owned_sequence});
    }
    for (const ForeignKeyInfo& key : other->foreign_keys) {
      const bool own =
          other->oid == table.oid && HasColumn(key.columns, static_cast<size_t>(column));
      if (own || key.table_oid != table.oid ||
          !HasColumn(key.referenced_columns, static_cast<size_t>(column)))
        continue;
      direct.push_back({Dependent::Kind::kForeignKey, other, key.oid, 0, on});
    }
    for (const ViewReference& reference : other->view.references) {
      if (!Uses(reference, table.oid, column)) continue;
      direct.push_back({Dependent::Kind::kView, other, other->oid, 0, on});
    }
    for (const IndexInfo& index : table.indexes) {
      if (!HasColumn(index.key_columns, static_cast<size_t>(column)) ||
          !Contains(other->view.keys, index.oid))
        continue;
      direct.push_back({Dependent::Kind::kView, other, other->oid, 0,
                        fmt::format("constraint {} on {}", index.name, Described(table)),
                        index.oid});
    }
  }
  std::vector<Oid> seen;
  std::vector<Dependent> dependents;
  Expand(std::move(direct), seen, dependents);
  std::reverse(dependents.begin(), dependents.end());
  return dependents;
}

RelationRef Dependencies::ViewOfColumn(const RelationInfo& relation, int16_t column) const {
  for (const RelationRef& view : relations_) {
    for (const ViewReference& reference : view->view.references) {
      if (Uses(reference, relation.oid, column)) return view;
    }
  }
  return nullptr;
}

std::vector<Dependent> Dependencies::OnIndex(const RelationInfo& table,
                                             const IndexInfo& index) const {
  std::vector<Oid> seen;
  std::vector<Dependent> dependents;
  for (auto relation = relations_.rbegin(); relation != relations_.rend(); ++relation) {
    for (auto key = (*relation)->foreign_keys.rbegin(); key != (*relation)->foreign_keys.rend();
         ++key) {
      if (key->index_oid != index.oid) continue;
      dependents.push_back({Dependent::Kind::kForeignKey, *relation, key->oid, 0,
                            fmt::format("index {}", index.name)});
    }
    if (!Contains((*relation)->view.keys, index.oid)) continue;
    CollectView({Dependent::Kind::kView, *relation, (*relation)->oid, 0,
                 fmt::format("constraint {} on {}", index.name, Described(table))},
                seen, dependents);
  }
  std::reverse(dependents.begin(), dependents.end());
  return dependents;
}

std::vector<RelationRef> Dependencies::Referencing(Oid oid) const {
  std::vector<RelationRef> tables;
  for (const RelationRef& table : relations_) {
    const bool refers =
        std::any_of(table->foreign_keys.begin(), table->foreign_keys.end(),
                    [oid](const ForeignKeyInfo& key) { return key.table_oid == oid; });
    if (refers) tables.push_back(table);
  }
  return tables;
}

Result<std::vector<std::string>> UsesOfRole(Catalog& catalog, Transaction& transaction, Oid role) {
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<RelationRef> relations, catalog.List(transaction));
  std::sort(relations.begin(), relations.end(),
            [](const RelationRef& a, const RelationRef& b) { return a->oid < b->oid; });
  std::vector<std::string> uses;
  for (const RelationRef& relation : relations) {
    if (relation->kind == RelationKind::kIndex) continue;  // its table says it
    const std::string what = Described(*relation);
    if (relation->owner == role) {
      uses.push_back("owner of " + what);
      continue;
    }
    if (!relation->grants) continue;
    const bool granted = std::any_of(relation->grants->begin(), relation->grants->end(),
                                     [role](const Grant& grant) { return grant.grantee == role; });
    if (granted) uses.push_back("privileges for " + what);
  }
  return uses;
}

}  // namespace connbench::engine
