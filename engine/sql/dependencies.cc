// Dependencies between relations: see dependencies.h.
#include "engine/sql/dependencies.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/roles/access.h"

namespace connbench::engine {

std::string Dependent::Describe() const {
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

std::vector<Dependent> Dependencies::OnAny(std::span<const RelationRef> relations) const {
  std::vector<Oid> tables;
  std::vector<Oid> sequences;
  std::vector<Oid> indexes;
  for (const RelationRef& relation : relations) {
    if (relation->kind == RelationKind::kIndex) indexes.push_back(relation->oid);
    if (relation->kind == RelationKind::kSequence) sequences.push_back(relation->oid);
    if (relation->kind != RelationKind::kTable) continue;
    tables.push_back(relation->oid);
    for (const ColumnInfo& column : relation->columns) {
      if (column.owned_sequence != 0) sequences.push_back(column.owned_sequence);
    }
  }
  const auto contains = [](const std::vector<Oid>& oids, Oid oid) {
    return std::find(oids.begin(), oids.end(), oid) != oids.end();
  };
  const auto name_of = [this](Oid oid) {
    for (const RelationRef& relation : relations_) {
      if (relation->oid == oid) {
        return fmt::format("{} {}", KindWord(relation->kind), relation->name);
      }
    }
    return std::string();
  };
  std::vector<Dependent> dependents;
  for (const RelationRef& table : relations_) {
    if (contains(tables, table->oid)) continue;
    for (size_t column = 0; column < table->columns.size(); ++column) {
      for (const Oid sequence : table->columns[column].default_sequences) {
        if (!contains(sequences, sequence)) continue;
        dependents.push_back({Dependent::Kind::kDefault, table, 0, column, name_of(sequence)});
      }
    }
    for (const ForeignKeyInfo& key : table->foreign_keys) {
      const bool on_index = contains(indexes, key.index_oid);
      if (!on_index && !contains(tables, key.table_oid)) continue;
      dependents.push_back({Dependent::Kind::kForeignKey, table, key.oid, 0,
                            name_of(on_index ? key.index_oid : key.table_oid)});
    }
  }
  return dependents;
}

std::vector<Dependent> Dependencies::OnIndex(const IndexInfo& index) const {
  std::vector<Dependent> dependents;
  for (const RelationRef& table : relations_) {
    for (const ForeignKeyInfo& key : table->foreign_keys) {
      if (key.index_oid != index.oid) continue;
      dependents.push_back(
          {Dependent::Kind::kForeignKey, table, key.oid, 0, fmt::format("index {}", index.name)});
    }
  }
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
    const std::string what = fmt::format("{} {}", KindWord(relation->kind), relation->name);
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
