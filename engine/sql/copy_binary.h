// What both directions of COPY's binary form share.
//
// Safety: constants.
#pragma once

#include <cstdint>
#include <string_view>

namespace connbench::engine {

// What the data begin with. Its bytes are spoilt by all that takes them for text.
inline constexpr std::string_view kCopySignature{"PGCOPY\n\377\r\n\0", 11};

inline constexpr int32_t kCopyNull = -1;  // as the length of a field
inline constexpr int16_t kCopyEnd = -1;   // as the number of a row's fields: no row follows

}  // namespace connbench::engine
