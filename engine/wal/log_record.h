// Records: what the log and the checkpoint files consist of. README.md has their layout.
//
// A record's checksum also covers the place where it stands and the number of its log, so that what
// is left of an older log, or has been copied from another one, is no record.
//
// Safety: plain values.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace connbench::engine {

// A place in the log: bytes since its beginning. 0: before everything.
using Lsn = uint64_t;
inline constexpr Lsn kNoLsn = 0;

enum class RecordKind : uint16_t {
  kNone = 0,
  kPages = 1,         // what has changed on one or more pages, all of it or nothing
  kCommit = 2,        // a transaction's xids, or the last of them
  kMoreXids = 3,      // of the transaction whose kCommit is to come
  kXidLimit = 4,      // no xid from here on has been given out
  kStorageMade = 5,   // a relation's storage, empty
  kStorageFreed = 6,  // and its pages
  kBlockCount = 7,    // pages from here on are gone
  kSequence = 8,      // a sequence's counter
  kNextOid = 9,
  // Of checkpoint files alone.
  kBeginning = 10,   // what is about the database as a whole
  kFates = 11,       // which of some xids have committed
  kPagePlaces = 12,  // where the pages of a storage are
  kEnd = 13,         // the file is complete
};

struct RecordHeader {
  uint64_t checksum;  // of all that follows
  uint32_t length;    // of the record with this header; the next one begins at a multiple of 8
  RecordKind kind;
  uint16_t zero;
};
inline constexpr size_t kRecordHeaderBytes = sizeof(RecordHeader);
static_assert(kRecordHeaderBytes == 16);
inline constexpr size_t kRecordAlignment = 8;
// Longer ones do not exist: what says so is no record.
inline constexpr size_t kMaxRecordBytes = size_t{1} << 19;
// What is wrong with one whose payload ends too early.
inline constexpr const char* kShortRecord = "a record is shorter than its kind needs";

constexpr uint64_t AlignRecord(uint64_t length) {
  return (length + kRecordAlignment - 1) & ~uint64_t{kRecordAlignment - 1};
}

// Puts a record together; Seal() makes it final for one place.
class RecordBuilder {
 public:
  void Begin(RecordKind kind) {
    bytes_.assign(kRecordHeaderBytes, '\0');
    kind_ = kind;
  }
  template <typename T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    PutBytes({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void PutBytes(std::string_view bytes) { bytes_.append(bytes); }
  size_t size() const { return bytes_.size(); }
  // For counts that are known later.
  template <typename T>
  void PutAt(size_t offset, const T& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }
  // The record as it is written at place; padded to kRecordAlignment.
  std::string_view Seal(uint64_t log_number, Lsn place);

 private:
  std::string bytes_;
  RecordKind kind_ = RecordKind::kNone;
};

// Takes a record's payload apart; ok() is false once something was missing.
class RecordReader {
 public:
  explicit RecordReader(std::string_view payload) : left_(payload) {}
  template <typename T>
  T Get() {
    T value{};
    if (left_.size() < sizeof value) {
      ok_ = false;
      left_ = {};
      return value;
    }
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view GetBytes(size_t count) {
    if (left_.size() < count) {
      ok_ = false;
      left_ = {};
      return {};
    }
    const std::string_view bytes = left_.substr(0, count);
    left_.remove_prefix(count);
    return bytes;
  }
  bool ok() const { return ok_; }
  bool empty() const { return left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

uint64_t RecordChecksum(uint64_t log_number, Lsn place, std::string_view after_checksum);

}  // namespace connbench::engine
