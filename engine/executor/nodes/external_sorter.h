// Sorts (key, payload) records by the bytes of their keys, in memory up to a limit, beyond it
// through a temporary file that has no name and goes away with the sorter.
//
// Use: Add() all, Finish(), Next() until false. Clear() makes it ready to use again.
//
// Memory: the limit, or one record of each run if that is more. Runs that are too many to be read
// side by side within the limit are merged into longer ones first, and their place in the file is
// given back where the file system can.
//
// Safety: private memory, one thread. Errors: 53100 when the disk is full, 58030 for I/O errors,
// 53200 when memory is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/nodes/temporary_file.h"

namespace connbench::engine {

class ExternalSorter {
 public:
  ExternalSorter() = default;
  ExternalSorter(const ExternalSorter&) = delete;
  ExternalSorter& operator=(const ExternalSorter&) = delete;

  void SetMemoryLimit(int64_t bytes) { limit_bytes_ = bytes; }
  void SetInterrupts(Interrupts* interrupts) { arena_.set_interrupts(interrupts); }
  Status Add(std::string_view key, std::string_view payload);
  Status Finish();
  // False at the end. The views are valid until the next call.
  Result<bool> Next(std::string_view& key, std::string_view& payload);
  // Forgets everything and gives its memory and disk space back.
  void Clear();

  int64_t records() const { return records_; }
  int64_t memory_bytes() const { return peak_bytes_; }
  // The most that the file ever held.
  int64_t spilled_bytes() const { return peak_file_bytes_; }
  // After Finish(): how many are read side by side; 0: the records did fit.
  size_t runs() const { return runs_.size(); }

 private:
  struct Entry {
    uint64_t prefix;  // the key's first bytes, big-endian: most comparisons end here
    const char* record;
  };
  struct Record {
    uint32_t key_bytes;
    uint32_t payload_bytes;
  };
  // A sorted run in the file, and the part of it that is in memory.
  struct Run {
    int64_t next_offset;
    int64_t end_offset;
    std::vector<char> buffer;
    size_t begin = 0;  // the current record in buffer
    size_t end = 0;
  };

  static std::string_view KeyOf(const char* record);
  static bool Before(const Entry& a, const Entry& b);
  int64_t BytesHeld() const { return arena_.bytes_held() + EntriesBytes(); }
  int64_t EntriesBytes() const;
  Status SortEntries();
  Status SpillRun();
  Status Write(const char* bytes, size_t count);
  Status Append(std::string& buffer, std::string_view record);
  // How many runs may be read side by side.
  size_t MostRuns() const;
  Status MergeDown();
  Status BeginMerge();
  Status FillRun(Run& run, size_t needed);
  Result<bool> LoadRecord(Run& run);
  bool RunBefore(size_t a, size_t b) const;
  void SiftDown(size_t at);

  int64_t limit_bytes_ = INT64_MAX;
  Arena arena_;
  std::vector<Entry> entries_;
  size_t next_entry_ = 0;
  int64_t records_ = 0;
  int64_t peak_bytes_ = 0;

  TemporaryFile file_{"the temporary file of a sort"};
  int64_t peak_file_bytes_ = 0;
  int64_t given_back_ = 0;    // of the file: its bytes up to here
  std::vector<Run> runs_;     // in the file's order
  std::vector<size_t> heap_;  // of runs, the smallest record first
  bool advance_top_ = false;  // the top run's record has been handed out
};

}  // namespace connbench::engine
