// Looks at a running server ten times a second, within a budget.
#include "harness/observe/sampler.h"

#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

#include "harness/observe/host.h"

namespace connbench::observe {
namespace {

int64_t ThreadCpuNs() {
  timespec time;
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

}  // namespace

class Sampler::Impl {
 public:
  explicit Impl(const ServerTree& tree) : tree_(tree), thread_([this] { Run(); }) {}

  SamplerReport Stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
    return std::move(report_);
  }

 private:
  void Run() {
    const MonotonicNs begin = MonotonicNow();
    MonotonicNs next = begin;
    std::unique_lock lock(mutex_);
    while (!stop_) {
      const MonotonicNs now = MonotonicNow();
      if (now < next) {
        wake_.wait_for(lock, std::chrono::nanoseconds(next - now));
        continue;
      }
      next += ((now - next) / kSamplePeriodNs + 1) * kSamplePeriodNs;
      // The first sample is always taken; a later one once those before have been paid for.
      const auto spent = static_cast<double>(report_.cpu_ns);
      if (spent > kSamplerBudget * static_cast<double>(now - begin)) continue;
      const int64_t cpu_before = ThreadCpuNs();
      report_.samples.push_back({SampleTree(tree_), ReadMemAvailableKb()});
      report_.cpu_ns += ThreadCpuNs() - cpu_before;
    }
    report_.elapsed_ns = MonotonicNow() - begin;
  }

  const ServerTree tree_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  SamplerReport report_;
  std::thread thread_;  // last: it uses all of the above
};

Sampler::Sampler() = default;
Sampler::~Sampler() {
  if (impl_) impl_->Stop();
}

void Sampler::Start(const ServerTree& tree) { impl_ = std::make_unique<Impl>(tree); }

SamplerReport Sampler::Stop() {
  if (!impl_) return {};
  SamplerReport report = impl_->Stop();
  impl_.reset();
  return report;
}

}  // namespace connbench::observe
