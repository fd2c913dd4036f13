// The exit codes of every program: one meaning each, so that CI can tell them apart. --help and
// README show this table.
//
// Safety: constants.
#pragma once

#include <string_view>

namespace connbench {

enum ExitCode : int {
  kExitOk = 0,
  kExitUsage = 1,         // a bad flag, suite file or setting; nothing was run
  kExitErrors = 2,        // errors during the run
  kExitInvalid = 3,       // trials were INVALID: the machine or the generator spoilt them
  kExitRegression = 4,    // compare: worse than the base
  kExitInconclusive = 5,  // compare: the data cannot tell
  kExitInterrupted = 130,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};
inline constexpr ExitCodeRow kExitCodes[] = {
    {kExitOk, "fine: it ran, and nothing is worse"},
    {kExitUsage, "usage: a flag, file, setting or server named does not fit; nothing was run"},
    {kExitErrors, "errors while it ran"},
    {kExitInvalid, "INVALID: a cell has no valid trial, or the machine is not fit to measure on"},
    {kExitRegression, "worse than the base"},
    {kExitInconclusive, "the data cannot tell"},
    {kExitInterrupted, "interrupted; what was measured is kept"},
};

}  // namespace connbench
