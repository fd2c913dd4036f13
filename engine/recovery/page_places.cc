// Where the pages of a checkpoint stand.
#include "engine/recovery/page_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/files/whole.h"

namespace connbench::engine {
namespace {

// Pages that are written with one call.
constexpr size_t kMostBufferedBytes = size_t{1} << 20;

int64_t OffsetOf(uint32_t place) { return int64_t{place} * kPageSize; }

// A page that stands where another one should, or that an earlier checkpoint put there, is not the
// right one however sound it is.
uint32_t PageChecksum(uint64_t log_number, StorageId storage, BlockNumber block, const char* page) {
  const uint64_t tag = uint64_t{storage} << 32 | block;
  return static_cast<uint32_t>(RecordChecksum(log_number, tag, {page, kPageSize}));
}

}  // namespace

std::string PagesPath(const std::string& folder) { return folder + "/pages"; }

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

Result<PagesReader> PagesReader::Open(Files& files, const std::string& folder,
                                      uint64_t log_number) {
  PagesReader reader;
  reader.path_ = PagesPath(folder);
  reader.log_number_ = log_number;
  CONNBENCH_ASSIGN_OR_RETURN(reader.file_, OpenExisting(files, reader.path_));
  return reader;
}

Status PagesReader::Read(StorageId storage, BlockNumber block, PagePlace place, char* to) const {
  CONNBENCH_RETURN_IF_ERROR(ReadWhole(*file_, path_, OffsetOf(place.place), to, kPageSize));
  if (PageChecksum(log_number_, storage, block, to) == place.checksum) return {};
  return Damaged(storage, block, place, "the checksum is wrong");
}

Status PagesReader::Damaged(StorageId storage, BlockNumber block, PagePlace place,
                            const std::string& what) const {
  return DamagedFile(path_, OffsetOf(place.place),
                     fmt::format("page {} of storage {}: {}", block, storage, what));
}

Result<PagesWriter> PagesWriter::Open(Files& files, const std::string& folder, uint64_t log_number,
                                      const PagePlaces& taken) {
  PagesWriter writer;
  writer.path_ = PagesPath(folder);
  writer.log_number_ = log_number;
  CONNBENCH_ASSIGN_OR_RETURN(writer.file_, OpenFile(files, writer.path_, OpenMode::kMakeOrUse));
  for (const auto& [storage, places] : taken) {
    for (const PagePlace& place : places) {
      if (place.place == PagePlace::kNowhere) continue;
      if (writer.taken_.size() <= place.place) writer.taken_.resize(size_t{place.place} + 1);
      writer.taken_[place.place] = true;
    }
  }
  return writer;
}

Result<PagePlace> PagesWriter::Write(StorageId storage, BlockNumber block, const char* page) {
  while (next_ < taken_.size() && taken_[next_]) ++next_;
  const uint32_t place = next_++;
  const uint64_t follows = buffered_at_ + buffer_.size() / kPageSize;
  if (place != follows || buffer_.size() >= kMostBufferedBytes) {
    CONNBENCH_RETURN_IF_ERROR(Flush());
  }
  if (buffer_.empty()) buffered_at_ = place;
  buffer_.append(page, kPageSize);
  return PagePlace{.place = place, .checksum = PageChecksum(log_number_, storage, block, page)};
}

Status PagesWriter::Flush() {
  CONNBENCH_RETURN_IF_ERROR(WriteWhole(*file_, path_, OffsetOf(buffered_at_), buffer_));
  buffer_.clear();
  return {};
}

Status PagesWriter::Sync() { return SyncFile(*file_, path_); }

void PagesWriter::GiveUp() {
  static_cast<void>(file_->Truncate(static_cast<int64_t>(taken_.size()) * kPageSize));
}

}  // namespace connbench::engine
