// When things are intended to begin: transactions of an open loop, connections of a storm. A rate
// over time says how many, a spacing says how they lie in it, and a seed fixes all of it before
// the first one is due, so that no server can bend the schedule.
//
//   rate                                arrivals per second; k and M multiply, "/s" may follow
//     1000                                always
//     steps(500, 2s, 1000, 2s)            each rate for its time, then the last one for ever
//     ramp(100, 2000, 10s)                in a straight line from, to, within; then the last
//     spike(500, 5000, 3s, 1s)            base, peak, when, how long; then the base again
//     sine(1000, 800, 10s)                mean, amplitude, period; for ever
//     sawtooth(100, 2000, 10s)            from, to, period; for ever
//     file(rates.txt)                     lines "TIME RATE", the last one for ever; or lines
//                                         "TIME": the very instants, of which each is one arrival
//   arrival
//     constant                            evenly spaced
//     poisson                             independent of each other (the default, as in pgbench -R)
//     burst(50)                           50 at the same instant, evenly spaced bursts
//     at_once                             all at the beginning; takes no rate
//
// Safety: ArrivalSpec is a plain value; an Arrivals is used by one thread. Pure: no clock is read,
// and the same spec and seed give the same instants. Errors: a text's position in characters is in
// ErrorInfo::position, a file's is in the message as file:line:column.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/script/random.h"

namespace connbench::load {

inline constexpr double kMaxRate = 1e7;  // per second
inline constexpr int64_t kMaxBurst = 1'000'000;
inline constexpr size_t kMaxScheduleLines = 1'000'000;
inline constexpr int64_t kMaxScheduleBytes = 64 << 20;  // so many lines, with room for comments
inline constexpr int64_t kNoArrival = INT64_MAX;

// The rate goes from the one to the other in a straight line.
struct RatePiece {
  int64_t length_ns = 0;
  double from = 0;  // per second
  double to = 0;
};

struct ArrivalSpec {
  enum class Spacing : uint8_t { kConstant, kPoisson, kBurst, kAtOnce };

  Spacing spacing = Spacing::kPoisson;
  int64_t burst = 1;
  std::vector<RatePiece> pieces;  // after the last its `to` holds for ever, unless they repeat
  bool repeats = false;
  std::vector<int64_t> instants;  // ascending ns; where given, they are all there is
  // As they were given; a file's path is also kept absolute.
  std::string rate_text;
  std::string arrival_text;
  std::string file;

  // Whether it says anything: a schedule without it is a closed loop.
  bool given() const { return spacing == Spacing::kAtOnce || !pieces.empty() || !instants.empty(); }
  // What ParseArrivals makes the same rate of in any folder.
  std::string PortableRate() const { return file.empty() ? rate_text : "file(" + file + ")"; }
  // Arrivals to expect in [0, until_ns); not for kAtOnce.
  double ExpectedUntil(int64_t until_ns) const;
};

// Either text may be empty: no rate and no arrival is a spec that is not given(); a rate alone
// arrives as poisson. A file is looked for in folder.
Result<ArrivalSpec> ParseArrivals(std::string_view rate, std::string_view arrival,
                                  const std::string& folder);

// The instants, one after the other.
class Arrivals {
 public:
  // Of a schedule that several threads share, each takes every parts-th arrival, from the part-th:
  // together they have all of them, whatever their number. spec must outlive this.
  Arrivals(const ArrivalSpec& spec, uint64_t seed, uint32_t part = 0, uint32_t parts = 1);

  // Nanoseconds since the schedule began, never less than the last; kNoArrival: there are no more.
  int64_t Next();

 private:
  int64_t NextOfAll();
  int64_t Advance(double mass);

  const ArrivalSpec* spec_;
  Random random_;
  uint32_t skip_;  // arrivals of others before the next of ours
  uint32_t parts_;
  bool first_ = true;
  int64_t left_in_burst_ = 0;
  int64_t last_ = 0;
  size_t instant_ = 0;
  size_t piece_ = 0;
  int64_t piece_begin_ns_ = 0;
  double used_ = 0;  // arrivals of the piece that have been
};

}  // namespace connbench::load
