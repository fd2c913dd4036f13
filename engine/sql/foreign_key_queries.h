// What enforcing a foreign key asks of the tables, as SQL: PostgreSQL's triggers ask the same.
//
// Safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/executor/types/type.h"
#include "engine/sql/foreign_key_events.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

enum class ForeignKeyQuery : uint8_t {
  kFindReferenced,   // $1...: the referencing values
  kFindSameKey,      // $1...: a referenced key; whether some row of the referenced table has it now
  kFindReferencing,  // $1...: a referenced key
  kCascadeDelete,    // $1...: the old key
  kCascadeUpdate,    // $1...: the new key, then the old one
  kSetOnDelete,      // $1...: the old key
  kSetOnUpdate,      // $1...: the old key
  kFindOrphan,       // of all rows; no parameters
};

struct ForeignKeyQueryText {
  std::string sql;
  std::vector<Oid> parameter_types;
};
ForeignKeyQueryText MakeForeignKeyQuery(const ForeignKey& key, ForeignKeyQuery query);

// The query as PostgreSQL writes it, for the context of an error: "SQL statement "DELETE ..."".
std::string ForeignKeyContext(const ForeignKey& key, ForeignKeyQuery query);

// 42804 unless the columns of the key can be compared.
Status CheckKeyTypes(const RelationInfo& referencing, const RelationInfo& referenced,
                     const ForeignKeyInfo& key);

// Whether values of the referencing type can be looked up in an index of the referenced type.
bool CanReference(Oid referencing, Oid referenced);

}  // namespace connbench::engine
