// The file <folder>/pages as a process uses it: pages that are not in the buffer pool are read back
// from it, and pages are written to it.
//
// Safety: any thread; a process has one for its engine. No latch may be held during a call.
// Errors: 58030; 53100 where the disk is full; XX001 with file and offset for a page that is not
// what was written there.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/files/files.h"
#include "engine/storage/place_table.h"

namespace connbench::engine {

std::string PagesPath(const std::string& folder);

// A page that is being read through a ring: by one call, or by more where the kernel does less.
struct RingRead {
  uint64_t tag = 0;
  PagePlace place;
  char* to = nullptr;  // kPageSize bytes
  int64_t done = 0;    // of them
};

class PagesReader {
 public:
  static Result<PagesReader> Open(Files& files, const std::string& folder, uint64_t log_number);
  // to: kPageSize bytes.
  Status Read(StorageId storage, BlockNumber block, PagePlace place, char* to) const;
  // The same through a ring: hands the next call over ...
  Status Begin(ReadRing& ring, const RingRead& read, uint64_t token) const;
  // ... and takes what it has come to. False: it takes another one.
  Result<bool> GoOn(RingRead& read, int64_t result) const;
  // XX001: what is wrong with the page at that place.
  Status Damaged(StorageId storage, BlockNumber block, PagePlace place,
                 const std::string& what) const;

 private:
  Status Check(StorageId storage, BlockNumber block, PagePlace place, const char* page) const;

  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t log_number_ = 0;
};

class PageStore {
 public:
  PageStore(const Segment& segment, Files& files, const std::string& folder, uint64_t log_number);

  PlaceTable& places() { return places_; }
  Status Read(uint64_t tag, PagePlace place, char* to);
  // Who reads, for who does it through a ring.
  Result<PagesReader*> Reader();
  // Where the page stands then; nobody names the place yet. page: kPageSize bytes.
  Result<PagePlace> Write(uint64_t tag, const char* page);

  // For those that write many pages at once. OpenToWrite() first: an error of that one is no error
  // of a sync.
  Status OpenToWrite() { return Writer().TakeStatus(); }
  uint32_t Checksum(uint64_t tag, const char* page) const;
  // pages: they stand one after the other from the place on.
  Status WriteAt(uint32_t place, std::string_view pages);
  // All that was written, by whatever process, is on disk.
  Status Sync();
  // Gives the room behind the places in use back to the disk.
  void CutFreeEnd();

 private:
  // The files are opened when they are first used, and then stay open.
  Result<File*> Writer();

  PlaceTable places_;
  Files& files_;
  const std::string folder_;
  const uint64_t log_number_;
  std::mutex opening_;
  std::unique_ptr<PagesReader> reader_;
  std::unique_ptr<File> writer_;
};

}  // namespace connbench::engine
