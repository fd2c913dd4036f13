// The one shared memory segment in which everything that sessions share lives.
#include "engine/segment/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/indexes/iset_index.hpp>
#include <boost/interprocess/managed_external_buffer.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/mem_algo/rbtree_best_fit.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <boost/interprocess/sync/mutex_family.hpp>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>

#include "base/assert.h"
#include "base/units.h"
#include "engine/segment/leftovers.h"

namespace bip = boost::interprocess;

namespace connbench::engine {
namespace {

// The stock managed_external_buffer has a null_mutex_family, which is none.
using StartupAllocator =
    bip::basic_managed_external_buffer<char, bip::rbtree_best_fit<bip::mutex_family>,
                                       bip::iset_index>;

constexpr int64_t kAllocatorBytes = 16 * kMemoryPageBytes;  // its own header and rounding
constexpr int64_t kHugePageBytes = int64_t{2} << 20;
constexpr int kNameAttempts = 1000;   // engines that one process may have at a time
constexpr int kCollapseAttempts = 5;  // a page that somebody looks at makes the kernel say EAGAIN

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif

int64_t AvailableMemoryBytes() {
  const int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return INT64_MAX;
  char text[4096];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return INT64_MAX;
  text[length] = '\0';
  const char* line = strstr(text, "MemAvailable:");
  if (line == nullptr) return INT64_MAX;
  return strtoll(line + strlen("MemAvailable:"), nullptr, 10) * 1024;
}

Status NotEnough(int64_t wanted_bytes, std::string_view where, int64_t free_bytes) {
  return Status::Error(sqlstate::kDiskFull,
                       fmt::format("could not reserve {} of shared memory: {} has {} free",
                                   FormatBytes(wanted_bytes), where, FormatBytes(free_bytes)))
      .WithHint(
          "Lower shared_buffers, max_connections or connection_log_entries, or enlarge /dev/shm "
          "(mount -o remount,size=... /dev/shm; docker run --shm-size=...).");
}

// MADV_POPULATE_WRITE answers with an error where a plain write would raise SIGBUS.
int PopulateMemory(void* address, int64_t bytes) {
  while (madvise(address, static_cast<size_t>(bytes), MADV_POPULATE_WRITE) != 0) {
    if (errno != EINTR && errno != EAGAIN) return errno;
  }
  return 0;
}

// For kernels before 5.14: the memory must be reserved already.
void TouchMemory(void* address, int64_t bytes) {
  auto* first = static_cast<volatile char*>(address);
  for (int64_t offset = 0; offset < bytes; offset += kMemoryPageBytes) {
    first[offset] = first[offset];
  }
}

SegmentIdentity IdentityOfThisProcess() {
  return {SegmentIdentity::kMagic, SegmentIdentity::kLayoutVersion, getpid(),
          ProcessStartTicks(getpid())};
}

// A huge page can be mapped as one only where address and offset lie alike in it. Where the aligned
// place is taken by another thread meanwhile, any place will do.
bip::mapped_region MapAligned(const bip::shared_memory_object& file, bip::mode_t mode,
                              int64_t bytes) {
  const auto room = static_cast<size_t>(AddSize(bytes, kHugePageBytes));
  void* place = mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place != MAP_FAILED) {
    munmap(place, room);
    auto* aligned = reinterpret_cast<void*>(
        AlignSize(static_cast<int64_t>(reinterpret_cast<uintptr_t>(place)), kHugePageBytes));
    try {
      return bip::mapped_region(file, mode, 0, 0, aligned);
    } catch (const bip::interprocess_exception& error) {
      if (error.get_error_code() != bip::busy_error) throw;
    }
  }
  return bip::mapped_region(file, mode);
}

// Anybody may put a pipe, which would be waited at for ever, or a forged segment where one is
// expected. The superuser may look at everybody's.
Status CheckSegmentFile(const std::string& name) {
  struct stat file = {};
  if (lstat(("/dev/shm/" + name).c_str(), &file) != 0) return {};  // opening it says why
  if (S_ISREG(file.st_mode) && (file.st_uid == geteuid() || geteuid() == 0)) return {};
  return Status::Error(
      sqlstate::kObjectNotInPrerequisiteState,
      fmt::format("will not attach to \"{}\": it is not a shared memory segment of this user",
                  name));
}

int ReserveFile(int fd, int64_t offset, int64_t bytes) {
  int error = 0;
  do {
    error = posix_fallocate(fd, offset, bytes);
  } while (error == EINTR);
  return error;
}

}  // namespace

struct Segment::Mapping {
  bip::shared_memory_object file;  // named backing only; its descriptor stays open for Populate
  bip::mapped_region region;       // named and anonymous backing
  void* huge_pages = nullptr;
  size_t huge_bytes = 0;
  std::optional<StartupAllocator> allocator;  // until Seal()

  ~Mapping() {
    if (huge_pages != nullptr) munmap(huge_pages, huge_bytes);
  }
  int descriptor() const { return file.get_mapping_handle().handle; }
};

Segment::Segment() : mapping_(std::make_unique<Mapping>()) {}

Segment::~Segment() {
  if (owner_pid_ != 0 && owner_pid_ == getpid()) {
    bip::shared_memory_object::remove(name_.c_str());
  }
}

Status Segment::CreateFile(const EngineConfig& config, int64_t total_bytes,
                           int64_t reserved_bytes) {
  const std::string wanted = config.segment_name.empty()
                                 ? fmt::format("{}{}", kSegmentNamePrefix, getpid())
                                 : config.segment_name;
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    name_ = attempt == 0 ? wanted : fmt::format("{}.{}", wanted, attempt);
    if (!config.segment_name.empty() && attempt > 0) {
      name_ = wanted;
      const std::optional<pid_t> creator = LiveCreator(name_);
      if (creator.has_value() || attempt > 1) {
        return Status::Error(sqlstate::kObjectInUse,
                             fmt::format("shared memory segment \"{}\" exists already", name_))
            .WithDetail(creator.value_or(0) != 0
                            ? fmt::format("It belongs to process {}.", *creator)
                            : "It is not known whose it is.")
            .WithHint("Choose another segment_name, or end that server first.");
      }
      bip::shared_memory_object::remove(name_.c_str());
    }
    try {
      mapping_->file = bip::shared_memory_object(bip::create_only, name_.c_str(), bip::read_write,
                                                 bip::permissions(0600));
    } catch (const bip::interprocess_exception& error) {
      if (error.get_error_code() == bip::already_exists_error) continue;
      return Status::System(fmt::format("could not create shared memory segment \"{}\"", name_),
                            error.get_native_error());
    }
    owner_pid_ = getpid();
    const int fd = mapping_->descriptor();
    struct statvfs space;
    if (fstatvfs(fd, &space) == 0) {
      const auto free_bytes = static_cast<int64_t>(space.f_bavail * space.f_frsize);
      if (reserved_bytes > free_bytes) return NotEnough(reserved_bytes, "/dev/shm", free_bytes);
    }
    // Who makes it stands in the file before the work that takes time: a maker that is killed
    // meanwhile leaves a segment that is known for a leftover even if its pid is used again.
    const SegmentIdentity identity = IdentityOfThisProcess();
    if (pwrite(fd, &identity, sizeof identity, 0) != static_cast<ssize_t>(sizeof identity)) {
      return NotEnough(reserved_bytes, "/dev/shm", 0);
    }
    // Not shared_memory_object::truncate, which would reserve the sparse area, too.
    if (ftruncate(fd, total_bytes) != 0) {
      return Status::System(fmt::format("could not size shared memory segment \"{}\"", name_),
                            errno);
    }
    const int error = ReserveFile(fd, 0, reserved_bytes);
    if (error == ENOSPC && fstatvfs(fd, &space) == 0) {
      return NotEnough(reserved_bytes, "/dev/shm",
                       static_cast<int64_t>(space.f_bavail * space.f_frsize));
    }
    if (error != 0) {
      return Status::System(
          fmt::format("could not reserve {} of shared memory", FormatBytes(reserved_bytes)), error);
    }
    mapping_->region = MapAligned(mapping_->file, bip::read_write, total_bytes);
    base_ = static_cast<char*>(mapping_->region.get_address());
    return {};
  }
  return Status::Error(sqlstate::kObjectInUse, "no free name for a shared memory segment")
      .WithDetail(fmt::format("The names {} to {}.{} are taken.", wanted, wanted, kNameAttempts));
}

Status Segment::Map(const EngineConfig& config, int64_t total_bytes, int64_t reserved_bytes) {
  switch (config.segment_backing) {
    case SegmentBacking::kNamed:
      return CreateFile(config, total_bytes, reserved_bytes);
    case SegmentBacking::kAnonymous:
      return MapAnonymous(config, total_bytes, reserved_bytes);
  }
  return {};
}

Status Segment::MapAnonymous(const EngineConfig& config, int64_t total_bytes,
                             int64_t reserved_bytes) {
  if (config.huge_pages != HugePages::kOff) {
    const auto bytes = static_cast<size_t>(AlignSize(total_bytes, kHugePageBytes));
    void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
    // Not reserved, so whether there are enough shows when they are populated.
    const int error = address == MAP_FAILED ? errno : PopulateMemory(address, reserved_bytes);
    if (error == 0) {
      mapping_->huge_pages = address;
      mapping_->huge_bytes = bytes;
      base_ = static_cast<char*>(address);
      got_huge_pages_ = true;
      return {};
    }
    if (address != MAP_FAILED) munmap(address, bytes);
    // Where the kernel has none left, populating answers EFAULT.
    const char* reason = error == EFAULT ? "not enough of them are free" : strerror(error);
    Status refusal =
        Status::Error(sqlstate::kDiskFull, fmt::format("could not map {} in huge pages: {}",
                                                       FormatBytes(reserved_bytes), reason))
            .WithHint(
                "Raise vm.nr_hugepages (2 MB each), set segment_backing=named, which needs none "
                "reserved, or set huge_pages=try.");
    if (config.huge_pages == HugePages::kOn) return refusal;
    huge_pages_refusal_ = std::move(refusal);
  }
  mapping_->region = bip::anonymous_shared_memory(static_cast<size_t>(total_bytes));
  base_ = static_cast<char*>(mapping_->region.get_address());
  return {};
}

Status Segment::PopulateReserved(int64_t reserved_bytes) {
  const int error = PopulateMemory(base_, reserved_bytes);
  if (error == 0) return {};
  if (error == EINVAL) {
    TouchMemory(base_, reserved_bytes);
    return {};
  }
  return Status::Error(sqlstate::kDiskFull,
                       fmt::format("could not reserve {} of shared memory: {}",
                                   FormatBytes(reserved_bytes), strerror(error)))
      .WithHint("Lower shared_buffers, or give the server more memory.");
}

// The file keeps its name and others may attach; only what backs it changes. Independent of how
// /dev/shm is mounted and of the switches in /sys/kernel/mm/transparent_hugepage.
Status Segment::CollapseIntoHugePages(int64_t reserved_bytes) {
  int error = EAGAIN;
  for (int attempt = 0; attempt < kCollapseAttempts && error == EAGAIN; ++attempt) {
    error = madvise(base_, static_cast<size_t>(reserved_bytes), MADV_COLLAPSE) == 0 ? 0 : errno;
  }
  got_huge_pages_ = error == 0;
  if (error == 0) return {};
  return Status::Error(sqlstate::kDiskFull,
                       fmt::format("could not back {} with huge pages: {}",
                                   FormatBytes(reserved_bytes), strerror(error)))
      .WithHint(
          error == EINVAL
              ? "The kernel is older than 6.1 or has no transparent huge pages for shared "
                "memory: reserve some (vm.nr_hugepages) and set segment_backing=anonymous, or "
                "set huge_pages=try."
              : "There may be no contiguous memory left: echo 1 > /proc/sys/vm/compact_memory, "
                "or set huge_pages=try.");
}

Result<std::unique_ptr<Segment>> Segment::Create(const EngineConfig& config, int64_t reserved_bytes,
                                                 int64_t sparse_bytes) {
  int64_t reserved =
      AddSize(kMemoryPageBytes + kAllocatorBytes, AlignSize(reserved_bytes, kMemoryPageBytes));
  if (config.huge_pages != HugePages::kOff) reserved = AlignSize(reserved, kHugePageBytes);
  const int64_t total = AddSize(reserved, AlignSize(sparse_bytes, kMemoryPageBytes));
  if (total == kShmemSizeOverflow) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "the settings ask for more shared memory than can be counted")
        .WithHint("Lower shared_buffers, max_connections or connection_log_entries.");
  }
  // Reserved huge pages are not in what is available.
  const bool from_hugetlb =
      config.segment_backing == SegmentBacking::kAnonymous && config.huge_pages != HugePages::kOff;
  if (const int64_t available = AvailableMemoryBytes(); !from_hugetlb && reserved > available) {
    return NotEnough(reserved, "the machine", available);
  }
  RemoveLeftovers();

  std::unique_ptr<Segment> segment(new Segment());
  try {
    CONNBENCH_RETURN_IF_ERROR(segment->Map(config, total, reserved));
    CONNBENCH_RETURN_IF_ERROR(segment->PopulateReserved(reserved));
    if (config.huge_pages != HugePages::kOff && !segment->name_.empty()) {
      Status collapsed = segment->CollapseIntoHugePages(reserved);
      if (!collapsed.ok() && config.huge_pages == HugePages::kOn) return collapsed;
      segment->huge_pages_refusal_ = std::move(collapsed);
    }
    segment->mapping_->allocator.emplace(bip::create_only, segment->base_ + kMemoryPageBytes,
                                         static_cast<size_t>(reserved - kMemoryPageBytes));
  } catch (const bip::interprocess_exception& error) {
    return Status::System(fmt::format("could not map {} of shared memory", FormatBytes(total)),
                          error.get_native_error());
  }

  // Fresh memory is zero, but for the identity that a named segment carries already.
  auto* header = reinterpret_cast<SegmentHeader*>(segment->base_);
  static_cast<SegmentIdentity&>(*header) = IdentityOfThisProcess();
  header->total_bytes = total;
  header->reserved_bytes = reserved;
  if (getrandom(header->mock_nonce, sizeof header->mock_nonce, 0) !=
      static_cast<ssize_t>(sizeof header->mock_nonce)) {
    return Status::System("could not get random bytes", errno);
  }
  header->private_futexes = config.private_futexes ? 1 : 0;
  header->huge_pages = segment->got_huge_pages_ ? 1 : 0;
  std::string settings;
  for (const SettingDescription& setting : DescribeSettings(config)) {
    settings += fmt::format("{}={}\n", setting.name, setting.value);
  }
  if (settings.size() >= sizeof header->settings) {
    return Status::Error(sqlstate::kProgramLimitExceeded, "the settings' text is too long")
        .WithHint("Choose a shorter segment_name or pwfile.");
  }
  memcpy(header->settings, settings.data(), settings.size());
  return segment;
}

Result<void*> Segment::Allocate(SegmentPart part, int64_t bytes) {
  const int index = static_cast<int>(part);
  CONNBENCH_ASSERT(mapping_->allocator.has_value(), "the segment is not sealed");
  CONNBENCH_ASSERT(header().part_offset[index] == 0, "a part is allocated once");
  void* memory = mapping_->allocator->allocate_aligned(
      static_cast<size_t>(bytes), static_cast<size_t>(kMemoryPageBytes), std::nothrow);
  if (memory == nullptr) {
    return Status::Error(
               sqlstate::kOutOfMemory,
               fmt::format(
                   "part {} of the segment needs {}, but {} are left", index, FormatBytes(bytes),
                   FormatBytes(static_cast<int64_t>(mapping_->allocator->get_free_memory()))))
        .WithHint("This is a defect: its ShmemSize() promised less.");
  }
  // Fresh memory is zero but for the links the allocator had at the start of its free block.
  memset(memory, 0, static_cast<size_t>(std::min(bytes, kMemoryPageBytes)));
  mutable_header().part_offset[index] = static_cast<char*>(memory) - base_;
  mutable_header().part_bytes[index] = bytes;
  return memory;
}

Result<void*> Segment::AllocateSparse(SegmentPart part, int64_t bytes) {
  const int index = static_cast<int>(part);
  CONNBENCH_ASSERT(header().part_offset[index] == 0, "a part is allocated once");
  const int64_t start = header().reserved_bytes + sparse_used_;
  const int64_t aligned = AlignSize(bytes, kMemoryPageBytes);
  if (AddSize(start, aligned) > header().total_bytes) {
    return Status::Error(sqlstate::kOutOfMemory,
                         fmt::format("part {} of the segment needs {} of the sparse area", index,
                                     FormatBytes(bytes)))
        .WithHint("This is a defect: its ShmemSize() promised less.");
  }
  sparse_used_ += aligned;
  mutable_header().part_offset[index] = start;
  mutable_header().part_bytes[index] = bytes;
  return base_ + start;
}

void Segment::Seal() {
  mapping_->allocator.reset();
  mutable_header().sealed.store(1, std::memory_order_release);
}

Status Segment::Populate(void* address, int64_t bytes) const {
  auto* first = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(address) &
                                        ~static_cast<uintptr_t>(kMemoryPageBytes - 1));
  const int64_t length = AlignSize(static_cast<char*>(address) + bytes - first, kMemoryPageBytes);
  int error = PopulateMemory(first, length);
  if (error == EINVAL && !name_.empty()) {
    error = ReserveFile(mapping_->descriptor(), first - base_, length);
  } else if (error == EINVAL) {
    error = 0;  // an old kernel and anonymous memory: nothing but trying is possible
  }
  if (error == 0) return {};
  return Status::Error(sqlstate::kDiskFull, fmt::format("could not extend shared memory by {}: {}",
                                                        FormatBytes(length), strerror(error)))
      .WithHint("Enlarge /dev/shm, or lower recent_transactions.");
}

Result<std::unique_ptr<Segment>> Segment::Attach(const std::string& name, bool read_only) {
  CONNBENCH_RETURN_IF_ERROR(CheckSegmentFile(name));
  std::unique_ptr<Segment> segment(new Segment());
  const bip::mode_t mode = read_only ? bip::read_only : bip::read_write;
  segment->name_ = name;
  try {
    segment->mapping_->file = bip::shared_memory_object(bip::open_only, name.c_str(), mode);
    bip::offset_t size = 0;
    if (!segment->mapping_->file.get_size(size) || size < kMemoryPageBytes) {
      return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                           fmt::format("shared memory segment \"{}\" is not complete", name));
    }
    segment->mapping_->region = MapAligned(segment->mapping_->file, mode, size);
  } catch (const bip::interprocess_exception& error) {
    return std::move(
               Status::System(fmt::format("could not attach to shared memory segment \"{}\"", name),
                              error.get_native_error()))
        .WithHint("Is the server running? Its name is under /dev/shm, connbench.<pid>.");
  }
  segment->base_ = static_cast<char*>(segment->mapping_->region.get_address());
  const SegmentHeader& header = segment->header();
  if (header.magic != SegmentHeader::kMagic ||
      header.layout_version != SegmentHeader::kLayoutVersion ||
      header.sealed.load(std::memory_order_acquire) == 0 ||
      header.total_bytes != static_cast<int64_t>(segment->mapping_->region.get_size())) {
    return Status::Error(
        sqlstate::kObjectNotInPrerequisiteState,
        fmt::format("shared memory segment \"{}\" is not complete, or another version made it",
                    name));
  }
  return segment;
}

Result<EngineConfig> Segment::ReadConfig() const {
  EngineConfig config;
  std::string_view text(header().settings, strnlen(header().settings, sizeof header().settings));
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const size_t equals = line.find('=');
    if (end == std::string_view::npos || equals == std::string_view::npos) {
      return Status::Error(sqlstate::kInternalError, "the segment's settings are damaged");
    }
    CONNBENCH_RETURN_IF_ERROR(
        ApplySetting(config, line.substr(0, equals), line.substr(equals + 1)));
    text.remove_prefix(end + 1);
  }
  return config;
}

int Segment::RemoveLeftovers() { return engine::RemoveLeftovers(); }

}  // namespace connbench::engine
