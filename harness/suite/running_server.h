// A target that has been started, with the tables that its workloads need: what load is put on.
//
// Owns the server's life from Start() to Stop(), not the target. Errors: what the server said; the
// set-up's statement that failed; a table that is missing where none may be made.
// Safety: one thread.
#pragma once

#include <sys/resource.h>

#include <set>
#include <string>

#include "base/status.h"
#include "harness/load/sql_client.h"
#include "harness/observe/process_tree.h"
#include "harness/targets/target.h"
#include "harness/workload/workload.h"

namespace connbench::suite {

class RunningServer {
 public:
  explicit RunningServer(targets::Target& target) : target_(target) {}
  RunningServer(const RunningServer&) = delete;
  RunningServer& operator=(const RunningServer&) = delete;

  Status Start();
  // Makes the workload's tables, unless that very set-up was done on this server before.
  Status SetUp(const load::Workload& workload);
  // What the server used in its whole life; nothing of it is left.
  Result<rusage> Stop() { return target_.Stop(); }

  targets::Target& target() const { return target_; }
  // Its processes; those that stand without a connection are known once SetUp() is through.
  const observe::ServerTree& tree() const { return tree_; }

 private:
  Status MakeTables(const load::Workload& workload, load::SqlClient& client) const;

  targets::Target& target_;
  observe::ServerTree tree_;
  std::set<std::string> set_ups_;  // that were done
};

}  // namespace connbench::suite
