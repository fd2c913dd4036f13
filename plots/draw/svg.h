// What is made of gnuplot's SVG: its groups get the names of their contenders.
//
// Safety: pure functions; any thread. Errors: none; an SVG whose groups are not the script's stays
// as it is.
#pragma once

#include <string>
#include <vector>

#include "plots/draw/gnuplot_script.h"

namespace connbench::plots {

// plots: of the script that drew it.
std::string WithContenders(const std::string& svg, const std::vector<GnuplotScript::Plot>& plots);

}  // namespace connbench::plots
