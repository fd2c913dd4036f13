// The desks of parallel workers: where a leader lays down a job for a worker, and where the worker
// lays down the rows. README.md beside this file has the protocol.
//
// A desk's state and who may change it:
//   kAbsent  -> kIdle     the worker, when it begins
//   kIdle    -> kClaimed  a leader; the job is being written
//   kClaimed -> kWorking  that leader, which then rings the worker
//   kWorking -> kDone     the worker: the queue has all that will come
//   kDone    -> kIdle     the leader: the desk is free again
//   kIdle    -> kAbsent   the worker, when it is asked to end
// So a leader that has claimed a desk waits until it is kDone, however its statement ends.
//
// Safety: shared memory, latch-free. Any leader may look at any desk; one that is claimed belongs
// to that leader and its worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"
#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/storage/shared_blocks.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

struct alignas(kCacheLineBytes) ParallelDesk {
  // As PostgreSQL's PARALLEL_TUPLE_QUEUE_SIZE. A job must fit, too: a statement that is longer,
  // with its parameters and settings, is run by its leader alone.
  static constexpr uint32_t kQueueBytes = 65536;
  // What a writer keeps to itself, and a reader does not give back, until it is so much.
  static constexpr uint32_t kBatchBytes = kQueueBytes / 4;

  enum class State : uint32_t { kAbsent, kIdle, kClaimed, kWorking, kDone };
  enum class Outcome : uint32_t {
    kRows,      // all rows are in the queue, or the leader wanted no more
    kDeclined,  // the worker's plan was another one: it has read nothing
    kFailed,    // the last message in the queue is the error
  };

  std::atomic<State> state{State::kAbsent};
  std::atomic<Outcome> outcome{Outcome::kRows};
  // The leader wants no more rows.
  std::atomic<uint32_t> stop{0};
  std::atomic<uint32_t> job_bytes{0};  // in the queue's memory, until the worker has read them
  // Whose desk it is: the worker's slot and 1; 0: nobody's.
  std::atomic<uint32_t> worker{0};
  // The leader's slot, and the connection that pg_stat_activity shows.
  std::atomic<BackendNumber> leader{kNoBackend};
  std::atomic<uint32_t> leader_connection{0};
  // The desk whose blocks the worker takes: the first of the leader's team.
  std::atomic<uint32_t> blocks_at{0};
  SharedBlocks blocks;

  // Bytes that were ever written and read.
  alignas(kCacheLineBytes) std::atomic<uint64_t> written{0};
  alignas(kCacheLineBytes) std::atomic<uint64_t> read{0};
  alignas(kCacheLineBytes) char queue[kQueueBytes];
};
static_assert(std::is_trivially_destructible_v<ParallelDesk>);

class ParallelDesks {
 public:
  static int64_t ShmemSize(const EngineConfig& config);
  // Lays out SegmentPart::kParallelDesks; nothing to do without workers.
  static Status Init(Segment& segment, const EngineConfig& config);

  uint32_t count() const { return count_; }
  ParallelDesk& desk(uint32_t number) {
    return reinterpret_cast<ParallelDesk*>(reinterpret_cast<char*>(this) + kCacheLineBytes)[number];
  }
  // For a worker that begins; null: there is a worker for each desk.
  ParallelDesk* Join(BackendNumber worker);
  // For a leader: an idle desk, claimed; null: all workers are busy.
  ParallelDesk* Claim();
  uint32_t NumberOf(const ParallelDesk& of) { return static_cast<uint32_t>(&of - &desk(0)); }

 private:
  uint32_t count_ = 0;  // constant after Init
};
static_assert(sizeof(ParallelDesks) <= kCacheLineBytes);

// The worker's end of a desk's queue.
class QueueWriter {
 public:
  QueueWriter(BackendTable& backends, Backend& worker, ParallelDesk& desk)
      : backends_(backends), worker_(worker), desk_(desk) {}

  // False: the leader wants no more. Waits while the queue is full.
  [[nodiscard]] bool SendRow(std::string_view bytes) { return Send(bytes, 0); }
  [[nodiscard]] bool SendError(const ErrorInfo& error);
  // Shows the leader all that was sent.
  void Flush();
  ParallelDesk& desk() { return desk_; }

 private:
  bool Send(std::string_view bytes, uint32_t flag);
  bool Write(const char* bytes, size_t count);

  BackendTable& backends_;
  Backend& worker_;
  ParallelDesk& desk_;
  uint64_t written_ = 0;
  uint64_t shown_ = 0;  // of it, to the leader
};

// The leader's end.
class QueueReader {
 public:
  QueueReader(BackendTable& backends, ParallelDesk& desk) : backends_(&backends), desk_(&desk) {}

  enum class Outcome : uint8_t { kRow, kError, kNothingYet, kEnd };
  // kRow: message holds its bytes until the next call. kError: error is set. Does not wait.
  Outcome Read(std::string_view& message, Status& error);
  ParallelDesk& desk() { return *desk_; }

 private:
  bool Take(char* out, size_t count);
  void Consume(size_t count);

  BackendTable* backends_;
  ParallelDesk* desk_;
  uint64_t read_ = 0;
  uint64_t told_ = 0;     // of it, to the worker
  uint64_t written_ = 0;  // when last looked at
  bool has_header_ = false;
  uint32_t length_ = 0;
  bool is_error_ = false;
  std::string message_;
  size_t taken_ = 0;  // of the message
};

}  // namespace connbench::engine
