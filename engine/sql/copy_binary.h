// What both directions of COPY's binary form share.
//
// Safety: constants.
#pragma once

#include <string_view>

namespace connbench::engine {

// What the data begin with. Its bytes are spoilt by all that takes them for text.
inline constexpr std::string_view kCopySignature{"PGCOPY\n\377\r\n\0", 11};

}  // namespace connbench::engine
