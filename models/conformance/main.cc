// fork-exec executes the program it runs in, and in its tests that is the test.
#include <gtest/gtest.h>

#include <optional>

#include "models/fork_exec/exec_backend.h"

int main(int argc, char** argv) {
  if (const std::optional<int> exit_code = connbench::models::RunExecBackend(argc, argv)) {
    return *exit_code;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
