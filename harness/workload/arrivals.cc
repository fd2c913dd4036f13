// When things are intended to begin: transactions of an open loop, connections of a storm.
#include "harness/workload/arrivals.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"

namespace connbench::load {
namespace {

constexpr double kNsPerSecond = static_cast<double>(kNanosecondsPerSecond);

double Seconds(int64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

// Expected arrivals of the first ns nanoseconds of a piece.
double Mass(const RatePiece& piece, int64_t ns) {
  if (piece.length_ns == 0) return 0;
  const double share = static_cast<double>(ns) / static_cast<double>(piece.length_ns);
  const double rate_there = piece.from + (piece.to - piece.from) * share;
  return (piece.from + rate_there) / 2 * Seconds(ns);
}

// When that many arrivals of a piece have been; the inverse of Mass.
double SecondsUntil(const RatePiece& piece, double mass) {
  if (mass <= 0) return 0;
  const double slope = (piece.to - piece.from) / Seconds(piece.length_ns);
  const double square = std::max(piece.from * piece.from + 2 * slope * mass, 0.0);
  return 2 * mass / (piece.from + std::sqrt(square));
}

int64_t ToNs(double seconds) {
  const double ns = seconds * kNsPerSecond;
  return ns >= 9e18 ? kNoArrival : static_cast<int64_t>(ns);
}

}  // namespace

double ArrivalSpec::ExpectedUntil(int64_t until_ns) const {
  if (!instants.empty()) {
    return static_cast<double>(std::lower_bound(instants.begin(), instants.end(), until_ns) -
                               instants.begin());
  }
  int64_t period = 0;
  double per_period = 0;
  for (const RatePiece& piece : pieces) {
    period += piece.length_ns;
    per_period += Mass(piece, piece.length_ns);
  }
  double sum = 0;
  if (repeats && period > 0) {
    const int64_t whole_periods = until_ns / period;
    sum = per_period * static_cast<double>(whole_periods);
    until_ns %= period;
  }
  for (const RatePiece& piece : pieces) {
    if (piece.length_ns >= until_ns) return sum + Mass(piece, until_ns);
    sum += Mass(piece, piece.length_ns);
    until_ns -= piece.length_ns;
  }
  return pieces.empty() ? sum : sum + pieces.back().to * Seconds(until_ns);
}

Arrivals::Arrivals(const ArrivalSpec& spec, uint64_t seed, uint32_t part, uint32_t parts)
    : spec_(&spec), random_(seed), skip_(part), parts_(parts) {}

int64_t Arrivals::Next() {
  for (; skip_ > 0; --skip_) {
    if (NextOfAll() == kNoArrival) return kNoArrival;
  }
  skip_ = parts_ - 1;
  return NextOfAll();
}

int64_t Arrivals::NextOfAll() {
  if (!spec_->instants.empty()) {
    return instant_ < spec_->instants.size() ? spec_->instants[instant_++] : kNoArrival;
  }
  if (left_in_burst_ > 0) {
    --left_in_burst_;
    return last_;
  }
  double mass = 0;
  switch (spec_->spacing) {
    case ArrivalSpec::Spacing::kAtOnce:
      return 0;
    case ArrivalSpec::Spacing::kConstant:
      mass = first_ ? 0 : 1;
      break;
    case ArrivalSpec::Spacing::kPoisson:
      mass = -std::log(1.0 - random_.NextDouble());
      break;
    case ArrivalSpec::Spacing::kBurst:
      mass = first_ ? 0 : static_cast<double>(spec_->burst);
      left_in_burst_ = spec_->burst - 1;
      break;
  }
  first_ = false;
  last_ = Advance(mass);
  return last_;
}

// Goes on by that many expected arrivals: under a rate that changes, an arrival is due whenever the
// integral of the rate has grown by its share.
int64_t Arrivals::Advance(double mass) {
  const std::vector<RatePiece>& pieces = spec_->pieces;
  while (piece_ < pieces.size()) {
    const RatePiece& piece = pieces[piece_];
    const double left = Mass(piece, piece.length_ns) - used_;
    if (mass < left) {
      used_ += mass;
      return piece_begin_ns_ + ToNs(SecondsUntil(piece, used_));
    }
    mass -= left;
    used_ = 0;
    piece_begin_ns_ += piece.length_ns;
    ++piece_;
    if (piece_ == pieces.size() && spec_->repeats) piece_ = 0;
  }
  const double rate = pieces.empty() ? 0 : pieces.back().to;
  if (rate <= 0) return kNoArrival;
  used_ += mass;
  const int64_t offset = ToNs(used_ / rate);
  return offset == kNoArrival ? kNoArrival : piece_begin_ns_ + offset;
}

}  // namespace connbench::load
