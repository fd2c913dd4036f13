// Where the pages of a checkpoint stand.
#include "engine/recovery/page_places.h"

#include <algorithm>
#include <utility>

namespace connbench::engine {
namespace {

// Pages that are written with one call.
constexpr size_t kMostBufferedBytes = size_t{1} << 20;

}  // namespace

void PutPagePlaces(RecordBuilder& record, StorageId storage, BlockNumber first,
                   const PlacesOfStorage& places) {
  const size_t end = std::min(places.size(), first + kMaxPlacesPerRecord);
  record.Begin(RecordKind::kPagePlaces);
  record.Put(storage);
  record.Put(first);
  for (size_t block = first; block < end; ++block) record.Put(places[block]);
}

Result<PagePlaces> ReadPagePlaces(Files& files, const std::string& checkpoint_path,
                                  uint64_t log_number) {
  PagePlaces places;
  CONNBENCH_ASSIGN_OR_RETURN(RecordFileReader reader,
                             RecordFileReader::Open(files, checkpoint_path, log_number));
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const LogRecord record, reader.Next());
    if (record.kind == RecordKind::kEnd) return places;
    if (record.kind != RecordKind::kPagePlaces) continue;
    CONNBENCH_RETURN_IF_ERROR(ForEachPagePlace(
        record, [&](StorageId storage, BlockNumber block, PagePlace place) -> Status {
          PlacesOfStorage& of_storage = places[storage];
          if (of_storage.size() <= block) of_storage.resize(size_t{block} + 1);
          of_storage[block] = place;
          return {};
        }));
  }
}

Result<PagePlace> PagesWriter::Write(StorageId storage, BlockNumber block, const char* page,
                                     bool unstamped) {
  CONNBENCH_ASSIGN_OR_RETURN(const uint32_t number, store_.places().TakeFree());
  const uint64_t tag = PageTag(storage, block);
  const PagePlace place{.place = number, .checksum = store_.Checksum(tag, page)};
  store_.places().Name(tag, place, unstamped);
  const uint64_t follows = buffered_at_ + buffer_.size() / kPageSize;
  if (number != follows || buffer_.size() >= kMostBufferedBytes) {
    CONNBENCH_RETURN_IF_ERROR(Flush());
  }
  if (buffer_.empty()) buffered_at_ = number;
  buffer_.append(page, kPageSize);
  return place;
}

Status PagesWriter::Flush() {
  if (buffer_.empty()) return {};
  CONNBENCH_RETURN_IF_ERROR(store_.WriteAt(buffered_at_, buffer_));
  buffer_.clear();
  return {};
}

}  // namespace connbench::engine
