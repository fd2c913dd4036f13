// Tests: the one shared memory segment in which everything that sessions share lives.
#include "engine/segment/segment.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/segment/latch.h"
#include "engine/segment/leftovers.h"
#include "engine/segment/testing/dead_pid.h"
#include "engine/segment/testing/segment_test_part.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kReserved = 1 << 20;
constexpr int64_t kSparse = 16 << 20;

EngineConfig NamedConfig() { return {}; }

EngineConfig AnonymousConfig() {
  EngineConfig config;
  config.segment_backing = SegmentBacking::kAnonymous;
  return config;
}

std::unique_ptr<Segment> MustCreate(const EngineConfig& config) {
  auto segment = Segment::Create(config, kReserved, kSparse);
  EXPECT_TRUE(segment.ok()) << segment.status().ToString();
  return std::move(*segment);
}

bool Exists(const std::string& name) { return access(("/dev/shm/" + name).c_str(), F_OK) == 0; }

SegmentTestPart* MakePart(Segment& segment) {
  auto memory = segment.Allocate(SegmentPart::kStorage, sizeof(SegmentTestPart));
  EXPECT_TRUE(memory.ok()) << memory.status().ToString();
  return new (*memory) SegmentTestPart();
}

int WaitForExit(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SegmentTest, GivesZeroedAlignedPartsAndFindsThem) {
  for (const EngineConfig& config : {NamedConfig(), AnonymousConfig()}) {
    auto segment = MustCreate(config);
    EXPECT_EQ(segment->Find<char>(SegmentPart::kCatalog), nullptr);
    constexpr int64_t kBytes = 3 * kMemoryPageBytes + 17;
    for (const SegmentPart part : {SegmentPart::kCatalog, SegmentPart::kBackends}) {
      auto memory = segment->Allocate(part, kBytes);
      ASSERT_TRUE(memory.ok()) << memory.status().ToString();
      auto* bytes = static_cast<char*>(*memory);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % kMemoryPageBytes, 0u);
      for (int64_t i = 0; i < kBytes; ++i) ASSERT_EQ(bytes[i], 0) << "at " << i;
      memset(bytes, 0xff, kBytes);
      EXPECT_EQ(segment->Find<char>(part), bytes);
      EXPECT_EQ(segment->PartBytes(part), kBytes);
    }
    segment->Seal();
  }
}

TEST(SegmentTest, RefusesMoreThanWasPromised) {
  auto segment = MustCreate(AnonymousConfig());
  auto memory = segment->Allocate(SegmentPart::kCatalog, 2 * kReserved);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.status().code(), sqlstate::kOutOfMemory);
  auto sparse = segment->AllocateSparse(SegmentPart::kCommitLog, 2 * kSparse);
  ASSERT_FALSE(sparse.ok());
  EXPECT_EQ(sparse.status().code(), sqlstate::kOutOfMemory);
}

TEST(SegmentTest, SparseMemoryTakesRoomOnlyWhenPopulated) {
  auto segment = MustCreate(NamedConfig());
  auto memory = segment->AllocateSparse(SegmentPart::kCommitLog, kSparse);
  ASSERT_TRUE(memory.ok());
  struct stat before;
  ASSERT_EQ(stat(("/dev/shm/" + segment->name()).c_str(), &before), 0);
  EXPECT_LT(before.st_blocks * 512, kReserved + kSparse);
  EXPECT_GE(before.st_blocks * 512, kReserved);
  auto* bytes = static_cast<char*>(*memory);
  ASSERT_TRUE(segment->Populate(bytes + kSparse / 2, 1000).ok());
  struct stat after;
  ASSERT_EQ(stat(("/dev/shm/" + segment->name()).c_str(), &after), 0);
  EXPECT_GT(after.st_blocks, before.st_blocks);
  EXPECT_EQ(bytes[kSparse / 2], 0);
}

TEST(SegmentTest, NamesAreUniqueWithinAProcessAndGoWithTheSegment) {
  std::string first_name;
  std::string second_name;
  {
    auto first = MustCreate(NamedConfig());
    auto second = MustCreate(NamedConfig());
    first_name = first->name();
    second_name = second->name();
    EXPECT_NE(first_name, second_name);
    EXPECT_TRUE(Exists(first_name));
    EXPECT_TRUE(Exists(second_name));
  }
  EXPECT_FALSE(Exists(first_name));
  EXPECT_FALSE(Exists(second_name));
}

TEST(SegmentTest, AForkedChildDoesNotRemoveTheName) {
  auto segment = MustCreate(NamedConfig());
  const pid_t child = fork();
  if (child == 0) {
    segment.reset();
    _exit(0);
  }
  EXPECT_EQ(WaitForExit(child), 0);
  EXPECT_TRUE(Exists(segment->name()));
}

TEST(SegmentTest, AGivenNameMayBeUsedOnce) {
  EngineConfig config;
  config.segment_name = "connbench.test-" + std::to_string(getpid());
  auto segment = MustCreate(config);
  EXPECT_EQ(segment->name(), config.segment_name);
  auto again = Segment::Create(config, kReserved, kSparse);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.status().code(), sqlstate::kObjectInUse);
  EXPECT_THAT(again.status().error().detail, HasSubstr(std::to_string(getpid())));
  EXPECT_TRUE(Exists(config.segment_name)) << "the failed attempt must not remove it";
}

TEST(SegmentTest, AttachesAtAnotherAddress) {
  auto segment = MustCreate(NamedConfig());
  SegmentTestPart* part = MakePart(*segment);
  segment->Seal();
  auto attached = Segment::Attach(segment->name(), /*read_only=*/false);
  ASSERT_TRUE(attached.ok()) << attached.status().ToString();
  auto* other = (*attached)->Find<SegmentTestPart>(SegmentPart::kStorage);
  ASSERT_NE(other, nullptr);
  EXPECT_NE(static_cast<void*>(other), static_cast<void*>(part));
  // One latch at two addresses: it excludes.
  std::thread thread([&] {
    for (int i = 0; i < SegmentTestPart::kRounds; ++i) {
      ExclusiveLatchGuard guard(other->latch);
      other->counter += 1;
    }
  });
  for (int i = 0; i < SegmentTestPart::kRounds; ++i) {
    ExclusiveLatchGuard guard(part->latch);
    part->counter += 1;
  }
  thread.join();
  EXPECT_EQ(part->counter, 2 * SegmentTestPart::kRounds);
}

TEST(SegmentTest, AnUnrelatedProgramAttaches) {
  auto segment = MustCreate(NamedConfig());
  SegmentTestPart* part = MakePart(*segment);
  segment->Seal();
  std::string program = SEGMENT_ATTACHER;
  std::string name = segment->name();
  char* arguments[] = {program.data(), name.data(), nullptr};
  pid_t pid = 0;
  ASSERT_EQ(posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  for (int i = 0; i < SegmentTestPart::kRounds; ++i) {
    ExclusiveLatchGuard guard(part->latch);
    part->counter += 1;
  }
  EXPECT_EQ(WaitForExit(pid), 0);
  EXPECT_EQ(part->counter, 2 * SegmentTestPart::kRounds);
}

TEST(SegmentTest, ReadOnlyAttachReadsTheSettings) {
  EngineConfig config;
  config.max_connections = 321;
  config.shared_buffers_bytes = int64_t{12345} << 10;
  config.deadlock_timeout_ms = 77;
  auto segment = MustCreate(config);
  segment->Seal();
  auto attached = Segment::Attach(segment->name(), /*read_only=*/true);
  ASSERT_TRUE(attached.ok()) << attached.status().ToString();
  auto read = (*attached)->ReadConfig();
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->max_connections, 321);
  EXPECT_EQ(read->shared_buffers_bytes, int64_t{12345} << 10);
  EXPECT_EQ(read->deadlock_timeout_ms, 77);
}

TEST(SegmentTest, AttachFailsClearly) {
  auto missing = Segment::Attach("connbench.there-is-none", true);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), sqlstate::kSystemError);
  EXPECT_THAT(missing.status().ToString(), HasSubstr("connbench.there-is-none"));

  auto segment = MustCreate(NamedConfig());
  auto unsealed = Segment::Attach(segment->name(), true);
  ASSERT_FALSE(unsealed.ok());
  EXPECT_EQ(unsealed.status().code(), sqlstate::kObjectNotInPrerequisiteState);
}

TEST(SegmentTest, TooMuchIsAnErrorNotASignal) {
  for (const EngineConfig& config : {NamedConfig(), AnonymousConfig()}) {
    auto huge = Segment::Create(config, int64_t{1} << 44, 0);
    ASSERT_FALSE(huge.ok());
    EXPECT_EQ(huge.status().code(), sqlstate::kDiskFull);
    EXPECT_THAT(huge.status().error().message, HasSubstr("16384.0 GB"));
    EXPECT_THAT(huge.status().error().message, HasSubstr("free"));
    EXPECT_THAT(huge.status().error().hint, HasSubstr("shared_buffers"));
    auto uncountable = Segment::Create(config, kShmemSizeOverflow, kSparse);
    ASSERT_FALSE(uncountable.ok());
    EXPECT_EQ(uncountable.status().code(), sqlstate::kInvalidParameterValue);
  }
  EXPECT_FALSE(Exists("connbench." + std::to_string(getpid()))) << "nothing may be left behind";
}

TEST(SegmentTest, SweepsWhatTheDeadLeftAndNothingElse) {
  auto living = MustCreate(NamedConfig());
  living->Seal();
  // A server that was killed: complete segment, dead creator.
  int names[2];
  ASSERT_EQ(pipe(names), 0);
  const pid_t server = fork();
  if (server == 0) {
    auto segment = Segment::Create(NamedConfig(), kReserved, kSparse);
    if (!segment) _exit(1);
    const std::string name = (*segment)->name();
    if (write(names[1], name.data(), name.size()) < 0) _exit(2);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(server, &status, 0), server);
  ASSERT_TRUE(WIFSIGNALED(status));
  char name[100] = {};
  ASSERT_GT(read(names[0], name, sizeof name - 1), 0);
  close(names[0]);
  close(names[1]);
  ASSERT_TRUE(Exists(name));
  // One that died before its header was written: only the name tells.
  const std::string unfinished = "connbench." + std::to_string(DeadPid());
  const int fd = shm_open(unfinished.c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_GE(fd, 0);
  close(fd);
  // One of a living process that is just starting.
  const std::string starting = "connbench." + std::to_string(getpid()) + ".77";
  const int starting_fd = shm_open(starting.c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_GE(starting_fd, 0);
  close(starting_fd);

  Segment::RemoveLeftovers();
  EXPECT_FALSE(Exists(name));
  EXPECT_FALSE(Exists(unfinished));
  EXPECT_TRUE(Exists(living->name()));
  EXPECT_TRUE(Exists(starting));
  shm_unlink(starting.c_str());
}

TEST(SegmentTest, ARecycledPidDoesNotProtectALeftover) {
  auto segment = MustCreate(NamedConfig());
  const std::string name = segment->name();
  EXPECT_EQ(LiveCreator(name), getpid());
  auto& header = const_cast<SegmentHeader&>(segment->header());
  header.creator_start_ticks += 1;  // as if another process had had our pid
  EXPECT_EQ(LiveCreator(name), std::nullopt);
}

TEST(SegmentTest, LiveSegmentsAreListed) {
  auto segment = MustCreate(NamedConfig());
  const std::string name = segment->name();
  const auto listed = [&name] {
    const std::vector<std::string> names = ListLiveSegments();
    return std::count(names.begin(), names.end(), name);
  };
  EXPECT_EQ(listed(), 1);
  segment.reset();
  EXPECT_EQ(listed(), 0);
}

// How much of the mapping at address this process has in 2 MB pages, by /proc.
int64_t HugeKilobytes(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  const std::string begin = fmt::format("{:x}-", reinterpret_cast<uintptr_t>(address));
  int64_t kilobytes = 0;
  bool here = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find('-') != std::string::npos && line.find(':') != std::string::npos &&
        line.find(" kB") == std::string::npos) {
      here = line.starts_with(begin);
    }
    for (const char* field : {"ShmemPmdMapped:", "Shared_Hugetlb:"}) {
      if (here && line.starts_with(field)) kilobytes += std::stoll(line.substr(strlen(field)));
    }
  }
  return kilobytes;
}

TEST(SegmentTest, HugePagesAreHugeOrWhatIsMissingIsSaid) {
  for (const SegmentBacking backing : {SegmentBacking::kNamed, SegmentBacking::kAnonymous}) {
    EngineConfig config;
    config.segment_backing = backing;
    auto ordinary = Segment::Create(config, kReserved, 0);
    ASSERT_TRUE(ordinary.ok());
    EXPECT_FALSE((*ordinary)->huge_pages());
    EXPECT_EQ(HugeKilobytes((*ordinary)->base()), 0);

    config.huge_pages = HugePages::kOn;
    auto segment = Segment::Create(config, kReserved, 0);
    if (segment.ok()) {
      EXPECT_TRUE((*segment)->huge_pages());
      EXPECT_GE(HugeKilobytes((*segment)->base()) * 1024, (*segment)->header().reserved_bytes);
      EXPECT_TRUE((*segment)->Allocate(SegmentPart::kCatalog, kReserved / 2).ok());
    } else {
      EXPECT_EQ(segment.status().code(), sqlstate::kDiskFull);
      EXPECT_THAT(segment.status().error().hint, testing::HasSubstr("huge_pages=try"));
    }

    config.huge_pages = HugePages::kTry;
    auto tried = Segment::Create(config, kReserved, 0);
    ASSERT_TRUE(tried.ok()) << tried.status().ToString();
    EXPECT_EQ((*tried)->huge_pages(), segment.ok());
    EXPECT_EQ((*tried)->huge_pages_refusal().ok(), segment.ok());
    EXPECT_EQ(HugeKilobytes((*tried)->base()) > 0, segment.ok());
  }
}

TEST(SegmentTest, WhoAttachesHugePagesMapsThemAsSuch) {
  EngineConfig config;
  config.huge_pages = HugePages::kTry;
  auto segment = MustCreate(config);
  if (!segment->huge_pages()) GTEST_SKIP() << segment->huge_pages_refusal().ToString();
  ASSERT_TRUE(segment->Allocate(SegmentPart::kCatalog, kReserved / 2).ok());
  segment->Seal();
  auto other = Segment::Attach(segment->name(), /*read_only=*/false);
  ASSERT_TRUE(other.ok()) << other.status().ToString();
  EXPECT_TRUE((*other)->huge_pages());
  EXPECT_EQ(reinterpret_cast<uintptr_t>((*other)->base()) % (2 << 20), 0U);
  const volatile char touched = *(*other)->base();
  (void)touched;
  EXPECT_GT(HugeKilobytes((*other)->base()), 0);
}

TEST(ShmemSizeTest, OverflowSticks) {
  EXPECT_EQ(AddSize(1, 2), 3);
  EXPECT_EQ(AddSize(INT64_MAX, 1), kShmemSizeOverflow);
  EXPECT_EQ(AddSize(kShmemSizeOverflow, 1), kShmemSizeOverflow);
  EXPECT_EQ(MulSize(INT64_MAX / 2, 3), kShmemSizeOverflow);
  EXPECT_EQ(AlignSize(1, 64), 64);
  EXPECT_EQ(AlignSize(64, 64), 64);
  EXPECT_EQ(AlignSize(kShmemSizeOverflow, 64), kShmemSizeOverflow);
}

}  // namespace
}  // namespace connbench::engine
