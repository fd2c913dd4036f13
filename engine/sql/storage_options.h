// WITH (...), TABLESPACE, USING and operator classes of tables and indexes: checked as PostgreSQL
// does, and without effect. Private to engine/sql.
//
// Safety: pure functions on a tree that the caller keeps alive.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/sql/ast.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

// 22023 for what is no option of a table, or of an index.
Status CheckStorageOptions(std::string_view sql, std::span<ast::Node* const> options, bool index);
// 42704 unless it is the one that there is.
Status CheckTablespace(std::string_view name);
// 42704 for a type without an order, 0A000 for others that no index takes.
Status CheckIndexableType(std::string_view sql, Oid type, int location);
// The collation and operator class of an index's column: those that are its type's defaults.
Status CheckIndexElement(std::string_view sql, const PgQuery__IndexElem& element, Oid type,
                         int location);

}  // namespace connbench::engine
