// What the catalog says of an object as SQL text, as PostgreSQL's functions pg_get_indexdef(),
// pg_get_constraintdef() and pg_get_expr() print it.
//
// Safety: pure functions; private memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/type_io.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// Of the two schemas.
inline constexpr Oid kCatalogSchemaOid = kSchemas[0].oid;
inline constexpr Oid kPublicSchemaOid = kSchemas[1].oid;
inline Oid SchemaOf(Oid relation) {
  return relation < kFirstUserOid ? kCatalogSchemaOid : kPublicSchemaOid;
}
inline std::string_view SchemaName(Oid schema) {
  return schema == kCatalogSchemaOid ? kSchemas[0].name : kSchemas[1].name;
}

// "CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)"; qualified: with the schema.
std::string IndexDefinitionText(const RelationInfo& table, const IndexInfo& index, bool qualified);
// "PRIMARY KEY (id)", "UNIQUE (a, b)".
std::string KeyConstraintText(const RelationInfo& table, const IndexInfo& index);
// "CHECK ((a > 0))"
Result<std::string> CheckText(const RelationInfo& table, const CheckInfo& check,
                              Interrupts* interrupts);
// "FOREIGN KEY (a) REFERENCES p(id) NOT VALID": its rows are not checked.
std::string ForeignKeyText(const RelationInfo& table, const ForeignKeyInfo& key,
                           const RelationInfo& referenced);
// A column's default, without the marks that the stored text has for reading it back; empty if it
// has none.
Result<std::string> DefaultForPeople(const ColumnInfo& column, Interrupts* interrupts);
// "postgres=arwdDxt/postgres", "=r/postgres": the elements of an aclitem[].
std::vector<std::string> AclItems(const RelationInfo& relation,
                                  const std::function<std::string(Oid role)>& role_name);

}  // namespace connbench::engine
