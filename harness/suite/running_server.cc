// A target that has been started, with the tables that its workloads need.
#include "harness/suite/running_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "base/clock.h"
#include "harness/load/set_up.h"

namespace connbench::suite {
namespace {

constexpr int64_t kSetUpBackendGoneNs = 2 * kNanosecondsPerSecond;
constexpr useconds_t kSetUpBackendPollUs = 2000;

// What makes two workloads' tables the same.
std::string SetUpKey(const load::Workload& workload) {
  std::string key = fmt::format("{}\n{}", workload.scale, workload.setup.text);
  for (const auto& [name, value] : workload.define) key += fmt::format("\n{}={}", name, value);
  return key;
}

}  // namespace

Status RunningServer::Start() {
  set_ups_.clear();
  CONNBENCH_RETURN_IF_ERROR(target_.Start());
  tree_ = observe::ServerTree(target_.root_pids());
  return Status::Ok();
}

Status RunningServer::SetUp(const load::Workload& workload) {
  const bool needed = !workload.setup.text.empty() && set_ups_.insert(SetUpKey(workload)).second;
  if (needed) {
    const size_t processes = observe::ListTree(tree_).size();
    {
      CONNBENCH_ASSIGN_OR_RETURN(const auto client,
                                 load::SqlClient::Connect(target_.setup_endpoint()));
      CONNBENCH_RETURN_IF_ERROR(MakeTables(workload, *client));
    }
    // The session that set up must not count as a connection's memory.
    const MonotonicNs deadline = MonotonicNow() + kSetUpBackendGoneNs;
    while (observe::ListTree(tree_).size() > processes && MonotonicNow() < deadline) {
      ::usleep(kSetUpBackendPollUs);
    }
  }
  tree_.standing.clear();
  for (const observe::TreeProcess& process : observe::ListTree(tree_)) {
    tree_.standing.insert(process.pid);
  }
  return Status::Ok();
}

Status RunningServer::MakeTables(const load::Workload& workload, load::SqlClient& client) const {
  const targets::TableSetup allowed = target_.table_setup();
  if (allowed == targets::TableSetup::kFresh) return load::SetUp(workload, client, /*scale=*/0);
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<std::string> missing,
                             load::MissingTables(workload, client));
  if (missing.empty()) return Status::Ok();
  if (allowed == targets::TableSetup::kKeep) {
    return load::SetUp(workload, client, /*scale=*/0, load::ExistingTables::kKeep);
  }
  return Status::Error(sqlstate::kUndefinedTable,
                       fmt::format("table {} does not exist in {}", missing.front(),
                                   target_.endpoint().ToString()))
      .WithHint("Make the tables yourself, or allow it with --set dsn.setup=on.");
}

}  // namespace connbench::suite
