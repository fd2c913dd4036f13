// What a page's change becomes in the log.
#include "engine/storage/page_log.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "engine/storage/buffer_pool.h"

namespace connbench::engine {
namespace {

constexpr uint32_t kWord = sizeof(uint64_t);
// The page's LSN, its first word, is what logging changes.
constexpr uint32_t kFirstLoggedByte = sizeof(PageHeader::lsn);

uint64_t WordAt(const char* bytes, uint32_t offset) {
  uint64_t word;
  std::memcpy(&word, bytes + offset, sizeof word);
  return word;
}

struct TrackedPage {
  BufferFrame* frame = nullptr;
  char* data = nullptr;
  bool fresh = false;
  bool logging = false;  // is in the record that is being made
  alignas(kWord) char before[kPageSize];

  bool changed() const {
    return fresh || std::memcmp(before + kFirstLoggedByte, data + kFirstLoggedByte,
                                kPageSize - kFirstLoggedByte) != 0;
  }
};

// The pages that this thread holds for writing, as they were when it came to them.
struct TrackedPages {
  std::vector<std::unique_ptr<TrackedPage>> pages;  // those beyond count are kept for later
  size_t count = 0;
  RecordBuilder record;

  TrackedPage& Of(const BufferFrame& frame) {
    for (size_t i = count; i-- > 0;) {
      if (pages[i]->frame == &frame) return *pages[i];
    }
    CONNBENCH_ASSERT(false, "the page was tracked when it was latched");
    return *pages[0];
  }
  void Forget(const TrackedPage& page) {
    for (size_t i = count; i-- > 0;) {
      if (pages[i].get() == &page) return std::swap(pages[i], pages[--count]);
    }
  }
  // Adds what has changed on the page to the record.
  void Put(const TrackedPage& page) {
    const uint64_t tag = page.frame->tag.load(std::memory_order_relaxed);
    LoggedPage header{};
    header.storage = static_cast<uint32_t>(tag >> 32);
    header.block = static_cast<uint32_t>(tag);
    if (page.fresh) header.flags = LoggedPage::kFresh;
    const size_t header_at = record.size();
    record.Put(header);
    uint32_t at = kFirstLoggedByte;
    while (at < kPageSize) {
      if (WordAt(page.before, at) == WordAt(page.data, at)) {
        at += kWord;
        continue;
      }
      // One equal word costs no more than the header of another range.
      uint32_t end = at + kWord;
      for (uint32_t next = end; next < kPageSize && next <= end + kWord; next += kWord) {
        if (WordAt(page.before, next) != WordAt(page.data, next)) end = next + kWord;
      }
      record.Put(LoggedRange{.offset = static_cast<uint16_t>(at),
                             .length = static_cast<uint16_t>(end - at),
                             .zero = 0});
      record.PutBytes({page.data + at, end - at});
      ++header.ranges;
      at = end;
    }
    record.PutAt(header_at, header);
  }
  // The page is in the log up to lsn.
  static void Stamp(TrackedPage& page, Lsn lsn) {
    Page(page.data).header().lsn = lsn;
    std::memcpy(page.before, page.data, kPageSize);
    page.fresh = false;
  }
};

thread_local TrackedPages tracked;

}  // namespace

void TrackPage(BufferFrame& frame, char* data, bool fresh) {
  if (tracked.count == tracked.pages.size()) {
    tracked.pages.push_back(std::make_unique<TrackedPage>());
  }
  TrackedPage& page = *tracked.pages[tracked.count++];
  page.frame = &frame;
  page.data = data;
  page.fresh = fresh;
  std::memcpy(page.before, data, kPageSize);
}

void LogFreshPage(Log& log, BufferFrame& frame) {
  TrackedPage& page = tracked.Of(frame);
  tracked.record.Begin(RecordKind::kPages);
  tracked.Put(page);
  TrackedPages::Stamp(page, log.Append(tracked.record));
}

void LogTrackedPage(Log& log, BufferFrame& frame) {
  TrackedPage& given_back = tracked.Of(frame);
  if (given_back.changed()) {
    tracked.record.Begin(RecordKind::kPages);
    for (size_t i = 0; i < tracked.count; ++i) {
      TrackedPage& page = *tracked.pages[i];
      page.logging = &page == &given_back || page.changed();
      if (page.logging) tracked.Put(page);
    }
    const Lsn lsn = log.Append(tracked.record);
    for (size_t i = 0; i < tracked.count; ++i) {
      if (tracked.pages[i]->logging) TrackedPages::Stamp(*tracked.pages[i], lsn);
    }
  } else {  // it may have been made anew, as it was
    std::memcpy(given_back.data, given_back.before, kFirstLoggedByte);
  }
  tracked.Forget(given_back);
}

}  // namespace connbench::engine
