// What a page's change becomes in the log: the difference between the page as it was when its write
// guard was taken and as it is when the guard is given back.
//
// So whatever is reached through a write guard is logged, and nobody can forget it. All pages that
// a thread holds for writing are logged together when the first changed one of them is given back:
// either all of them change after a crash, or none. Who changes several pages that belong together
// therefore has changed all of them before it gives the first one back, which their readers need
// anyway.
//
// Hints, which may change under a shared latch, are not logged by themselves. Differences are taken
// in words of 8 bytes, so that a hint that was lost is never mixed with what replaced it: a fate
// word is either the xid or what became of it.
//
// Safety: called by the guards alone, by the thread that holds the pages; its copies are its own.
#pragma once

#include <cstdint>

#include "engine/storage/page.h"
#include "engine/wal/log.h"

namespace connbench::engine {

struct BufferFrame;

// The page has just been latched; fresh: it does not exist yet, and is all zeros.
void TrackPage(BufferFrame& frame, char* data, bool fresh);
// Before the page's latch is given back.
void LogTrackedPage(Log& log, BufferFrame& frame);
// The page alone, which is fresh, and stays latched.
void LogFreshPage(Log& log, BufferFrame& frame);

// A page in a kPages record; then follow its ranges, each with its bytes. The page has the record's
// end for its LSN.
struct LoggedPage {
  static constexpr uint16_t kFresh = 1;  // the page was made; what no range covers is zero

  uint32_t storage;
  uint32_t block;
  uint16_t flags;
  uint16_t ranges;
  uint32_t zero;
};
static_assert(sizeof(LoggedPage) == 16);
struct LoggedRange {
  uint16_t offset;
  uint16_t length;
  uint32_t zero;
};
static_assert(sizeof(LoggedRange) == 8);

}  // namespace connbench::engine
