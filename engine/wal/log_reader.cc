// Reads records one after the other.
#include "engine/wal/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/files/whole.h"
#include "engine/wal/log.h"

namespace connbench::engine {
namespace {

bool LengthIsPossible(const RecordHeader& header) {
  return header.length >= kRecordHeaderBytes && header.length <= kMaxRecordBytes &&
         header.zero == 0;
}

bool Sound(std::string_view record, uint64_t log_number, Lsn place) {
  RecordHeader header;
  std::memcpy(&header, record.data(), sizeof header);
  return header.checksum ==
         RecordChecksum(log_number, place, record.substr(sizeof(header.checksum)));
}

LogRecord Parse(std::string_view record, Lsn place) {
  RecordHeader header;
  std::memcpy(&header, record.data(), sizeof header);
  return {.kind = header.kind,
          .payload = record.substr(kRecordHeaderBytes),
          .end = place + AlignRecord(record.size())};
}

}  // namespace

Result<RecordFileReader> RecordFileReader::Open(Files& files, const std::string& path,
                                                uint64_t log_number) {
  RecordFileReader reader;
  CONNBENCH_ASSIGN_OR_RETURN(reader.file_, OpenExisting(files, path));
  reader.path_ = path;
  reader.log_number_ = log_number;
  return reader;
}

Result<LogRecord> RecordFileReader::Next() {
  skip_to_ = 0;
  buffer_.resize(kRecordHeaderBytes);
  CONNBENCH_RETURN_IF_ERROR(ReadWhole(*file_, path_, offset_, buffer_.data(), kRecordHeaderBytes));
  RecordHeader header;
  std::memcpy(&header, buffer_.data(), sizeof header);
  if (!LengthIsPossible(header)) return DamagedFile(path_, offset_, "no record begins here");
  buffer_.resize(header.length);
  CONNBENCH_RETURN_IF_ERROR(ReadWhole(*file_, path_, offset_, buffer_.data(), header.length));
  const auto place = static_cast<Lsn>(offset_);
  if (!Sound(buffer_, log_number_, place)) {
    skip_to_ = offset_ + static_cast<int64_t>(AlignRecord(header.length));
    return DamagedFile(path_, offset_, "the record's checksum is wrong");
  }
  const LogRecord record = Parse(buffer_, place);
  offset_ = static_cast<int64_t>(record.end);
  return record;
}

bool RecordFileReader::SkipDamaged() {
  if (skip_to_ == 0) return false;
  offset_ = skip_to_;
  return true;
}

Status RecordFileReader::CheckAtEnd() const {
  const int64_t size = file_->Size();
  if (size < 0) return FileError(fmt::format("read the size of {}", path_), static_cast<int>(size));
  if (size == offset_) return {};
  return DamagedFile(path_, offset_, "the file goes on behind the checkpoint's end");
}

std::string LogReader::PlaceText(Lsn place) const {
  return fmt::format("{}, offset {}", LogFilePath(data_folder_, place / kLogFileBytes),
                     place % kLogFileBytes);
}

Status LogReader::Read(Lsn place, uint64_t bytes, std::string& to) {
  to.clear();
  while (bytes > 0) {
    const uint64_t number = place / kLogFileBytes;
    const std::string path = LogFilePath(data_folder_, number);
    if (file_ == nullptr || file_number_ != number) {
      const int opened = files_.Open(path, OpenMode::kRead, file_);
      if (opened == -ENOENT) {
        file_.reset();
        return {};
      }
      if (opened < 0) return FileError(fmt::format("open {}", path), opened);
      file_number_ = number;
    }
    const uint64_t offset = place % kLogFileBytes;
    const uint64_t some = std::min<uint64_t>(bytes, kLogFileBytes - offset);
    const size_t before = to.size();
    to.resize(before + some);
    CONNBENCH_ASSIGN_OR_RETURN(
        const int64_t done, ReadUpTo(*file_, path, static_cast<int64_t>(offset), to.data() + before,
                                     static_cast<int64_t>(some)));
    to.resize(before + static_cast<size_t>(done));
    if (static_cast<uint64_t>(done) < some) return {};
    place += some;
    bytes -= some;
  }
  return {};
}

Result<bool> LogReader::FileExists(uint64_t number) {
  std::unique_ptr<File> file;
  const std::string path = LogFilePath(data_folder_, number);
  const int opened = files_.Open(path, OpenMode::kRead, file);
  if (opened == -ENOENT) return false;
  if (opened < 0) return FileError(fmt::format("open {}", path), opened);
  return true;
}

Result<bool> LogReader::Next(LogRecord& record) {
  CONNBENCH_RETURN_IF_ERROR(Read(place_, kRecordHeaderBytes, buffer_));
  RecordHeader header{};
  if (buffer_.size() == kRecordHeaderBytes) std::memcpy(&header, buffer_.data(), sizeof header);
  const bool possible = LengthIsPossible(header);
  if (possible) CONNBENCH_RETURN_IF_ERROR(Read(place_, header.length, buffer_));
  if (possible && buffer_.size() == header.length && Sound(buffer_, log_number_, place_)) {
    record = Parse(buffer_, place_);
    place_ = record.end;
    return true;
  }
  CONNBENCH_RETURN_IF_ERROR(CheckEnd());
  return false;
}

Status LogReader::CheckEnd() {
  const uint64_t number = place_ / kLogFileBytes;
  const std::string path = LogFilePath(data_folder_, number);
  const auto offset = static_cast<int64_t>(place_ % kLogFileBytes);
  CONNBENCH_ASSIGN_OR_RETURN(const bool next, FileExists(number + 1));
  // A file is whole before the next one is made, and before anything is written into it.
  if (next || offset > 0) {
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, OpenExisting(files_, path));
    const int64_t size = file->Size();
    if (size < 0)
      return FileError(fmt::format("read the size of {}", path), static_cast<int>(size));
    if (size < kLogFileBytes) {
      return DamagedFile(
          path, size, fmt::format("the file ends here, {} bytes too early", kLogFileBytes - size));
    }
  }
  // A torn record may reach into the next file; only the file after that proves more.
  const bool within = place_ % kLogFileBytes + kMaxRecordBytes <= kLogFileBytes;
  CONNBENCH_ASSIGN_OR_RETURN(const bool more, FileExists(number + (within ? 1 : 2)));
  if (!more) return FindLaterCommit();
  return DamagedFile(path, offset,
                     "no sound record begins here, but the log goes on in later files");
}

// Each commit record says up to where the log was on disk when it was written. A crash may tear
// what was not; so what stands behind the tear is no proof, but for a commit that knew better.
Status LogReader::FindLaterCommit() {
  const uint64_t number = place_ / kLogFileBytes;
  std::string rest;
  CONNBENCH_RETURN_IF_ERROR(Read(place_, (number + 2) * kLogFileBytes - place_, rest));
  for (size_t at = 0; at + kRecordHeaderBytes <= rest.size(); at += kRecordAlignment) {
    RecordHeader header;
    std::memcpy(&header, rest.data() + at, sizeof header);
    if (header.kind != RecordKind::kCommit || !LengthIsPossible(header)) continue;
    if (header.length > rest.size() - at) continue;
    const std::string_view record = std::string_view(rest).substr(at, header.length);
    if (!Sound(record, log_number_, place_ + at)) continue;
    RecordReader reader(record.substr(kRecordHeaderBytes));
    reader.Get<uint64_t>();  // the transaction
    if (reader.Get<Lsn>() <= place_) continue;
    return DamagedFile(
        LogFilePath(data_folder_, number), static_cast<int64_t>(place_ % kLogFileBytes),
        fmt::format("no sound record begins here, but the one at {} was written when "
                    "this place was on disk",
                    PlaceText(place_ + at)));
  }
  return {};
}

}  // namespace connbench::engine
