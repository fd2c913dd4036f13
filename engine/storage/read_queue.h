// Pages that sessions want read by an I/O worker (io_method=worker): a bounded queue in the segment
// and who serves it.
//
// A request says all that a reader needs, so that any worker of any process can do it, and so that
// it goes on when the session that asked has been cancelled or has ended.
//
// Safety: ReadQueue is a private handle on shared state; any number of threads and processes. No
// latch of a page may be held during a call.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/segment/latch.h"
#include "engine/storage/place_table.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

class Segment;

// A page that is to be read into a frame, which is marked as being read.
struct ReadRequest {
  uint64_t tag = 0;
  PagePlace place;
  uint32_t frame = 0;
};

// Requests that wait for a worker; a session that finds so many reads its page itself.
inline constexpr uint32_t kMostReadRequests = 256;

// SegmentPart::kReadQueue.
struct ReadQueueHeader {
  Latch latch;
  uint32_t first CONNBENCH_GUARDED_BY(latch);
  uint32_t count CONNBENCH_GUARDED_BY(latch);
  uint32_t workers CONNBENCH_GUARDED_BY(latch);  // that serve the queue
  uint32_t idle_count CONNBENCH_GUARDED_BY(latch);
  BackendNumber idle[kMostIoWorkers] CONNBENCH_GUARDED_BY(latch);  // sleep until they are rung
  ReadRequest requests[kMostReadRequests] CONNBENCH_GUARDED_BY(latch);
};
static_assert(std::is_trivially_destructible_v<ReadQueueHeader>);

class ReadQueue {
 public:
  // 0 unless pages are read by workers.
  static int64_t ShmemSize(const EngineConfig& config);
  static Status Init(Segment& segment, const EngineConfig& config);
  // valid() only in a segment that has the part.
  explicit ReadQueue(const Segment& segment);
  bool valid() const { return header_ != nullptr; }

  // False if the queue is full or nobody serves it: the caller reads the page itself.
  bool Submit(const ReadRequest& request, BackendTable& backends);

  // --- For a worker, in this order --------------------------------------------------------------
  void Join();
  // False: there is nothing to do, and who asks for something rings the worker. It reads the word
  // of its wakeup first.
  bool Take(BackendNumber worker, ReadRequest& request);
  // False: there are requests left.
  bool Leave(BackendNumber worker);

 private:
  void ForgetIdle(BackendNumber worker) CONNBENCH_REQUIRES(header_->latch);

  ReadQueueHeader* header_;
};

}  // namespace connbench::engine
