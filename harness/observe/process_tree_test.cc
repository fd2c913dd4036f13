// Observes children of its own whose memory, CPU and switches are known, because they touch, burn
// and sleep as told. Children do nothing but system calls and stores after fork, so that the test
// also runs under sanitizers. What a sanitizer adds at their start drops out of the differences.
#include "harness/observe/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "harness/observe/proc_files.h"
#include "harness/observe/sampler.h"

namespace connbench::observe {
namespace {

constexpr size_t kMegabyte = 1 << 20;

char* MapMemory(size_t bytes, int kind) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
  // Huge pages would round what a child touches.
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(memory);
}

// Stores into each page. A sanitizer must not check these stores: it would read its shadow of them,
// and there are kernels (6.18, for one) that count a page that was only read as private memory.
[[gnu::noinline, gnu::no_sanitize_address, gnu::no_sanitize_thread]] void Touch(char* memory,
                                                                                size_t bytes) {
  constexpr size_t kPageBytes = 4096;
  for (size_t at = 0; at < bytes; at += kPageBytes) *static_cast<volatile char*>(memory + at) = 1;
}

// A child that does what it is told step by step: each Step() lets it go on to its next Wait().
class Child {
 public:
  explicit Child(const std::function<void(Child&)>& body) {
    EXPECT_EQ(::pipe(to_child_), 0);
    EXPECT_EQ(::pipe(to_parent_), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      body(*this);
      ::_exit(0);
    }
    AwaitReport();
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {to_child_[0], to_child_[1], to_parent_[0], to_parent_[1]}) ::close(fd);
  }

  pid_t pid() const { return pid_; }
  void Step() {
    EXPECT_EQ(::write(to_child_[1], "x", 1), 1);
    AwaitReport();
  }

  // In the child: tells the parent that it has come so far, and waits to be let on.
  void Wait() {
    char byte = 0;
    if (::write(to_parent_[1], "x", 1) != 1 || ::read(to_child_[0], &byte, 1) != 1) ::_exit(1);
  }

 private:
  void AwaitReport() {
    char byte = 0;
    EXPECT_EQ(::read(to_parent_[0], &byte, 1), 1);
  }

  int to_child_[2];
  int to_parent_[2];
  pid_t pid_ = 0;
};

void BurnCpu(int64_t nanoseconds) {
  timespec now;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  const int64_t begin = now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
  int64_t used = 0;
  while (used < nanoseconds) {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    used = now.tv_sec * kNanosecondsPerSecond + now.tv_nsec - begin;
  }
}

TEST(ProcessTreeTest, PrivateMemoryIsCountedOnceAndInFull) {
  constexpr int64_t kTouchedKb = 8 << 10;
  Child child([](Child& self) {
    char* memory = MapMemory(8 * kMegabyte, MAP_PRIVATE);
    self.Wait();
    Touch(memory, 8 * kMegabyte);
    self.Wait();
  });
  const TreeMemory before = ReadMemory(child.pid());
  child.Step();
  const TreeMemory after = ReadMemory(child.pid());
  for (const auto& grown : {after.rss_kb - before.rss_kb, after.pss_kb - before.pss_kb,
                            after.pss_anon_kb - before.pss_anon_kb, after.uss_kb - before.uss_kb}) {
    EXPECT_GE(grown, kTouchedKb);
    EXPECT_LT(grown, kTouchedKb + 512);
  }
  // 8 bytes for each 4 KiB page.
  EXPECT_GE(after.page_tables_kb - before.page_tables_kb, 16);
  EXPECT_EQ(after.processes, 1);
  EXPECT_EQ(after.kernel_stack_kb, kKernelStackKb * after.threads);
}

// What RSS gets wrong: four processes that touch the same 64 MiB share one copy.
TEST(ProcessTreeTest, SharedMemoryIsNotCountedAgainForEachProcess) {
  constexpr int kChildren = 4;
  constexpr size_t kShared = 64 * kMegabyte;
  constexpr int64_t kSharedKb = 64 << 10;
  Child parent([](Child& self) {
    char* shared = MapMemory(kShared, MAP_SHARED);
    int started[2];
    if (::pipe(started) != 0) ::_exit(1);
    self.Wait();
    for (int i = 0; i < kChildren; ++i) {
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        Touch(shared, kShared);
        if (::write(started[1], "x", 1) != 1) ::_exit(1);
        ::pause();
        ::_exit(0);
      }
    }
    char byte = 0;
    for (int i = 0; i < kChildren; ++i) {
      if (::read(started[0], &byte, 1) != 1) ::_exit(1);
    }
    self.Wait();
  });
  const TreeMemory before = ReadMemory(parent.pid());
  parent.Step();
  const TreeMemory after = ReadMemory(parent.pid());
  EXPECT_EQ(after.processes, before.processes + kChildren);
  EXPECT_GE(after.rss_kb - before.rss_kb, kChildren * kSharedKb);
  // The machine holds the 64 MiB once. A process has some hundred kB of its own beside it, under a
  // sanitizer 4 MiB; one more copy would be far beyond.
  EXPECT_GE(after.pss_shmem_kb - before.pss_shmem_kb, kSharedKb - 64);
  EXPECT_LT(after.pss_shmem_kb - before.pss_shmem_kb, kSharedKb + 1024);
  EXPECT_LT(after.pss_anon_kb - before.pss_anon_kb, kSharedKb);
}

TEST(ProcessTreeTest, ManyProcessesOfAKindAreSampledAndScaledUp) {
  constexpr int kChildren = 40;
  constexpr int64_t kEachKb = 1 << 10;
  Child parent([](Child& self) {
    int started[2];
    if (::pipe(started) != 0) ::_exit(1);
    self.Wait();
    for (int i = 0; i < kChildren; ++i) {
      if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        Touch(MapMemory(kMegabyte, MAP_PRIVATE), kMegabyte);
        if (::write(started[1], "x", 1) != 1) ::_exit(1);
        ::pause();
        ::_exit(0);
      }
    }
    char byte = 0;
    for (int i = 0; i < kChildren; ++i) {
      if (::read(started[0], &byte, 1) != 1) ::_exit(1);
    }
    self.Wait();
  });
  const TreeMemory before = ReadMemory(parent.pid());
  parent.Step();
  const TreeMemory after = ReadMemory(parent.pid());
  EXPECT_EQ(after.processes, 1 + kChildren);
  EXPECT_EQ(after.processes_walked, 1 + kMaxProcessesWalked);
  EXPECT_GE(after.pss_anon_kb - before.pss_anon_kb, kChildren * kEachKb);
  const TreeSample sample = SampleTree(parent.pid());
  EXPECT_EQ(sample.processes, 1 + kChildren);
  EXPECT_GE(sample.rss_kb, kChildren * kEachKb);
}

TEST(ProcessTreeTest, CpuOfTheLivingAndOfReapedChildrenIsNotLost) {
  constexpr int64_t kBurntNs = 100 * kNanosecondsPerMillisecond;
  Child parent([](Child& self) {
    self.Wait();
    BurnCpu(kBurntNs);
    self.Wait();
    const pid_t short_lived = ::fork();
    if (short_lived == 0) {
      BurnCpu(kBurntNs);
      ::_exit(0);
    }
    ::waitpid(short_lived, nullptr, 0);
    self.Wait();
  });
  const TreeUsage start = ReadUsage(parent.pid());
  parent.Step();
  const TreeUsage own = ReadUsage(parent.pid());
  parent.Step();
  const TreeUsage with_child = ReadUsage(parent.pid());
  const double own_s = Subtract(own, start).cpu_s();
  const double child_s = Subtract(with_child, own).cpu_s();
  EXPECT_GE(own_s, 0.1);
  EXPECT_LT(own_s, 0.15);
  // The ended child is in ticks of 10 ms.
  EXPECT_GE(child_s, 0.09);
  EXPECT_LT(child_s, 0.15);
}

TEST(ProcessTreeTest, FaultsOfReapedChildrenAreNotLost) {
  constexpr int64_t kPages = 4 * kMegabyte / 4096;
  Child parent([](Child& self) {
    self.Wait();
    const pid_t short_lived = ::fork();
    if (short_lived == 0) {
      Touch(MapMemory(4 * kMegabyte, MAP_PRIVATE), 4 * kMegabyte);
      ::_exit(0);
    }
    ::waitpid(short_lived, nullptr, 0);
    self.Wait();
  });
  const TreeUsage start = ReadUsage(parent.pid());
  parent.Step();
  EXPECT_GE(Subtract(ReadUsage(parent.pid()), start).minor_faults, kPages);
}

TEST(ProcessTreeTest, SwitchesAreSummedOverLivingTasksAndNeverNegative) {
  constexpr int kSleeps = 20;
  Child parent([](Child& self) {
    const pid_t doomed = ::fork();
    if (doomed == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (int i = 0; i < 100; ++i) ::usleep(100);
      ::pause();
      ::_exit(0);
    }
    ::usleep(50'000);
    self.Wait();
    // The first reading has seen the child and its switches; the second does not.
    ::kill(doomed, SIGKILL);
    ::waitpid(doomed, nullptr, 0);
    for (int i = 0; i < kSleeps; ++i) ::usleep(1000);
    self.Wait();
  });
  const TreeUsage start = ReadUsage(parent.pid());
  parent.Step();
  const UsageDelta delta = Subtract(ReadUsage(parent.pid()), start);
  EXPECT_GE(delta.voluntary_switches, kSleeps);
  EXPECT_GE(delta.involuntary_switches, 0);
  EXPECT_GE(delta.run_queue_delay_ns, 0);
}

TEST(ProcessTreeTest, AProcessThatIsGoneReadsAsNothing) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  ::waitpid(pid, nullptr, 0);
  EXPECT_EQ(ReadMemory(pid).processes, 0);
  EXPECT_EQ(ReadUsage(pid).processes, 0);
  EXPECT_FALSE(ReadProcessStat(pid).has_value());
  EXPECT_FALSE(ReadSmapsRollup(pid).has_value());
}

TEST(ProcessTreeTest, AProcessNameCannotConfuseTheReader) {
  Child child([](Child& self) {
    ::prctl(PR_SET_NAME, "a) R 1 (b");
    self.Wait();
  });
  const auto stat = ReadProcessStat(child.pid());
  ASSERT_TRUE(stat.has_value());
  EXPECT_EQ(stat->parent, ::getpid());
  EXPECT_EQ(stat->threads, 1);
}

TEST(SamplerTest, SamplesAndStaysWithinItsBudget) {
  Child child([](Child& self) { self.Wait(); });
  Sampler sampler;
  sampler.Start(child.pid());
  ::poll(nullptr, 0, 1000);
  const SamplerReport report = sampler.Stop();
  // One at once; how many more depends on what a sample costs here.
  ASSERT_GE(report.samples.size(), 1U);
  EXPECT_LE(static_cast<int64_t>(report.samples.size()), report.elapsed_ns / kSamplePeriodNs + 2);
  EXPECT_EQ(report.samples[0].tree.processes, 1);
  EXPECT_GT(report.samples[0].tree.rss_kb, 0);
  EXPECT_GT(report.samples[0].host_available_kb, 0);
  EXPECT_GT(report.cpu_ns, 0);
  EXPECT_GE(report.elapsed_ns, kNanosecondsPerSecond * 9 / 10);
}

TEST(ProcFilesTest, FindsNumbersByWholeKeysAtLineStarts) {
  constexpr char kText[] = "MemTotal:  12 kB\nMemAvailable:   34 kB\nctxt 56\nxctxt 7\nctxts 8\n";
  EXPECT_EQ(FindNumber(kText, "MemAvailable"), 34);
  EXPECT_EQ(FindNumber(kText, "Mem"), 0);
  EXPECT_EQ(FindNumber(kText, "ctxt"), 56);
  EXPECT_EQ(FindNumber(kText, "none"), 0);
}

}  // namespace
}  // namespace connbench::observe
