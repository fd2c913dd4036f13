// connbench's own models as targets: the program runs itself as `serve` in a child process.
//
// Safety and errors: as Target says.
#pragma once

#include <memory>
#include <string>

#include "harness/targets/target.h"

namespace connbench::targets {

// program: connbench itself (tests put in one that misbehaves).
std::unique_ptr<Target> MakeBuiltinTarget(const std::string& program, const std::string& model,
                                          const Settings& settings);

}  // namespace connbench::targets
