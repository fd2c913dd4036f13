// Our latch beside what else one could take: Boost.Interprocess' mutex and sharable mutex, and the
// C++ library's. Run by hand:
//   engine_latch_benchmark --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
// "Shared" takes it for reading, with no writer about; "Exclusive" for writing. With one thread
// this is the price of the instructions, with more that of the cache line that they share.
#include <benchmark/benchmark.h>

#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>
#include <mutex>
#include <shared_mutex>

#include "engine/segment/latch.h"

namespace connbench::engine {
namespace {

constexpr int kMaxThreads = 4;

// Static: the threads of a benchmark share it, as backends do.
template <typename Lock, void (*Take)(Lock&), void (*Give)(Lock&)>
void Measure(benchmark::State& state) {
  static Lock lock;
  static int64_t guarded = 0;
  for (auto _ : state) {
    Take(lock);
    benchmark::DoNotOptimize(guarded);
    Give(lock);
  }
}

template <bool kPrivate>
struct ChosenLatch : Latch {
  ChosenLatch() { Init(kPrivate, LatchRank::kPage); }
};

template <typename L>
void TakeExclusive(L& latch) {
  latch.LockExclusive();
}
template <typename L>
void GiveExclusive(L& latch) {
  latch.UnlockExclusive();
}
template <typename L>
void TakeShared(L& latch) {
  latch.LockShared();
}
template <typename L>
void GiveShared(L& latch) {
  latch.UnlockShared();
}
template <typename M>
void Lock(M& mutex) {
  mutex.lock();
}
template <typename M>
void Unlock(M& mutex) {
  mutex.unlock();
}
template <typename M>
void LockSharable(M& mutex) {
  mutex.lock_sharable();
}
template <typename M>
void UnlockSharable(M& mutex) {
  mutex.unlock_sharable();
}
template <typename M>
void LockStdShared(M& mutex) {
  mutex.lock_shared();
}
template <typename M>
void UnlockStdShared(M& mutex) {
  mutex.unlock_shared();
}

using SharedFutexLatch = ChosenLatch<false>;
using PrivateFutexLatch = ChosenLatch<true>;
using BoostMutex = boost::interprocess::interprocess_mutex;
using BoostSharable = boost::interprocess::interprocess_sharable_mutex;

#define CONNBENCH_MEASURE(name, lock, take, give)  \
  BENCHMARK(Measure<lock, take<lock>, give<lock>>) \
      ->Name(name)                                 \
      ->ThreadRange(1, kMaxThreads)                \
      ->UseRealTime()

CONNBENCH_MEASURE("Exclusive/latch_shared_futex", SharedFutexLatch, TakeExclusive, GiveExclusive);
CONNBENCH_MEASURE("Exclusive/latch_private_futex", PrivateFutexLatch, TakeExclusive, GiveExclusive);
CONNBENCH_MEASURE("Exclusive/boost_mutex", BoostMutex, Lock, Unlock);
CONNBENCH_MEASURE("Exclusive/boost_sharable_mutex", BoostSharable, Lock, Unlock);
CONNBENCH_MEASURE("Exclusive/std_mutex", std::mutex, Lock, Unlock);
CONNBENCH_MEASURE("Shared/latch_shared_futex", SharedFutexLatch, TakeShared, GiveShared);
CONNBENCH_MEASURE("Shared/latch_private_futex", PrivateFutexLatch, TakeShared, GiveShared);
CONNBENCH_MEASURE("Shared/boost_sharable_mutex", BoostSharable, LockSharable, UnlockSharable);
CONNBENCH_MEASURE("Shared/std_shared_mutex", std::shared_mutex, LockStdShared, UnlockStdShared);

}  // namespace
}  // namespace connbench::engine
