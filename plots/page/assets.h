// The page's style and script: page.css and page.js beside this file, put into the program when it
// is built (cmake/embed.cmake).
//
// Safety: constants.
#pragma once

#include <string_view>

namespace connbench::plots {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace connbench::plots
