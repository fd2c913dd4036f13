// Reads records one after the other: from the log's files, or from a checkpoint file.
//
// Safety: private to the one thread that recovers. Errors: 58030; XX001 with file and offset for
// damage that a crash cannot have left.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/files/files.h"
#include "engine/wal/log_record.h"

namespace connbench::engine {

struct LogRecord {
  RecordKind kind = RecordKind::kNone;
  std::string_view payload;  // valid until the next one is read
  Lsn end = kNoLsn;
};

// A checkpoint file: places are offsets in it.
class RecordFileReader {
 public:
  static Result<RecordFileReader> Open(Files& files, const std::string& path, uint64_t log_number);
  // XX001 unless there is a sound record.
  Result<LogRecord> Next();
  // After Next() has failed: goes on behind that record. False if it does not say where that is.
  bool SkipDamaged();
  // After the last record: XX001 if the file goes on.
  Status CheckAtEnd() const;
  int64_t offset() const { return offset_; }
  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<File> file_;
  std::string path_;
  uint64_t log_number_ = 0;
  int64_t offset_ = 0;
  int64_t skip_to_ = 0;  // behind the record that begins at offset_; 0: nobody knows
  std::string buffer_;
};

class LogReader {
 public:
  LogReader(Files& files, std::string data_folder, uint64_t log_number, Lsn start)
      : files_(files),
        data_folder_(std::move(data_folder)),
        log_number_(log_number),
        place_(start) {}
  // False at the log's end: where no sound record begins, or no file is. XX001 if that is damage:
  // something behind it says that the log was on disk up to there, and a crash cannot have torn it.
  Result<bool> Next(LogRecord& record);
  Lsn place() const { return place_; }
  std::string PlaceText() const { return PlaceText(place_); }

 private:
  std::string PlaceText(Lsn place) const;
  // Bytes of the log from place on, across files; fewer at the last file's end.
  Status Read(Lsn place, uint64_t bytes, std::string& to);
  Result<bool> FileExists(uint64_t number);
  // Whether the log may end at place_: XX001 if not.
  Status CheckEnd();
  Status FindLaterCommit();

  Files& files_;
  const std::string data_folder_;
  const uint64_t log_number_;
  Lsn place_;
  std::unique_ptr<File> file_;
  uint64_t file_number_ = 0;
  std::string buffer_;
};

}  // namespace connbench::engine
