// PostgreSQL's own types by oid and name, so that a type this engine lacks is told from a type that
// does not exist.
//
// Safety: constant data; any thread.
#pragma once

#include <span>
#include <string_view>

#include "engine/session.h"

namespace connbench::engine {

struct PostgresType {
  Oid oid;
  std::string_view name;      // in pg_type: "_int4"
  std::string_view sql_name;  // as format_type prints it: "integer[]"
};

// In the order of their oids.
std::span<const PostgresType> AllPostgresTypes();
// Null if PostgreSQL has no such type.
const PostgresType* FindPostgresType(Oid oid);
const PostgresType* FindPostgresTypeByName(std::string_view name);

}  // namespace connbench::engine
