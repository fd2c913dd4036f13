// Arrays of one dimension as text: "{a,"b c",NULL}". The engine holds arrays in this form: mostly
// those of system relations, since no table has any.
//
// Safety: pure functions; any thread. Errors: 22P02 for what is no array, 0A000 for more than one
// dimension and for bounds.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/session.h"

namespace connbench::engine {

using ArrayElements = std::vector<std::optional<std::string>>;  // none: NULL

// As PostgreSQL prints it.
std::string PrintArray(const ArrayElements& elements);
Result<ArrayElements> ParseArray(std::string_view text);
// The elements of a value of an array type, or of int2vector or oidvector.
Result<ArrayElements> ElementsOf(Oid type, std::string_view value);

}  // namespace connbench::engine
