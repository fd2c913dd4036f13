// The program's exit codes: one meaning each, so that CI can tell them apart.
#pragma once

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

}  // namespace connbench
