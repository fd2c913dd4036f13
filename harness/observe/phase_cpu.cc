// What a connection cost in CPU time, phase by phase.
#include "harness/observe/phase_cpu.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace connbench::observe {
namespace {

using engine::ConnectionLogRecord;
using engine::ConnectionPhase;

struct CpuStamp {
  int64_t at = 0;
  int64_t cpu_ns = 0;
  uint32_t connection = 0;
  ConnectionPhase phase = ConnectionPhase::kAccepted;
};

// Stamps of one thread, in the order in which it set them.
using Timeline = std::vector<CpuStamp>;

// Those of the threads that had the same id, one after the other: a clock that has gone back at a
// connection's start is another thread's.
std::vector<Timeline> SplitLives(Timeline stamps) {
  std::sort(stamps.begin(), stamps.end(), [](const CpuStamp& a, const CpuStamp& b) {
    return std::tie(a.at, a.connection, a.phase) < std::tie(b.at, b.connection, b.phase);
  });
  std::vector<Timeline> lives(1);
  for (const CpuStamp& stamp : stamps) {
    const Timeline& life = lives.back();
    const bool reborn = stamp.phase == ConnectionPhase::kStarted && !life.empty() &&
                        stamp.cpu_ns < life.back().cpu_ns;
    if (reborn) lives.emplace_back();
    lives.back().push_back(stamp);
  }
  // A stamp may say that its phase began before the thread came to set it.
  for (Timeline& life : lives) {
    std::sort(life.begin(), life.end(), [](const CpuStamp& a, const CpuStamp& b) {
      return std::tie(a.cpu_ns, a.connection, a.phase) < std::tie(b.cpu_ns, b.connection, b.phase);
    });
  }
  return lives;
}

CpuPhase EndedBy(ConnectionPhase stamp) {
  return static_cast<CpuPhase>(static_cast<int>(stamp) - 1);
}

// A share of a connection's `start`, which has two: of the thread that hands it over and of the one
// that takes it. Each alone is not the phase.
struct StartShares {
  std::optional<int64_t> handing_over;
  std::optional<int64_t> taking;
};

// Connections that a thread has begun to serve, and which have not ended: on this thread, or on
// another one (then it never learns, and they count for ever).
class OpenConnections {
 public:
  void Take(const CpuStamp& stamp) {
    if (stamp.phase == ConnectionPhase::kStarted) open_.insert(stamp.connection);
    if (stamp.phase == ConnectionPhase::kClosed) open_.erase(stamp.connection);
  }
  bool none() const { return open_.empty(); }
  bool only(uint32_t connection) const {
    return open_.empty() || (open_.size() == 1 && *open_.begin() == connection);
  }

 private:
  std::set<uint32_t> open_;
};

class Attribution {
 public:
  explicit Attribution(std::unordered_map<uint32_t, ConnectionCpu>& connections)
      : connections_(connections) {}

  void Follow(const Timeline& timeline) {
    OpenConnections open;
    for (size_t i = 0; i < timeline.size(); ++i) {
      if (i == 0) {
        Born(timeline);
      } else if (timeline[i - 1].connection == timeline[i].connection) {
        if (open.only(timeline[i].connection)) Within(timeline[i - 1], timeline[i]);
      } else if (open.none()) {
        Between(timeline[i - 1], timeline[i]);
      }
      open.Take(timeline[i]);
    }
  }

  void AddStarts() {
    for (const auto& [connection, shares] : starts_) {
      if (!shares.handing_over || !shares.taking) continue;
      Set(connection, CpuPhase::kStart, *shares.handing_over + *shares.taking);
    }
  }

 private:
  void Set(uint32_t connection, CpuPhase phase, int64_t used_ns) {
    connections_[connection].used_ns[static_cast<int>(phase)] = used_ns;
  }

  // A thread that serves one connection, accepted elsewhere, was made for it; one that serves
  // several may have been there before.
  void Born(const Timeline& timeline) {
    const CpuStamp& first = timeline.front();
    const bool serves_one = timeline.back().connection == first.connection;
    if (first.phase == ConnectionPhase::kStarted && serves_one) {
      starts_[first.connection].taking = first.cpu_ns;
    }
  }

  void Within(const CpuStamp& from, const CpuStamp& to) {
    const int64_t used_ns = to.cpu_ns - from.cpu_ns;
    // One that accepts and serves takes over from itself.
    if (to.phase == ConnectionPhase::kStarted) {
      Set(to.connection, CpuPhase::kStart, used_ns);
    } else if (static_cast<int>(to.phase) == static_cast<int>(from.phase) + 1) {
      Set(to.connection, EndedBy(to.phase), used_ns);
    }
  }

  void Between(const CpuStamp& from, const CpuStamp& to) {
    const int64_t used_ns = to.cpu_ns - from.cpu_ns;
    if (from.phase == ConnectionPhase::kDispatched && to.phase == ConnectionPhase::kAccepted) {
      starts_[from.connection].handing_over = used_ns;
    } else if (from.phase == ConnectionPhase::kClosed && to.phase == ConnectionPhase::kStarted) {
      starts_[to.connection].taking = used_ns;
    }
  }

  std::unordered_map<uint32_t, ConnectionCpu>& connections_;
  std::unordered_map<uint32_t, StartShares> starts_;
};

}  // namespace

std::unordered_map<uint32_t, ConnectionCpu> AttributeCpu(
    const std::vector<ConnectionLogRecord>& log) {
  std::map<uint32_t, Timeline> threads;
  for (const ConnectionLogRecord& record : log) {
    for (int phase = 0; phase < engine::kConnectionPhases; ++phase) {
      if (record.thread[phase] == 0) continue;
      threads[record.thread[phase]].push_back({record.phase_ns[phase], record.cpu_ns[phase],
                                               record.connection_id,
                                               static_cast<ConnectionPhase>(phase)});
    }
  }
  std::unordered_map<uint32_t, ConnectionCpu> connections;
  Attribution attribution(connections);
  for (auto& [thread, stamps] : threads) {
    for (const Timeline& life : SplitLives(std::move(stamps))) attribution.Follow(life);
  }
  attribution.AddStarts();
  return connections;
}

}  // namespace connbench::observe
