// Command lines that repeat what a page shows, as they can be pasted into a shell.
//
// Safety: pure functions; any thread. Errors: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/reader.h"

namespace connbench::plots {

// A word as a POSIX shell reads it back: in quotes unless it is harmless.
std::string ShellWord(std::string_view word);
std::string CommandLine(const std::vector<std::string>& words);

// What made the run, from the top of the source tree.
std::string RunCommand(const results::Run& run);
// The same for one combination of axes, "workload:steady/connections:8", and all contenders. A run
// that was not made by "connbench run" is done again as a whole.
std::string RepeatCommand(const results::Run& run, const std::string& cell);
// What prints the page's ratios.
std::string CompareCommand(const results::Run& run, const std::string& base);

}  // namespace connbench::plots
