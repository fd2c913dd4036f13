// Which models read a setting that only some of them have.
//
// Called by what judges a suite before it is run. Safety: pure function.
#pragma once

#include <string_view>

namespace connbench::models {

// Whether that model reads the setting; true of those that no model has for itself.
bool ConcernsModel(std::string_view name, std::string_view model);

}  // namespace connbench::models
