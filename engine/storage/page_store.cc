// The file <folder>/pages as a process uses it.
#include "engine/storage/page_store.h"

#include <fmt/format.h>

#include <utility>

#include "engine/files/whole.h"
#include "engine/storage/page.h"
#include "engine/wal/log_record.h"

namespace connbench::engine {
namespace {

int64_t OffsetOf(uint32_t place) { return int64_t{place} * kPageSize; }

// A page that stands where another one should, or that an earlier checkpoint put there, is not the
// right one however sound it is.
uint32_t PageChecksum(uint64_t log_number, uint64_t tag, const char* page) {
  return static_cast<uint32_t>(RecordChecksum(log_number, tag, {page, kPageSize}));
}

}  // namespace

std::string PagesPath(const std::string& folder) { return folder + "/pages"; }

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
  return Check(storage, block, place, to);
}

Status PagesReader::Begin(ReadRing& ring, const RingRead& read, uint64_t token) const {
  const int64_t offset = OffsetOf(read.place.place) + read.done;
  const int begun =
      ring.Begin(*file_, offset, read.to + read.done, int64_t{kPageSize} - read.done, token);
  return begun < 0
             ? FileError(fmt::format("read {} at offset {} by io_uring", path_, offset), begun)
             : Status::Ok();
}

Result<bool> PagesReader::GoOn(RingRead& read, int64_t result) const {
  const int64_t offset = OffsetOf(read.place.place);
  CONNBENCH_ASSIGN_OR_RETURN(const bool more, CountRead(path_, offset, result, read.done));
  if (!more) return EndsTooEarly(path_, offset + read.done, int64_t{kPageSize} - read.done);
  if (read.done < int64_t{kPageSize}) return false;
  CONNBENCH_RETURN_IF_ERROR(Check(static_cast<StorageId>(read.tag >> 32),
                                  static_cast<BlockNumber>(read.tag), read.place, read.to));
  return true;
}

Status PagesReader::Check(StorageId storage, BlockNumber block, PagePlace place,
                          const char* page) const {
  if (PageChecksum(log_number_, PageTag(storage, block), page) == place.checksum) return {};
  return Damaged(storage, block, place, "the checksum is wrong");
}

Status PagesReader::Damaged(StorageId storage, BlockNumber block, PagePlace place,
                            const std::string& what) const {
  return DamagedFile(path_, OffsetOf(place.place),
                     fmt::format("page {} of storage {}: {}", block, storage, what));
}

PageStore::PageStore(const Segment& segment, Files& files, const std::string& folder,
                     uint64_t log_number)
    : places_(segment), files_(files), folder_(folder), log_number_(log_number) {}

Result<PagesReader*> PageStore::Reader() {
  const std::lock_guard<std::mutex> guard(opening_);
  if (reader_ == nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(PagesReader reader, PagesReader::Open(files_, folder_, log_number_));
    reader_ = std::make_unique<PagesReader>(std::move(reader));
  }
  return reader_.get();
}

Result<File*> PageStore::Writer() {
  const std::lock_guard<std::mutex> guard(opening_);
  if (writer_ == nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(writer_, OpenFile(files_, PagesPath(folder_), OpenMode::kMakeOrUse));
  }
  return writer_.get();
}

Status PageStore::Read(uint64_t tag, PagePlace place, char* to) {
  CONNBENCH_ASSIGN_OR_RETURN(PagesReader * reader, Reader());
  return reader->Read(static_cast<StorageId>(tag >> 32), static_cast<BlockNumber>(tag), place, to);
}

Result<PagePlace> PageStore::Write(uint64_t tag, const char* page) {
  CONNBENCH_ASSIGN_OR_RETURN(const uint32_t place, places_.TakeFree());
  Status written = WriteAt(place, {page, kPageSize});
  if (!written.ok()) {
    places_.GiveBack(place);
    return written;
  }
  return PagePlace{.place = place, .checksum = Checksum(tag, page)};
}

uint32_t PageStore::Checksum(uint64_t tag, const char* page) const {
  return PageChecksum(log_number_, tag, page);
}

Status PageStore::WriteAt(uint32_t place, std::string_view pages) {
  CONNBENCH_ASSIGN_OR_RETURN(File * file, Writer());
  return WriteWhole(*file, PagesPath(folder_), OffsetOf(place), pages);
}

Status PageStore::Sync() {
  CONNBENCH_ASSIGN_OR_RETURN(File * file, Writer());
  return SyncFile(*file, PagesPath(folder_));
}

void PageStore::CutFreeEnd() {
  const Result<File*> file = Writer();
  if (!file.ok()) return;
  const uint32_t end = places_.BeginCut();
  static_cast<void>((*file)->Truncate(OffsetOf(end)));
  places_.EndCut();
}

}  // namespace connbench::engine
