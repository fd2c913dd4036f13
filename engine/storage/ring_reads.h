// Reads of pages through io_urings (io_method=io_uring): what a session does whose page is away.
//
// A session that has its thread for itself, or shares its process with threads that others may use,
// takes a ring of the process's, hands the read over, and blocks until it has ended
// (Waiter::Block()). Rings go from thread to thread, so that there are as many as reads at the same
// time, kMostRings at most, and a session that reads nothing costs nothing.
//
// An event loop has a ring of its own, made when the first of its sessions needs one (LoopReads).
// The session waits as for a read of somebody else's; the loop ends the reads that the kernel has
// done. So there the read belongs to the loop, and goes on when the session has been cancelled.
//
// README.md ("Waiting for a page") says why no other process needs to be able to end a read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/files/files.h"
#include "engine/segment/wakeup.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page_store.h"
#include "engine/storage/read_queue.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

// The reads of an event loop's sessions.
//
// Safety: the loop's thread.
class LoopReads : public ThreadIo {
 public:
  // Reads at the same time; a session that comes with one more waits for one to end.
  static constexpr uint32_t kMost = 256;

  // process: the process's handle, of which it takes a copy. event_fd: the loop's.
  LoopReads(const BufferPool& process, const PagesReader& reader, std::unique_ptr<ReadRing> ring,
            int event_fd);
  // Waits for what is under way: the kernel would write to frames that are others' by then.
  ~LoopReads() override;

  // Until there is room for one more, as long as the session does not wait for anything else. Also
  // the error of what interrupts a statement.
  Status AwaitRoom(Backend& session);
  bool has_room() const { return !free_.empty(); }
  // There is room, the frame is marked as being read, and the session has joined those who wait.
  // failure: what the read has failed with, if it has; until Forget(), which wants what this gives.
  uint32_t Begin(const ReadRequest& request, char* to, Status& failure);
  void Forget(uint32_t read, const Status& failure);

  // Blocks until nothing is under way: for who waits for a page on the loop's thread and cannot
  // park, through the process's handle. No effect on a thread that is no loop's.
  static void FinishOfThisThread();

  void Reap() override;
  bool idle() const override { return free_.size() == kMost; }

 private:
  struct Entry {
    ReadRequest request;
    RingRead read;
    Status* failure = nullptr;  // null: nobody asks any more
  };

  // Hands the entry's next call over.
  void Submit(uint32_t index, int own_event_fd);
  void TakeEnded(bool wait, int own_event_fd);
  void End(uint32_t index, Status status, int own_event_fd);
  void RingThoseWithoutRoom();

  BufferPool pool_;
  BackendTable& backends_;
  const PagesReader& reader_;
  const std::unique_ptr<ReadRing> ring_;
  const int event_fd_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;  // of them
  std::vector<BackendNumber> without_room_;
};

// The rings of a process.
//
// Safety: any thread.
class RingReads {
 public:
  // Makes a ring and gives it back, for the supervisor too. 0A000 with what to use instead if the
  // kernel, or whoever confines this process, has none for us.
  static Status Check(Files& files);

  // process: the process's handle, which outlives this one, with its store.
  RingReads(const BufferPool& process, Files& files) : process_(process), files_(files) {}

  // The reads of the waiter's loop; null: the session's thread may block. 58000 if no ring can be
  // made.
  Result<LoopReads*> LoopOf(Waiter& waiter);
  // For a thread that may block, with the same errors and those of PageStore::Read().
  Status Read(uint64_t tag, PagePlace place, char* to, Waiter& waiter);

 private:
  Result<std::unique_ptr<ReadRing>> OpenRing(uint32_t reads, int event_fd);
  Result<std::unique_ptr<ReadRing>> Take(Waiter& waiter);
  std::unique_ptr<ReadRing> TakeFree() CONNBENCH_REQUIRES(mutex_);
  void GiveBack(std::unique_ptr<ReadRing> ring);
  static Status ReadBy(ReadRing& ring, const PagesReader& reader, RingRead read, Waiter& waiter);

  const BufferPool& process_;
  Files& files_;
  Mutex mutex_;
  std::vector<std::unique_ptr<ReadRing>> free_ CONNBENCH_GUARDED_BY(mutex_);
  int64_t rings_ CONNBENCH_GUARDED_BY(mutex_) = 0;  // those in use included
  std::condition_variable given_back_;
};

}  // namespace connbench::engine
