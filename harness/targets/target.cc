// What is measured.
#include "harness/targets/target.h"

#include <fmt/format.h>

#include <csignal>

#include "harness/observe/process_tree.h"

namespace connbench::targets {

Status Target::Crash() {
  const pid_t root = root_pid();
  if (root == 0) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         "this server's processes are not the harness's to kill")
        .WithHint(
            "Run a failover against a target that the harness starts, or by hand with "
            "connbench load failover-storm --drop COMMAND.");
  }
  // Any child of the supervisor (of the postmaster) will do: both reset all of them when one dies.
  for (const observe::TreeProcess& process : observe::ListTree(root)) {
    if (process.parent == root && kill(process.pid, SIGKILL) == 0) return Status::Ok();
  }
  return Status::Error(sqlstate::kSystemError,
                       fmt::format("process {} has no child that could be killed", root));
}

}  // namespace connbench::targets
