// The options of CREATE SEQUENCE, ALTER SEQUENCE and GENERATED ... AS IDENTITY, checked in
// PostgreSQL's order and with its messages. Private to engine/sql.
//
// Safety: pure functions on a tree that the caller keeps alive.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/sql/ast.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

struct SequenceChange {
  SequenceInfo definition;
  // What the counter is set to; none: it stays where it is.
  std::optional<int64_t> restart;
  // OWNED BY, as the parts of the name; {"none"} for OWNED BY NONE.
  std::vector<std::string> owned_by;
};

// current: the sequence as it is, null for a new one. identity_type: of the column that a new
// sequence is for, else 0; CACHE is checked and has no effect, because no session keeps values
// back.
Result<SequenceChange> ReadSequenceOptions(std::string_view sql,
                                           std::span<ast::Node* const> options,
                                           const SequenceInfo* current, Oid identity_type);

// The sequence when its identity column gets that type: bounds that were those of the old type
// become those of the new one. 22023 if its start or its value does not fit.
Result<SequenceInfo> SequenceOfType(const SequenceInfo& current, Oid type, int64_t value);

}  // namespace connbench::engine
