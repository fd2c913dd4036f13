// A leader's workers, for the run of one Gather: claimed when it begins, given back when it ends.
//
// Safety: private to the leader's session, one thread at a time. Blocking: the destructor, until
// every worker has seen that it is to stop, which takes microseconds unless a page is being read.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/parallel/desk.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

class ParallelTeam {
 public:
  // Up to wanted idle workers begin with the job; blocks: of the table that they share. Null: none
  // is idle, or the job is too long for a desk.
  static std::unique_ptr<ParallelTeam> Launch(ParallelDesks& desks, BackendTable& backends,
                                              Backend& leader, int wanted, std::string_view job,
                                              BlockNumber blocks);
  // Tells all of them to stop, waits until they have, and gives the desks back.
  ~ParallelTeam();
  ParallelTeam(const ParallelTeam&) = delete;
  ParallelTeam& operator=(const ParallelTeam&) = delete;

  // Workers that have taken the job, and have not declined it so far.
  int workers() const { return static_cast<int>(readers_.size()) - declined_; }
  int declined() const { return declined_; }
  SharedBlocks& blocks() { return readers_[0].desk().blocks; }

  enum class Outcome : uint8_t { kRow, kError, kNothingYet, kEnd };
  // A row of any worker; row is valid until the next call. kEnd: all have ended.
  Outcome Read(std::string_view& row, Status& error);
  // Until a worker has something to say. Error: an interrupt of the leader's.
  Status Wait(uint32_t word);

 private:
  ParallelTeam(BackendTable& backends, Backend& leader) : backends_(backends), leader_(leader) {}

  BackendTable& backends_;
  Backend& leader_;
  std::vector<QueueReader> readers_;
  std::vector<bool> ended_;
  size_t active_ = 0;
  size_t next_ = 0;  // which one is read first
  int declined_ = 0;
};

// What a Gather asks of the session that runs it, where that may have workers.
class ParallelLeader {
 public:
  virtual ~ParallelLeader() = default;
  // Null: the leader does all of it alone.
  virtual std::unique_ptr<ParallelTeam> Launch(int workers, uint32_t gather, uint64_t fingerprint,
                                               BlockNumber blocks) = 0;
  virtual bool takes_part() const = 0;  // parallel_leader_participation
};

}  // namespace connbench::engine
