// The one shared memory segment in which everything that sessions share lives.
//
// Life: the supervisor computes the sizes from the configuration (ShmemSize() of each subsystem),
// calls Create(), lets each subsystem allocate and lay out its part, and calls Seal(). After that
// nothing is ever allocated: a process killed inside an allocator would wedge the segment. The
// first page is a SegmentHeader, whose directory of offsets is how every process, at whatever
// address it has mapped the segment, finds the parts. Inside the segment there are only offsets and
// indexes, never pointers.
//
//   [ header | reserved area: managed by Boost.Interprocess until Seal() | sparse area ]
//
// The reserved area is really there from the start (a full /dev/shm is an error of Create(), never
// a SIGBUS later). The sparse area costs nothing until a subsystem populates what it reaches.
//
// Safety: Segment is a private handle; its const methods may be called from any thread. Create(),
// Allocate() and Seal() belong to the one thread of the supervisor that starts the server. A
// process that inherits the handle by fork uses it as it is.
// Ownership: the creating process unlinks a named segment when it destroys its handle (children
// that inherited the handle only unmap). Errors: see each function; nothing throws.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>

#include "base/status.h"
#include "engine/config.h"
#include "engine/segment/shmem_size.h"

namespace connbench::engine {

// Every part of the segment; the number is the index into the header's directory.
enum class SegmentPart : uint8_t {
  kEngineState,    // engine/engine.cc: shutdown flag
  kConnectionLog,  // segment/connection_log.h
  kBackends,       // transaction/backend.h
  kTransactions,   // transaction/transaction.h: counters
  kCommitLog,      // transaction/commit_log.h (sparse)
  kLockTable,      // transaction/lock_table.h
  kBufferPool,     // storage: buffer descriptors and mapping
  kBufferPages,    // storage: the 8 KiB pages
  kCatalog,        // storage: relations, columns, indexes
  kStorage,        // storage: anything else
  kPoolAccounts,   // segment/pool_accounts.h
  kRowLocks,       // transaction/row_lock_table.h (sparse)
  kLog,            // wal/log.h; absent while data live in memory only
  kActivity,       // transaction/activity.h
  kPagePlaces,     // storage/place_table.h; absent as the log
  kReadQueue,      // storage/read_queue.h; absent unless io_method=worker
  kParallelDesks,  // parallel/desk.h; absent without parallel workers
};
inline constexpr int kSegmentParts = 17;

// Written first of all, so that a segment can always be traced to its maker.
struct SegmentIdentity {
  static constexpr uint64_t kMagic = 0x636f6e6e62656e63;  // "connbenc"
  static constexpr uint32_t kLayoutVersion = 9;

  uint64_t magic;
  uint32_t layout_version;
  int32_t creator_pid;
  uint64_t creator_start_ticks;  // field 22 of /proc/<pid>/stat: tells a reused pid apart
};

struct SegmentHeader : SegmentIdentity {
  static constexpr int64_t kSettingsBytes = 3072;
  static constexpr int64_t kNonceBytes = 32;

  int64_t total_bytes;
  int64_t reserved_bytes;              // header and reserved area
  char mock_nonce[kNonceBytes];        // random; see Engine::mock_authentication_nonce()
  uint32_t private_futexes;            // 1: latches and wakeups use FUTEX_PRIVATE_FLAG
  uint32_t huge_pages;                 // 1: the reserved area consists of 2 MB pages
  std::atomic<uint32_t> sealed;        // 1: complete, others may attach
  int64_t part_offset[kSegmentParts];  // from the start of the segment; 0: absent
  int64_t part_bytes[kSegmentParts];
  char settings[kSettingsBytes];  // the EngineConfig, as "name=value\n" lines
};
static_assert(std::is_trivially_destructible_v<SegmentHeader>);
static_assert(sizeof(SegmentHeader) <= kMemoryPageBytes);

class Segment {
 public:
  // What one part costs in the reserved area, the allocator's own needs included.
  static constexpr int64_t kPartOverheadBytes = 2 * kMemoryPageBytes;

  // Maps a new segment. First removes the segments of dead servers (see RemoveLeftovers).
  // 53100 with both sizes and a hint when the memory is not there, or not in huge pages although
  // huge_pages=on; 22023 when a size overflows;
  // 55006 when a live server has a segment of that name.
  static Result<std::unique_ptr<Segment>> Create(const EngineConfig& config, int64_t reserved_bytes,
                                                 int64_t sparse_bytes);
  // Maps the segment of a running server. 58000 when there is none, 55000 when it is not complete
  // or was made by another version of connbench.
  static Result<std::unique_ptr<Segment>> Attach(const std::string& name, bool read_only);

  // Removes /dev/shm/connbench.* whose creator is dead; returns how many. Called by Create().
  static int RemoveLeftovers();

  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  // Zeroed, page-aligned memory for part; only before Seal(), once per part. 53200 when ShmemSize()
  // promised too little, which is a defect of that part.
  Result<void*> Allocate(SegmentPart part, int64_t bytes);
  // The same from the sparse area: reads as zero, must be populated before it is written.
  Result<void*> AllocateSparse(SegmentPart part, int64_t bytes);
  void Seal();

  // The part in this process's mapping; null when the segment has none (a canned engine).
  template <typename T>
  T* Find(SegmentPart part) const {
    static_assert(std::is_trivially_destructible_v<T>);
    const int64_t offset = header().part_offset[static_cast<int>(part)];
    return offset == 0 ? nullptr : reinterpret_cast<T*>(base_ + offset);
  }
  int64_t PartBytes(SegmentPart part) const { return header().part_bytes[static_cast<int>(part)]; }

  // Makes [address, address + bytes) of the sparse area really there; 53100 when it cannot be.
  // Any process, any time; populating twice is harmless.
  Status Populate(void* address, int64_t bytes) const;

  const SegmentHeader& header() const { return *reinterpret_cast<const SegmentHeader*>(base_); }
  bool private_futexes() const { return header().private_futexes != 0; }
  bool huge_pages() const { return header().huge_pages != 0; }
  // Of the creator: why huge_pages=try got ordinary ones. Ok otherwise.
  const Status& huge_pages_refusal() const { return huge_pages_refusal_; }
  const std::string& name() const { return name_; }  // empty if it has none
  char* base() const { return base_; }
  int64_t bytes() const { return header().total_bytes; }
  std::string_view mock_nonce() const { return {header().mock_nonce, sizeof(header().mock_nonce)}; }
  // The settings the segment was made with.
  Result<EngineConfig> ReadConfig() const;

 private:
  struct Mapping;  // keeps Boost.Interprocess out of this header
  Segment();
  Status Map(const EngineConfig& config, int64_t total_bytes, int64_t reserved_bytes);
  Status CreateFile(const EngineConfig& config, int64_t total_bytes, int64_t reserved_bytes);
  Status MapAnonymous(const EngineConfig& config, int64_t total_bytes, int64_t reserved_bytes);
  Status PopulateReserved(int64_t reserved_bytes);
  Status CollapseIntoHugePages(int64_t reserved_bytes);
  SegmentHeader& mutable_header() { return *reinterpret_cast<SegmentHeader*>(base_); }

  std::unique_ptr<Mapping> mapping_;
  std::string name_;
  char* base_ = nullptr;
  pid_t owner_pid_ = 0;  // the process that unlinks; 0: none
  int64_t sparse_used_ = 0;
  bool got_huge_pages_ = false;
  Status huge_pages_refusal_;
};

}  // namespace connbench::engine
