// Pages that sessions want read by an I/O worker.
#include "engine/storage/read_queue.h"

#include <algorithm>

#include "engine/segment/segment.h"

namespace connbench::engine {
namespace {

bool WorkersRead(const EngineConfig& config) {
  return !config.data_directory.empty() && config.io_method == IoMethod::kWorker;
}

}  // namespace

int64_t ReadQueue::ShmemSize(const EngineConfig& config) {
  if (!WorkersRead(config)) return 0;
  return sizeof(ReadQueueHeader) + Segment::kPartOverheadBytes;
}

Status ReadQueue::Init(Segment& segment, const EngineConfig& config) {
  if (!WorkersRead(config)) return {};
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kReadQueue, sizeof(ReadQueueHeader)));
  static_cast<ReadQueueHeader*>(memory)->latch.Init(segment.private_futexes(),
                                                    LatchRank::kReadQueue);
  return {};
}

ReadQueue::ReadQueue(const Segment& segment)
    : header_(segment.Find<ReadQueueHeader>(SegmentPart::kReadQueue)) {}

bool ReadQueue::Submit(const ReadRequest& request, BackendTable& backends) {
  BackendNumber to_ring = kNoBackend;
  {
    ExclusiveLatchGuard guard(header_->latch);
    if (header_->workers == 0 || header_->count == kMostReadRequests) return false;
    header_->requests[(header_->first + header_->count++) % kMostReadRequests] = request;
    if (header_->idle_count > 0) to_ring = header_->idle[--header_->idle_count];
  }
  // It has either ended meanwhile, and then a ring does no harm, or looks at the queue next.
  if (to_ring != kNoBackend) backends.slot(to_ring).wakeup.Ring();
  return true;
}

void ReadQueue::Join() {
  ExclusiveLatchGuard guard(header_->latch);
  ++header_->workers;
}

bool ReadQueue::Take(BackendNumber worker, ReadRequest& request) {
  ExclusiveLatchGuard guard(header_->latch);
  ForgetIdle(worker);
  if (header_->count == 0) {
    header_->idle[header_->idle_count++] = worker;
    return false;
  }
  request = header_->requests[header_->first];
  header_->first = (header_->first + 1) % kMostReadRequests;
  --header_->count;
  return true;
}

// The worker that was rung for a request may be this one, while the others sleep.
bool ReadQueue::Leave(BackendNumber worker) {
  ExclusiveLatchGuard guard(header_->latch);
  if (header_->count > 0) return false;
  ForgetIdle(worker);
  --header_->workers;
  return true;
}

void ReadQueue::ForgetIdle(BackendNumber worker) {
  BackendNumber* const end = header_->idle + header_->idle_count;
  BackendNumber* const at = std::find(header_->idle, end, worker);
  if (at == end) return;
  *at = *(end - 1);
  --header_->idle_count;
}

}  // namespace connbench::engine
