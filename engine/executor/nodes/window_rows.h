// The rows of a window's partition, as far as they have been read: any of them can be read again by
// its number, until it is trimmed.
//
// Who may call: WindowAggNode. Safety: private memory of one session, one thread at a time.
// Memory: up to the limit, the rest in a temporary file. Rows are kept in stretches, each a
// RowStore; one whose rows nobody reads any more is given back, as long as none is in a file.
// Ownership: a row that was read is valid until its Reader reads another one, or it is trimmed.
// Errors: those of temporary_file.h.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/nodes/row_store.h"
#include "engine/executor/row_codec.h"

namespace connbench::engine {

class WindowRows {
 public:
  static constexpr int64_t kRowsPerStretch = 256;

  struct Reader {
    int64_t row = -1;           // whose values these are; -1: nobody's
    std::vector<Value> values;  // as many as the row has
    RowStore::Position position;
    int64_t stretch = -1;  // that position is of, by its first row: its memory is used again

    void Forget() { row = stretch = -1; }
  };

  explicit WindowRows(const RowCodec& codec) : codec_(codec) {}

  void SetMemoryLimit(int64_t bytes) { limit_bytes_ = bytes; }
  // Forgets all rows, and keeps a little memory for those of the next partition. Readers must
  // forget theirs.
  void Clear();
  // Gives all memory and disk space back.
  void Release();

  Status Add(std::string_view row);
  // Requires: there is such a row, and it was not trimmed.
  Status Read(Reader& reader, int64_t row) const;
  // Nobody will read a row before this one.
  void Trim(int64_t row);

  int64_t size() const { return size_; }  // trimmed rows included
  int64_t spilled_bytes() const;

 private:
  struct Stretch {
    int64_t first = 0;
    RowStore store;
  };

  const RowCodec& codec_;
  int64_t limit_bytes_ = INT64_MAX;
  int64_t size_ = 0;
  int64_t bytes_held_ = 0;                          // by all stretches but the last
  std::deque<std::unique_ptr<Stretch>> stretches_;  // each has as many rows, but the last
  std::unique_ptr<Stretch> spare_;
};

}  // namespace connbench::engine
