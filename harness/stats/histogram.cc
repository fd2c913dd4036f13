// Latencies in HdrHistogram's layout.
#include "harness/stats/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <system_error>

namespace connbench::stats {
namespace {

constexpr double kNanosecondsPerUs = 1000.0;

// Takes the next integer off text, and the separator behind it.
template <typename T>
bool TakeNumber(std::string_view& text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!text.empty()) text.remove_prefix(1);
  return true;
}

}  // namespace

Histogram::Histogram() : counts_(std::make_unique<uint64_t[]>(kCounters)) {}
Histogram::~Histogram() = default;
Histogram::Histogram(Histogram&&) noexcept = default;
Histogram& Histogram::operator=(Histogram&&) noexcept = default;
Histogram::Histogram(const Histogram& other) : Histogram() { Merge(other); }
Histogram& Histogram::operator=(const Histogram& other) {
  if (this != &other) {
    Clear();
    Merge(other);
  }
  return *this;
}

void Histogram::RecordMany(int64_t value_ns, uint64_t times) {
  if (value_ns < 0) [[unlikely]] {
    negative_count_ += times;
    return;
  }
  count_ += times;
  min_ = std::min(min_, value_ns);
  max_ = std::max(max_, value_ns);
  int64_t part;
  if (__builtin_mul_overflow(value_ns, times, &part) || __builtin_add_overflow(sum_, part, &sum_))
      [[unlikely]] {
    sum_ = INT64_MAX;
  }
  if (value_ns > kMaxValue) [[unlikely]] {
    overflow_count_ += times;
    return;
  }
  const uint32_t index = IndexOf(value_ns);
  counts_[index] += times;
  first_index_ = std::min(first_index_, index);
  last_index_ = std::max(last_index_, index);
}

void Histogram::Merge(const Histogram& other) {
  for (uint32_t i = other.first_index_; i <= other.last_index_ && i < kCounters; ++i) {
    counts_[i] += other.counts_[i];
  }
  first_index_ = std::min(first_index_, other.first_index_);
  last_index_ = std::max(last_index_, other.last_index_);
  count_ += other.count_;
  overflow_count_ += other.overflow_count_;
  negative_count_ += other.negative_count_;
  if (__builtin_add_overflow(sum_, other.sum_, &sum_)) sum_ = INT64_MAX;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void Histogram::Clear() {
  if (first_index_ < kCounters) {
    std::fill(&counts_[first_index_], &counts_[last_index_] + 1, 0);
  }
  count_ = overflow_count_ = negative_count_ = 0;
  sum_ = 0;
  min_ = INT64_MAX;
  max_ = INT64_MIN;
  first_index_ = kCounters;
  last_index_ = 0;
}

double Histogram::mean() const {
  return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

double Histogram::standard_deviation() const {
  if (count_ == 0 || min_ == max_) return 0.0;
  // Around the mean of the same midpoints: the exact mean beside them would add their distance.
  const auto for_each = [this](auto&& visit) {
    for (uint32_t i = first_index_; i <= last_index_ && i < kCounters; ++i) {
      if (counts_[i] == 0) continue;
      visit((static_cast<double>(LowestAt(i)) + static_cast<double>(HighestAt(i))) / 2,
            static_cast<double>(counts_[i]));
    }
    visit(static_cast<double>(max()), static_cast<double>(overflow_count_));
  };
  const auto all = static_cast<double>(count_);
  double center = 0;
  for_each([&](double value, double times) { center += value * (times / all); });
  double squares = 0;
  for_each(
      [&](double value, double times) { squares += times * (value - center) * (value - center); });
  return std::sqrt(squares / all);
}

int64_t Histogram::LowestAt(uint32_t index) {
  if (index < kSubBuckets) return index;
  const uint32_t shift = index / kHalf - 1;
  return static_cast<int64_t>(index - shift * kHalf) << shift;
}

int64_t Histogram::HighestAt(uint32_t index) {
  if (index < kSubBuckets) return index;
  return LowestAt(index) + (int64_t{1} << (index / kHalf - 1)) - 1;
}

int64_t Histogram::ValueAtRank(uint64_t rank) const {
  if (count_ == 0) return 0;
  uint64_t seen = 0;
  for (uint32_t i = first_index_; i <= last_index_ && i < kCounters; ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(HighestAt(i), max());
  }
  return max();
}

int64_t Histogram::ValueAtPercentile(double percentile) const {
  const double part = std::clamp(percentile, 0.0, 100.0) / 100 * static_cast<double>(count_);
  // 99.9 is not a binary fraction: without the allowance, 99.9 % of 1000 would be rank 1000.
  const auto rank = static_cast<uint64_t>(std::ceil(part - part * 1e-12));
  return ValueAtRank(std::clamp<uint64_t>(rank, 1, std::max<uint64_t>(count_, 1)));
}

uint64_t Histogram::CountUpTo(int64_t value_ns) const {
  if (value_ns < 0 || count_ == 0) return 0;
  if (value_ns > kMaxValue) return value_ns >= max_ ? count_ : count_ - overflow_count_;
  uint64_t seen = 0;
  const uint32_t end = std::min(IndexOf(value_ns), last_index_);
  for (uint32_t i = first_index_; i <= end && i < kCounters; ++i) seen += counts_[i];
  return seen;
}

void Histogram::ForEach(const std::function<void(int64_t value_ns, uint64_t count)>& visit) const {
  for (uint32_t i = first_index_; i <= last_index_ && i < kCounters; ++i) {
    if (counts_[i] != 0) visit(std::min(HighestAt(i), max()), counts_[i]);
  }
  if (overflow_count_ != 0) visit(max(), overflow_count_);
}

std::string Histogram::ToHgrm(int ticks_per_half_distance) const {
  std::string out = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n";
  auto back = std::back_inserter(out);
  const auto line = [&](int64_t value_ns, double quantile, uint64_t seen) {
    fmt::format_to(back, "{:12.3f} {:14.12f} {:10d}",
                   static_cast<double>(value_ns) / kNanosecondsPerUs, quantile, seen);
    if (quantile < 1.0) fmt::format_to(back, " {:14.2f}", 1.0 / (1.0 - quantile));
    out += '\n';
  };
  // HdrHistogram's steps: a fixed number for every halving of the distance to 100 %.
  double quantile = 0.0;
  while (count_ > 0) {
    const int64_t value = ValueAtPercentile(quantile * 100);
    const uint64_t seen = value >= max() ? count_ : CountUpTo(value);
    if (seen == count_) break;
    line(value, quantile, seen);
    // Steps that no longer separate two values are skipped.
    const double reached = static_cast<double>(seen) / static_cast<double>(count_);
    do {
      const double halvings = std::floor(std::log2(1.0 / (1.0 - quantile))) + 1;
      quantile += 1.0 / (ticks_per_half_distance * std::exp2(halvings));
    } while (quantile <= reached);
  }
  if (count_ > 0) line(max(), 1.0, count_);
  fmt::format_to(back, "#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n",
                 mean() / kNanosecondsPerUs, standard_deviation() / kNanosecondsPerUs);
  fmt::format_to(back, "#[Max     = {:12.3f}, Total count    = {:12d}]\n",
                 static_cast<double>(max()) / kNanosecondsPerUs, count_);
  fmt::format_to(back, "#[Buckets = {:12d}, SubBuckets     = {:12d}]\n", kDoublings + 1,
                 kSubBuckets);
  return out;
}

std::string Histogram::ToSparse() const {
  // Layout, sum, min, max, overflow, negative; then steps from index to index with counts.
  std::string out = fmt::format("{}/{} {} {} {} {} {};", kSubBucketBits, kDoublings, sum_, min(),
                                max(), overflow_count_, negative_count_);
  auto back = std::back_inserter(out);
  uint32_t previous = 0;
  for (uint32_t i = first_index_; i <= last_index_ && i < kCounters; ++i) {
    if (counts_[i] == 0) continue;
    fmt::format_to(back, "{}:{} ", i - previous, counts_[i]);
    previous = i;
  }
  out.pop_back();  // the last blank, or the semicolon of an empty one
  return out;
}

Result<Histogram> Histogram::FromSparse(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return Status::Error(sqlstate::kInvalidTextRepresentation,
                         fmt::format("not a stored histogram: {}", why));
  };
  Histogram histogram;
  int bits = 0;
  int doublings = 0;
  if (!TakeNumber(text, bits) || !TakeNumber(text, doublings)) return bad("no layout");
  if (bits != kSubBucketBits || doublings != kDoublings) return bad("another layout");
  int64_t sum = 0;
  int64_t min = 0;
  int64_t max = 0;
  if (!TakeNumber(text, sum) || !TakeNumber(text, min) || !TakeNumber(text, max) ||
      !TakeNumber(text, histogram.overflow_count_) ||
      !TakeNumber(text, histogram.negative_count_)) {
    return bad("its summary is cut short");
  }
  histogram.count_ = histogram.overflow_count_;
  uint64_t index = 0;
  while (!text.empty()) {
    uint32_t step = 0;
    uint64_t count = 0;
    if (!TakeNumber(text, step) || !TakeNumber(text, count)) return bad("a count is no number");
    index += step;
    if (index >= kCounters) return bad("a bucket beyond the last");
    const auto at = static_cast<uint32_t>(index);
    histogram.counts_[at] += count;
    histogram.count_ += count;
    histogram.first_index_ = std::min(histogram.first_index_, at);
    histogram.last_index_ = std::max(histogram.last_index_, at);
  }
  histogram.sum_ = sum;
  if (histogram.count_ > 0) {
    histogram.min_ = min;
    histogram.max_ = max;
  }
  return histogram;
}

bool Histogram::operator==(const Histogram& other) const {
  return count_ == other.count_ && overflow_count_ == other.overflow_count_ &&
         negative_count_ == other.negative_count_ && sum_ == other.sum_ && min() == other.min() &&
         max() == other.max() && first_index_ == other.first_index_ &&
         last_index_ == other.last_index_ &&
         (first_index_ > last_index_ ||
          std::equal(&counts_[first_index_], &counts_[last_index_] + 1,
                     &other.counts_[first_index_]));
}

}  // namespace connbench::stats
