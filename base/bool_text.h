// How PostgreSQL reads a truth value in text (its parse_bool): a unique prefix of true, false, yes,
// no, on or off in any case, or 1 or 0.
//
// Safety: a pure function; any thread. Errors: nothing for a text that is none of these.
#pragma once

#include <optional>
#include <string_view>

namespace connbench {

std::optional<bool> ParseBool(std::string_view text);

}  // namespace connbench
