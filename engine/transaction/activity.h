// What the others may see of a session beside its slot: the text of what it runs or ran last, and
// where its client is. One bounded place for each backend slot (track_activity_query_size).
//
// Safety: the table lives in shared memory. The slot's owner alone writes its place, without a
// latch; anybody may read any place at any time and gets a text that stood there as a whole.
// When it happened stands in the slot (BackendSlot::query_start_us), next to what statements touch.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"
#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/segment/shmem_size.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

class ActivityTable {
 public:
  static constexpr size_t kClientBytes = 64;  // "[address]:port"

  static int64_t ShmemSize(const EngineConfig& config);
  // Lays out SegmentPart::kActivity; before Segment::Seal().
  static Status Init(Segment& segment, const EngineConfig& config);

  // A session begins in the slot: no text yet.
  void Begin(BackendNumber number, std::string_view client);
  // Keeps what there is room for.
  void SetQuery(BackendNumber number, std::string_view sql);

  struct Seen {
    std::string client;  // as SessionOptions::client_address
    std::string query;   // whole characters only
  };
  Seen Read(BackendNumber number);

 private:
  using Word = std::atomic<uint64_t>;
  // The text follows: words of client, then of query.
  struct alignas(Word) Place {
    std::atomic<uint32_t> version;  // odd: being written
    std::atomic<uint32_t> client_bytes;
    std::atomic<uint32_t> query_bytes;
  };
  class Writing;
  static int64_t PlaceBytes(const EngineConfig& config);
  Place& place(BackendNumber number) {
    return *reinterpret_cast<Place*>(reinterpret_cast<char*>(this) + kCacheLineBytes +
                                     static_cast<int64_t>(number) * place_bytes_);
  }
  static Word* ClientOf(Place& place) { return reinterpret_cast<Word*>(&place + 1); }
  static Word* QueryOf(Place& place) { return ClientOf(place) + kClientBytes / sizeof(Word); }

  // Constant after Init.
  int64_t place_bytes_ = 0;
  uint32_t query_bytes_ = 0;
};
static_assert(std::is_trivially_destructible_v<ActivityTable>);
static_assert(sizeof(ActivityTable) <= kCacheLineBytes);

}  // namespace connbench::engine
