// SQLSTATEs that nothing but the engine's statements raises. Those of base/status.h are in every
// source of the program, and a new one there compiles all of it again.
//
// Safety: constants.
#pragma once

#include <string_view>

namespace connbench::sqlstate {

inline constexpr std::string_view kArraySubscriptError = "2202E";
inline constexpr std::string_view kCheckViolation = "23514";

}  // namespace connbench::sqlstate
