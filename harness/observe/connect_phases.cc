// Where connects spent their time.
#include "harness/observe/connect_phases.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <unordered_map>

#include "harness/observe/phase_cpu.h"
#include "harness/stats/histogram.h"

namespace connbench::observe {
namespace {

using engine::ConnectionLogRecord;
using engine::ConnectionPhase;
using load::ConnectionPhases;

// One phase per name: it ends at the stamp of the same index, and begins where the one before ends.
struct Chain {
  const char* side;
  std::vector<const char*> names;
  std::vector<stats::Histogram> lengths;

  Chain(const char* of_side, std::initializer_list<const char*> phase_names)
      : side(of_side), names(phase_names), lengths(names.size()) {}

  // A missing stamp (0) or one before its predecessor ends its phase at once.
  void Record(MonotonicNs begin, std::initializer_list<MonotonicNs> stamps) {
    size_t phase = 0;
    for (const MonotonicNs stamp : stamps) {
      const MonotonicNs end = std::max(begin, stamp);
      lengths[phase++].Record(end - begin);
      begin = end;
    }
  }

  // Figures of one's own for each phase; below 0: this connection has none.
  void RecordEach(std::span<const int64_t> figures) {
    for (size_t phase = 0; phase < figures.size(); ++phase) {
      if (figures[phase] >= 0) lengths[phase].Record(figures[phase]);
    }
  }

  void Append(std::vector<results::PhaseRow>& rows) const {
    for (size_t i = 0; i < names.size(); ++i) {
      const stats::Histogram& length = lengths[i];
      constexpr auto kUs = static_cast<double>(kNanosecondsPerMicrosecond);
      results::PhaseRow row;
      row.side = side;
      row.phase = names[i];
      row.position = static_cast<int64_t>(i) + 1;
      row.samples = static_cast<int64_t>(length.count());
      if (!length.empty()) {
        row.mean_us = length.mean() / kUs;
        row.p50_us = static_cast<double>(length.ValueAtPercentile(50)) / kUs;
        row.p99_us = static_cast<double>(length.ValueAtPercentile(99)) / kUs;
        row.max_us = static_cast<double>(length.max()) / kUs;
      }
      rows.push_back(std::move(row));
    }
  }
};

}  // namespace

std::vector<results::PhaseRow> SummarizePhases(const std::vector<ConnectionPhases>& client,
                                               const std::vector<ConnectionLogRecord>& server) {
  std::unordered_map<uint32_t, const ConnectionLogRecord*> by_id;
  for (const ConnectionLogRecord& record : server) by_id[record.connection_id] = &record;

  Chain client_chain("client",
                     {"connect", "send_startup", "authentication", "session", "first_row"});
  Chain retried_chain("retried",
                      {"connect", "send_startup", "authentication", "session", "first_row"});
  Chain server_chain("server",
                     {"dispatch", "start", "startup_packet", "authentication", "session"});
  Chain joined_chain("joined", {"handshake", "accept_queue", "dispatch", "start", "startup_packet",
                                "authentication", "session", "reply", "first_row"});
  Chain cpu_chain("cpu",
                  {"dispatch", "start", "startup_packet", "authentication", "session", "served"});
  const auto cpu = AttributeCpu(server);
  int64_t joined = 0;
  for (const ConnectionPhases& connection : client) {
    if (!connection.in_window || connection.outcome != load::ConnectOutcome::kOk) continue;
    // Where TCP had to send something again, its seconds are not the server's.
    const bool retried = connection.syn_retries > 0;
    (retried ? retried_chain : client_chain)
        .Record(connection.connect_begin_ns,
                {connection.connect_end_ns, connection.startup_sent_ns, connection.authenticated_ns,
                 connection.ready_ns, connection.first_row_ns});
    const auto found = by_id.find(connection.connection_id);
    if (connection.connection_id == 0 || found == by_id.end()) continue;
    const auto at = [&](ConnectionPhase phase) {
      return found->second->phase_ns[static_cast<int>(phase)];
    };
    const MonotonicNs accepted = at(ConnectionPhase::kAccepted);
    server_chain.Record(accepted, {at(ConnectionPhase::kDispatched), at(ConnectionPhase::kStarted),
                                   at(ConnectionPhase::kAuthBegin), at(ConnectionPhase::kAuthEnd),
                                   at(ConnectionPhase::kReady)});
    ++joined;
    if (const auto used = cpu.find(connection.connection_id); used != cpu.end()) {
      cpu_chain.RecordEach(used->second.used_ns);
    }
    if (retried) continue;
    // The client may learn of the established connection only after the server has accepted it.
    joined_chain.Record(
        connection.connect_begin_ns,
        {std::min(connection.connect_end_ns, accepted), accepted, at(ConnectionPhase::kDispatched),
         at(ConnectionPhase::kStarted), at(ConnectionPhase::kAuthBegin),
         at(ConnectionPhase::kAuthEnd), at(ConnectionPhase::kReady), connection.ready_ns,
         connection.first_row_ns});
  }
  std::vector<results::PhaseRow> rows;
  client_chain.Append(rows);
  if (server.empty()) return rows;  // a server that keeps no such log
  server_chain.Append(rows);
  joined_chain.Append(rows);
  if (!retried_chain.lengths.front().empty()) retried_chain.Append(rows);
  cpu_chain.Append(rows);
  // What can be told of a few only, it can because these had a thread to themselves: they are not
  // what the others cost.
  std::erase_if(rows, [&](const results::PhaseRow& row) {
    return row.side == "cpu" && 2 * row.samples.value_or(0) <= joined;
  });
  return rows;
}

std::vector<results::PhaseRow> SummarizeSetupDurations(const std::vector<ConnectionPhases>& client,
                                                       const std::vector<SetupDurations>& server) {
  std::vector<results::PhaseRow> rows;
  if (server.empty()) return rows;
  std::unordered_map<uint32_t, const SetupDurations*> by_id;
  for (const SetupDurations& durations : server) by_id[durations.connection_id] = &durations;
  Chain chain("server", {"dispatch", "start", "startup_packet", "authentication", "session"});
  for (const ConnectionPhases& connection : client) {
    if (!connection.in_window || connection.outcome != load::ConnectOutcome::kOk) continue;
    const auto found = by_id.find(connection.connection_id);
    if (found == by_id.end()) continue;
    const SetupDurations& durations = *found->second;
    const MonotonicNs forked = durations.fork_ns;
    const MonotonicNs authenticated = forked + durations.authentication_ns;
    chain.Record(0, {0, forked, forked, authenticated, durations.total_ns});
  }
  chain.Append(rows);
  // What the server does not tell apart is no phase of length 0.
  std::erase_if(rows, [](const results::PhaseRow& row) {
    return row.phase == "dispatch" || row.phase == "startup_packet";
  });
  return rows;
}

}  // namespace connbench::observe
