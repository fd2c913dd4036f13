// What is known before the first connection.
#include "harness/load/preflight.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <string>
#include <utility>

namespace connbench::load {
namespace {

// Descriptors beside the connections: epoll sets, control, log, libraries.
constexpr int64_t kOtherDescriptors = 64;
// Of the ports of one address; others are in use or in TIME_WAIT.
constexpr double kUsablePorts = 0.8;
constexpr int kMaxSourceAddresses = 200;  // 127.0.0.1 to 127.0.0.200

Status EnsureDescriptors(int64_t needed) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return Status::System("getrlimit", errno);
  const auto wanted = static_cast<rlim_t>(needed);
  if (limit.rlim_cur >= wanted) return Status::Ok();
  if (limit.rlim_max < wanted) {
    return Status::Error(
               sqlstate::kConfigurationLimitExceeded,
               fmt::format("{} connections need {} open files, but RLIMIT_NOFILE allows {}",
                           needed - kOtherDescriptors, needed, limit.rlim_max))
        .WithHint(fmt::format("Raise it with \"ulimit -n {}\" (as root), or use fewer connections.",
                              needed));
  }
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return Status::System("setrlimit", errno);
  return Status::Ok();
}

std::vector<SocketAddress> LoopbackAddresses(int count) {
  std::vector<SocketAddress> addresses;
  for (int i = 0; i < count; ++i) {
    SocketAddress address;
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl((uint32_t{127} << 24) + 1 + static_cast<uint32_t>(i));
    address.length = sizeof(sockaddr_in);
    addresses.push_back(address);
  }
  return addresses;
}

// Connections of a group that come at the same instant: what a listen queue must hold if the server
// is slower than the crowd.
int ComingAtOnce(const ClientGroup& group) {
  const bool comes_in_the_window =
      RowOf(group.pattern).Has(kCrowd) ||
      (RowOf(group.pattern).Has(kConnectsAtStart) && group.start_ns > 0);
  const ArrivalSpec& arrivals = group.connect_arrivals;
  const bool at_once = !arrivals.given() || arrivals.spacing == ArrivalSpec::Spacing::kAtOnce;
  return comes_in_the_window && at_once ? group.connections : 0;
}

void CheckBacklog(const Workload& workload, bool tcp, Preflight& preflight) {
  int at_once = 0;
  for (const ClientGroup& group : workload.AllGroups()) at_once += ComingAtOnce(group);
  if (at_once <= SocketBacklogLimit()) return;
  preflight.beyond_backlog = true;
  preflight.warnings.push_back(fmt::format(
      "{} connections at once exceed the longest listen queue there can be, net.core.somaxconn = "
      "{}: {}; raise it with \"sysctl net.core.somaxconn={}\" before the server starts",
      at_once, SocketBacklogLimit(),
      tcp ? "what the queue drops comes back after 1 s, 3 s, 7 s, which is TCP's time and counted "
            "apart (connects_retried)"
          : "what finds it full fails at once (backlog_full)",
      at_once));
}

}  // namespace

int64_t EphemeralPorts() {
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  int64_t first = 32768;
  int64_t last = 60999;
  file >> first >> last;
  return std::max<int64_t>(last - first + 1, 1);
}

int64_t SocketBacklogLimit() {
  std::ifstream file("/proc/sys/net/core/somaxconn");
  int64_t limit = 4096;
  file >> limit;
  return limit;
}

Status CheckConfig(const LoadConfig& config) {
  const Workload& workload = config.workload;
  const auto bad = [](std::string message) {
    return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
  };
  const int total = workload.total_connections();
  if (workload.connections < 1 || total < 1 || total > kMaxConnections) {
    return bad(fmt::format("{} connections; from 1 to {} are possible", total, kMaxConnections));
  }
  if (config.threads < 1 || config.threads > kMaxThreads) {
    return bad(fmt::format("{} threads; from 1 to {} are possible", config.threads, kMaxThreads));
  }
  if (workload.duration_ns < 0 || workload.warmup_ns < 0) return bad("a negative duration");
  if (RowOf(workload.pattern).Has(kMadeOfGroups) == workload.groups.empty()) {
    return bad("pattern mixed and [[group]] tables belong together");
  }
  for (const ClientGroup& group : workload.AllGroups()) {
    if (!group.arrivals.given()) continue;
    if (!RowOf(group.pattern).Has(kStaysOpen)) {
      return bad(
          fmt::format("rate does not apply to pattern {}: it schedules transactions on "
                      "connections that stay open ({}); connect_rate is for connections",
                      Name(group.pattern), fmt::join(PatternNames(kStaysOpen), ", ")));
    }
    if (group.arrivals.spacing == ArrivalSpec::Spacing::kAtOnce) {
      return bad("transactions cannot arrive at_once; give a rate");
    }
  }
  if (config.source_addresses < 0 || config.source_addresses > kMaxSourceAddresses) {
    return bad(fmt::format("{} source addresses; from 1 to {} are possible",
                           config.source_addresses, kMaxSourceAddresses));
  }
  for (const ClientGroup& group : workload.AllGroups()) {
    CONNBENCH_RETURN_IF_ERROR(CompileScripts(workload, group).status());
  }
  return EnsureDescriptors(total + kOtherDescriptors);
}

Result<ScriptSet> CompileScripts(const Workload& workload, const ClientGroup& group) {
  std::map<std::string, std::string> define = workload.define;
  define.try_emplace("scale", std::to_string(workload.scale));
  CONNBENCH_ASSIGN_OR_RETURN(ScriptSet scripts, ScriptSet::Compile(group.scripts, define));
  if (scripts.uses_pipelines() && workload.protocol == ProtocolMode::kSimple) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "a pipeline cannot use the simple query protocol")
        .WithHint("Use -M extended or -M prepared.");
  }
  return scripts;
}

Result<Preflight> CheckLimits(const Workload& workload, const SocketAddress& server,
                              int source_addresses) {
  Preflight preflight;
  const int connections = workload.total_connections();
  const bool tcp = server.family() != AF_UNIX;
  if (tcp) {
    const auto usable = static_cast<int64_t>(static_cast<double>(EphemeralPorts()) * kUsablePorts);
    const auto needed = static_cast<int>((connections + usable - 1) / usable);
    if (source_addresses > 1 && !server.is_loopback_v4()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           "several source addresses are possible on 127.0.0.0/8 only");
    }
    const int count = source_addresses > 0 ? source_addresses : needed;
    if (count < needed || (needed > 1 && !server.is_loopback_v4())) {
      return Status::Error(sqlstate::kConfigurationLimitExceeded,
                           fmt::format("{} connections from {} address(es) need more than the {} "
                                       "ports of net.ipv4.ip_local_port_range",
                                       connections, count, EphemeralPorts()))
          .WithHint("Widen the range, use more source addresses, or a Unix socket.");
    }
    if (count > 1) {
      preflight.sources = LoopbackAddresses(count);
      preflight.warnings.push_back(fmt::format(
          "connects from 127.0.0.1 to 127.0.0.{}, so that ports last; the server must let them in",
          count));
    }
  }
  CheckBacklog(workload, tcp, preflight);
  return preflight;
}

}  // namespace connbench::load
