// Rows in the order in which they were added, to be read any number of times, by several readers:
// in memory up to a limit, the rest in a temporary file.
//
// Who may call: nodes that read rows again, and subqueries. A reader is a Position; it may read
// while others add.
// Safety: private memory of one session, one thread at a time.
// Ownership: a row that was read is valid until its Position reads again, or the store is cleared.
// Errors: those of temporary_file.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/nodes/temporary_file.h"

namespace connbench::engine {

class RowStore {
 public:
  // Where a reader stands.
  struct Position {
    size_t row = 0;
    int64_t offset = 0;       // of a row in the file
    std::vector<char> chunk;  // of the file
    int64_t chunk_offset = 0;
    std::vector<char> bytes;  // the row that was read last, if it came from the file

    void Rewind() {
      row = 0;
      offset = 0;
      chunk.clear();  // the store may have been filled anew
    }
  };

  // Forgets all rows, and gives their memory and disk space back.
  void Clear();
  // Forgets them, and keeps a little memory for others.
  void Reset();
  // Before the first row.
  void SetMemoryLimit(int64_t bytes) {
    limit_bytes_ = bytes;
    arena_.set_limit_bytes(bytes);
  }

  Status Add(std::string_view row);
  // False: there are no more, yet.
  Result<bool> Read(Position& position, std::string_view& row);
  // Behind the last row.
  void MoveToEnd(Position& position) const;
  // Before a row that there is.
  Status Seek(Position& position, size_t row) const;

  size_t rows() const { return rows_; }
  bool in_memory() const { return rows_ == memory_.size(); }
  int64_t bytes_held() const;
  int64_t spilled_bytes() const { return file_.size() + static_cast<int64_t>(unwritten_.size()); }
  // A row that is in memory.
  std::string_view operator[](size_t row) const { return memory_[row]; }

 private:
  static constexpr size_t kRowsPerPlace = 64;

  Status CopyOut(Position& position, int64_t offset, char* bytes, size_t count) const;

  int64_t limit_bytes_ = INT64_MAX;
  size_t rows_ = 0;
  Arena arena_;
  std::vector<std::string_view> memory_;  // the first rows
  TemporaryFile file_;                    // the others: each its length, then its bytes
  std::vector<char> unwritten_;           // what follows the file
  std::vector<int64_t> places_;           // in the file, of every kRowsPerPlace-th row there
};

}  // namespace connbench::engine
