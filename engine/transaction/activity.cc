// What the others may see of a session beside its slot.
#include "engine/transaction/activity.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/segment/shmem_size.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {
namespace {

using TextWord = std::atomic<uint64_t>;

// Word by word, so that who reads meanwhile gets old or new words and no torn ones. Each word is
// published after the odd version before it, and read before the version is looked at again.
void StoreText(TextWord* to, std::string_view text) {
  for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
    uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    (to++)->store(word, std::memory_order_release);
  }
  if (text.empty()) return;
  uint64_t word = 0;
  std::memcpy(&word, text.data(), text.size());
  to->store(word, std::memory_order_release);
}

std::string LoadText(const TextWord* from, size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    const uint64_t word = (from++)->load(std::memory_order_acquire);
    std::memcpy(text.data() + at, &word, std::min(bytes - at, sizeof word));
  }
  return text;
}

// Cuts a character that did not find room whole.
void CutTornCharacter(std::string& text) {
  size_t tail = 0;  // continuation bytes at the end
  while (tail < 3 && tail < text.size() &&
         (static_cast<unsigned char>(text[text.size() - 1 - tail]) & 0xC0) == 0x80) {
    ++tail;
  }
  if (tail == text.size()) return;
  const auto first = static_cast<unsigned char>(text[text.size() - 1 - tail]);
  const size_t wanted = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
  if (tail < wanted) text.resize(text.size() - 1 - tail);
}

}  // namespace

int64_t ActivityTable::PlaceBytes(const EngineConfig& config) {
  return AlignSize(
      static_cast<int64_t>(sizeof(Place) + kClientBytes) + config.track_activity_query_size,
      kCacheLineBytes);
}

int64_t ActivityTable::ShmemSize(const EngineConfig& config) {
  return AddSize(kCacheLineBytes, MulSize(BackendTable::Slots(config), PlaceBytes(config)));
}

Status ActivityTable::Init(Segment& segment, const EngineConfig& config) {
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kActivity, ShmemSize(config)));
  auto* table = new (memory) ActivityTable();
  table->place_bytes_ = PlaceBytes(config);
  // As in PostgreSQL, whose texts end with a zero.
  table->query_bytes_ = static_cast<uint32_t>(config.track_activity_query_size - 1);
  return {};  // the memory is all zeros: texts without a byte
}

// While it lives, readers know that the texts are being written.
class ActivityTable::Writing {
 public:
  explicit Writing(Place& place)
      : version_(place.version), odd_(version_.load(std::memory_order_relaxed) | 1) {
    version_.store(odd_, std::memory_order_relaxed);
  }
  ~Writing() { version_.store(odd_ + 1, std::memory_order_release); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  std::atomic<uint32_t>& version_;
  const uint32_t odd_;
};

void ActivityTable::Begin(BackendNumber number, std::string_view client) {
  client = client.substr(0, kClientBytes);
  Place& mine = place(number);
  const Writing writing(mine);
  StoreText(ClientOf(mine), client);
  mine.client_bytes.store(static_cast<uint32_t>(client.size()), std::memory_order_release);
  mine.query_bytes.store(0, std::memory_order_release);
}

void ActivityTable::SetQuery(BackendNumber number, std::string_view sql) {
  sql = sql.substr(0, query_bytes_);
  Place& mine = place(number);
  const Writing writing(mine);
  StoreText(QueryOf(mine), sql);
  mine.query_bytes.store(static_cast<uint32_t>(sql.size()), std::memory_order_release);
}

ActivityTable::Seen ActivityTable::Read(BackendNumber number) {
  Place& theirs = place(number);
  // A session that writes all the time is not waited for; nor is one that was killed as it wrote.
  constexpr int kTries = 1000;
  for (int i = 0; i < kTries; ++i) {
    const uint32_t version = theirs.version.load(std::memory_order_acquire);
    Seen seen;
    seen.client =
        LoadText(ClientOf(theirs), std::min<size_t>(theirs.client_bytes.load(), kClientBytes));
    seen.query = LoadText(QueryOf(theirs), std::min(theirs.query_bytes.load(), query_bytes_));
    const uint32_t after = theirs.version.load(std::memory_order_relaxed);
    if (version != after || version % 2 != 0) continue;
    CutTornCharacter(seen.query);
    return seen;
  }
  return {};
}

}  // namespace connbench::engine
