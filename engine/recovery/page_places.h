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
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/files/files.h"
#include "engine/storage/page.h"
#include "engine/storage/page_store.h"
#include "engine/storage/storage_types.h"
#include "engine/wal/log_reader.h"

namespace connbench::engine {

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

// Writes pages into free places, the first ones first. Nobody else gets these places meanwhile.
class PagesWriter {
 public:
  explicit PagesWriter(PageStore& store) : store_(store) {}
  // Returns where the page stands once Flush() has written it; the checkpoint that is being made
  // names the place from now on. page: kPageSize bytes. unstamped: see PlaceEntry::kUnstamped.
  Result<PagePlace> Write(StorageId storage, BlockNumber block, const char* page, bool unstamped);
  Status Flush();

 private:
  PageStore& store_;
  uint32_t buffered_at_ = 0;
  std::string buffer_;  // pages that follow each other from buffered_at_ on
};

}  // namespace connbench::engine
