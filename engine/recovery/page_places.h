// Where the pages of a checkpoint stand in the file <folder>/pages, and what each has to look like.
//
// A place that the last complete checkpoint uses is never written. The next one puts pages that
// have changed into free places and shares the places of all others (README.md has the argument).
//
// Safety: private to the thread that writes or reads a checkpoint; one writes at a time.
// Errors: 58030, 53100 where the disk is full; XX001 with file and offset for a page that is not
// what was written there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/files/files.h"
#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"
#include "engine/wal/log_reader.h"

namespace connbench::engine {

std::string PagesPath(const std::string& folder);

struct PagePlace {
  static constexpr uint32_t kNowhere = UINT32_MAX;

  uint32_t place = kNowhere;  // the page begins after that many pages of the file
  uint32_t checksum = 0;      // of the page, with its log's number, storage and block
};
static_assert(sizeof(PagePlace) == 8);

// Those of a storage by block; kNowhere: the checkpoint does not have the page.
using PlacesOfStorage = std::vector<PagePlace>;
using PagePlaces = std::map<StorageId, PlacesOfStorage>;

// A kPagePlaces record is a storage, the block of the first page, then the pages' places. Storages
// with many pages have several.
inline constexpr size_t kMaxPlacesPerRecord = 32768;
void PutPagePlaces(RecordBuilder& record, StorageId storage, BlockNumber first,
                   const PlacesOfStorage& places);
// Calls visit(storage, block, place) for each page of the record, until that returns an error.
template <typename Visit>
Status ForEachPagePlace(const LogRecord& record, const Visit& visit) {
  RecordReader reader(record.payload);
  const auto storage = reader.Get<StorageId>();
  auto block = reader.Get<BlockNumber>();
  for (; reader.ok() && !reader.empty(); ++block) {
    const auto place = reader.Get<PagePlace>();
    if (!reader.ok() || place.place == PagePlace::kNowhere) continue;
    CONNBENCH_RETURN_IF_ERROR(visit(storage, block, place));
  }
  if (reader.ok()) return {};
  return Status::Error(sqlstate::kDataCorrupted, kShortRecord);
}
// All of a checkpoint file.
Result<PagePlaces> ReadPagePlaces(Files& files, const std::string& checkpoint_path,
                                  uint64_t log_number);

class PagesReader {
 public:
  static Result<PagesReader> Open(Files& files, const std::string& folder, uint64_t log_number);
  // to: kPageSize bytes.
  Status Read(StorageId storage, BlockNumber block, PagePlace place, char* to) const;
  // XX001: what is wrong with the page at that place.
  Status Damaged(StorageId storage, BlockNumber block, PagePlace place,
                 const std::string& what) const;

 private:
  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t log_number_ = 0;
};

// Writes pages into the places that `taken` leaves free, the first ones first.
class PagesWriter {
 public:
  static Result<PagesWriter> Open(Files& files, const std::string& folder, uint64_t log_number,
                                  const PagePlaces& taken);
  // Returns where the page stands once Flush() has written it. page: kPageSize bytes.
  Result<PagePlace> Write(StorageId storage, BlockNumber block, const char* page);
  Status Flush();
  // All that was flushed is on disk.
  Status Sync();
  // Cuts the file behind the places that are taken.
  void GiveUp();

 private:
  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t log_number_ = 0;
  std::vector<bool> taken_;  // by place; those behind its end are free
  uint32_t next_ = 0;        // all free places before it have been given out
  uint32_t buffered_at_ = 0;
  std::string buffer_;  // pages that follow each other from buffered_at_ on
};

}  // namespace connbench::engine
