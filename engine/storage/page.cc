// The 8 KiB slotted page that heap and B+tree share.
#include "engine/storage/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "base/assert.h"

namespace connbench::engine {

void Page::Init(uint16_t flags, uint32_t special_size) {
  PageHeader& page = header();
  page.lsn = 0;
  page.prune_hint = 0;
  page.flags = flags;
  page.lower = kPageHeaderSize;
  page.special = static_cast<uint16_t>(kPageSize - AlignItem(special_size));
  page.upper = page.special;
  std::memset(special(), 0, kPageSize - page.special);
}

[[gnu::hot]] char* Page::Place(uint32_t slot, uint32_t length) const {
  PageHeader& page = header();
  CONNBENCH_ASSERT(slot <= slot_count(), "the slot exists, or is the next one");
  CONNBENCH_ASSERT(gap() >= AlignItem(length) + (slot == slot_count() ? sizeof(LinePointer) : 0),
                   "the caller has looked for room");
  if (slot == slot_count()) page.lower += sizeof(LinePointer);
  page.upper = static_cast<uint16_t>(page.upper - AlignItem(length));
  SetLine(slot, LinePointer(LineState::kNormal, page.upper, length));
  return data_ + page.upper;
}

char* Page::InsertAt(uint32_t slot, uint32_t length) const {
  PageHeader& page = header();
  CONNBENCH_ASSERT(slot <= slot_count(), "the slot exists, or is the next one");
  CONNBENCH_ASSERT(gap() >= AlignItem(length) + sizeof(LinePointer),
                   "the caller has looked for room");
  char* lines = data_ + kPageHeaderSize;
  std::memmove(lines + (slot + 1) * sizeof(LinePointer), lines + slot * sizeof(LinePointer),
               (slot_count() - slot) * sizeof(LinePointer));
  page.lower += sizeof(LinePointer);
  page.upper = static_cast<uint16_t>(page.upper - AlignItem(length));
  SetLine(slot, LinePointer(LineState::kNormal, page.upper, length));
  return data_ + page.upper;
}

uint32_t Page::RemoveSlots(const bool* drop) const {
  const uint32_t count = slot_count();
  uint32_t kept = 0;
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (!drop[slot]) SetLine(kept++, line(slot));
  }
  header().lower = static_cast<uint16_t>(kPageHeaderSize + kept * sizeof(LinePointer));
  Compact();
  return count - kept;
}

void Page::Compact() const {
  char copy[kPageSize];
  PageHeader& page = header();
  std::memcpy(copy + page.upper, data_ + page.upper, page.special - page.upper);
  uint32_t upper = page.special;
  const uint32_t count = slot_count();
  for (uint32_t slot = 0; slot < count; ++slot) {
    const LinePointer pointer = line(slot);
    if (pointer.state() == LineState::kRedirect || !pointer.has_item()) continue;
    upper -= AlignItem(pointer.length());
    std::memcpy(data_ + upper, copy + pointer.offset(), pointer.length());
    SetLine(slot, LinePointer(pointer.state(), upper, pointer.length()));
  }
  page.upper = static_cast<uint16_t>(upper);
}

void Page::TruncateUnusedSlots() const {
  uint32_t count = slot_count();
  while (count > 0 && line(count - 1).state() == LineState::kUnused) --count;
  header().lower = static_cast<uint16_t>(kPageHeaderSize + count * sizeof(LinePointer));
}

void Page::Kill(uint32_t slot) const {
  uint32_t bits = LineRef(slot).load(std::memory_order_relaxed);
  const LinePointer pointer = LinePointer::FromBits(bits);
  if (!pointer.normal()) return;
  const LinePointer killed(LineState::kDead, pointer.offset(), pointer.length());
  // A failed exchange means that somebody else has just killed it: no other change can happen under
  // a shared latch.
  LineRef(slot).compare_exchange_strong(bits, killed.bits(), std::memory_order_relaxed);
  SetHint(kPageHasKilled);
}

std::string Page::Verify() const {
  const PageHeader& page = header();
  if (page.lower < kPageHeaderSize || page.lower > page.upper || page.upper > page.special ||
      page.special > kPageSize || (page.lower - kPageHeaderSize) % sizeof(LinePointer) != 0) {
    return fmt::format("header is inconsistent: lower {}, upper {}, special {}", page.lower,
                       page.upper, page.special);
  }
  std::bitset<kPageSize / kItemAlignment> used;
  const uint32_t count = slot_count();
  for (uint32_t slot = 0; slot < count; ++slot) {
    const LinePointer pointer = line(slot);
    if (pointer.state() == LineState::kRedirect) {
      if (pointer.length() != 0 || pointer.offset() >= count) {
        return fmt::format("slot {} redirects to {} of {}", slot, pointer.offset(), count);
      }
      if (!line(pointer.offset()).normal()) {
        return fmt::format("slot {} redirects to slot {}, which has no item", slot,
                           pointer.offset());
      }
      continue;
    }
    if (!pointer.has_item()) {
      if (pointer.normal()) return fmt::format("slot {} is normal but empty", slot);
      continue;
    }
    if (pointer.state() == LineState::kUnused) {
      return fmt::format("slot {} is unused but has an item", slot);
    }
    if (pointer.offset() < page.upper || pointer.offset() + pointer.length() > page.special ||
        pointer.offset() % kItemAlignment != 0) {
      return fmt::format("slot {} points outside the items: offset {}, length {}", slot,
                         pointer.offset(), pointer.length());
    }
    const uint32_t end = AlignItem(pointer.offset() + pointer.length()) / kItemAlignment;
    for (uint32_t unit = pointer.offset() / kItemAlignment; unit < end; ++unit) {
      if (used.test(unit)) return fmt::format("slot {} overlaps another item", slot);
      used.set(unit);
    }
  }
  return "";
}

}  // namespace connbench::engine
