// A leader's workers.
#include "engine/parallel/team.h"

#include <cstring>

namespace connbench::engine {
namespace {

constexpr auto kWorking = ParallelDesk::State::kWorking;
constexpr auto kDone = ParallelDesk::State::kDone;

void Ring(BackendTable& backends, ParallelDesk& desk) {
  backends.slot(desk.worker.load(std::memory_order_relaxed) - 1).wakeup.Ring();
}

}  // namespace

std::unique_ptr<ParallelTeam> ParallelTeam::Launch(ParallelDesks& desks, BackendTable& backends,
                                                   Backend& leader, int wanted,
                                                   std::string_view job, BlockNumber blocks) {
  if (job.size() > ParallelDesk::kQueueBytes) return nullptr;
  std::unique_ptr<ParallelTeam> team(new ParallelTeam(backends, leader));
  // Before a desk is claimed: nothing may fail from then on.
  team->readers_.reserve(static_cast<size_t>(wanted));
  team->ended_.reserve(static_cast<size_t>(wanted));
  uint32_t first = 0;
  for (int i = 0; i < wanted; ++i) {
    ParallelDesk* const desk = desks.Claim();
    if (desk == nullptr) break;
    if (i == 0) {
      first = desks.NumberOf(*desk);
      desk->blocks.Begin(blocks);
    }
    desk->outcome.store(ParallelDesk::Outcome::kRows, std::memory_order_relaxed);
    desk->stop.store(0, std::memory_order_relaxed);
    desk->leader.store(leader.number(), std::memory_order_relaxed);
    desk->leader_connection.store(leader.connection_id(), std::memory_order_relaxed);
    desk->blocks_at.store(first, std::memory_order_relaxed);
    desk->written.store(0, std::memory_order_relaxed);
    desk->read.store(0, std::memory_order_relaxed);
    std::memcpy(desk->queue, job.data(), job.size());
    desk->job_bytes.store(static_cast<uint32_t>(job.size()), std::memory_order_relaxed);
    team->readers_.emplace_back(backends, *desk);
    team->ended_.push_back(false);
    desk->state.store(kWorking, std::memory_order_seq_cst);
    Ring(backends, *desk);
  }
  team->active_ = team->readers_.size();
  return team->active_ == 0 ? nullptr : std::move(team);
}

// The slots' cancel bits end what a worker computes, its desk's word what it waits for.
ParallelTeam::~ParallelTeam() {
  for (QueueReader& reader : readers_) {
    ParallelDesk& desk = reader.desk();
    if (desk.state.load(std::memory_order_seq_cst) == kDone) continue;
    desk.stop.store(1, std::memory_order_seq_cst);
    const uint32_t worker = desk.worker.load(std::memory_order_relaxed) - 1;
    backends_.slot(worker).identity.fetch_or(kInterruptCancel, std::memory_order_seq_cst);
    Ring(backends_, desk);
  }
  for (QueueReader& reader : readers_) {
    ParallelDesk& desk = reader.desk();
    while (true) {
      const uint32_t word = leader_.WakeupWord();
      if (desk.state.load(std::memory_order_seq_cst) == kDone) break;
      leader_.Wait(word, kNoDeadline, WaitReason::kTeamEnd);
    }
  }
  // Only now: all workers may have taken blocks of the first desk.
  for (QueueReader& reader : readers_) {
    reader.desk().leader_connection.store(0, std::memory_order_relaxed);
    reader.desk().state.store(ParallelDesk::State::kIdle, std::memory_order_seq_cst);
    Ring(backends_, reader.desk());
  }
}

ParallelTeam::Outcome ParallelTeam::Read(std::string_view& row, Status& error) {
  for (size_t looked = 0; looked < readers_.size() && active_ > 0; ++looked) {
    const size_t at = next_;
    if (!ended_[at]) {
      switch (readers_[at].Read(row, error)) {
        case QueueReader::Outcome::kRow:
          return Outcome::kRow;  // the same worker is read on as long as it has rows
        case QueueReader::Outcome::kError:
          return Outcome::kError;
        case QueueReader::Outcome::kEnd:
          ended_[at] = true;
          --active_;
          if (readers_[at].desk().outcome.load(std::memory_order_relaxed) ==
              ParallelDesk::Outcome::kDeclined) {
            ++declined_;
          }
          break;
        case QueueReader::Outcome::kNothingYet:
          break;
      }
    }
    next_ = (next_ + 1) % readers_.size();
  }
  return active_ == 0 ? Outcome::kEnd : Outcome::kNothingYet;
}

Status ParallelTeam::Wait(uint32_t word) {
  CONNBENCH_RETURN_IF_ERROR(leader_.CheckInterruptsNow());
  leader_.Wait(word, leader_.statement_deadline(), WaitReason::kGather);
  return leader_.CheckInterruptsNow();
}

}  // namespace connbench::engine
