// The rows of a RowStore by a hash of theirs: which of them could equal another one.
//
// Who may call: nodes that keep each row once or look rows up. They bound its memory: grown_bytes()
// says what Grow() will take.
// Safety: private memory of one session, one thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace connbench::engine {

class RowIndex {
 public:
  bool empty() const { return entries_.empty(); }
  // Gives its memory back, too.
  void Clear() { std::vector<Entry>().swap(entries_); }

  // Whether it must grow before a row is added to that many; at most half of it is used.
  bool full(size_t rows) const { return rows * 2 >= entries_.size(); }
  int64_t grown_bytes() const { return static_cast<int64_t>(grown_size() * sizeof(Entry)); }
  void Grow() {
    std::vector<Entry> larger(grown_size());
    std::swap(larger, entries_);
    for (const Entry& entry : larger) {
      if (entry.row != 0) Add(entry.hash, entry.row - 1);
    }
  }

  // Not full.
  void Add(uint64_t hash, size_t row) {
    size_t at = hash & (entries_.size() - 1);
    while (entries_[at].row != 0) at = Behind(at);
    entries_[at] = {hash, row + 1};
  }
  // Asks about the rows of this hash, until matches(row) says yes; false: it never did.
  template <typename Matches>
  bool Find(uint64_t hash, const Matches& matches) const {
    if (entries_.empty()) return false;
    for (size_t at = hash & (entries_.size() - 1); entries_[at].row != 0; at = Behind(at)) {
      if (entries_[at].hash == hash && matches(entries_[at].row - 1)) return true;
    }
    return false;
  }

 private:
  struct Entry {
    uint64_t hash = 0;
    size_t row = 0;  // its number + 1; 0: empty
  };

  static constexpr size_t kFirstEntries = 64;  // sizes are powers of two
  size_t grown_size() const { return std::max(kFirstEntries, entries_.size() * 2); }
  size_t Behind(size_t at) const { return (at + 1) & (entries_.size() - 1); }

  std::vector<Entry> entries_;
};

}  // namespace connbench::engine
