// Sorts (key, payload) records by the bytes of their keys, in memory up to a limit, beyond it
// through a temporary file that has no name and goes away with the sorter.
//
// Use: Add() all, Finish(), Next() until false. Clear() makes it ready to use again.
//
// Safety: private memory, one thread. Errors: 53100 when the disk is full, 58030 for I/O errors,
// 53200 when memory is refused.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"

namespace connbench::engine {

class ExternalSorter {
 public:
  ExternalSorter() = default;
  ~ExternalSorter() { Clear(); }
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
  int64_t spilled_bytes() const { return file_end_; }

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
  int64_t BytesHeld() const;
  Status SortEntries();
  Status SpillRun();
  Status Write(const char* bytes, size_t count);
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

  int file_ = -1;
  int64_t file_end_ = 0;
  std::vector<Run> runs_;
  std::vector<size_t> heap_;  // of runs, the smallest record first
  bool advance_top_ = false;  // the top run's record has been handed out
};

}  // namespace connbench::engine
