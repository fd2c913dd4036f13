// The gate's decision loop.
#include "harness/gate/gate_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <random>
#include <set>
#include <utility>

#include "base/units.h"

namespace connbench::gate {
namespace {

// Two-sided: how often chance alone splits a + b as unevenly.
double SignTestP(int a, int b) {
  const boost::math::binomial_distribution<> fair(a + b, 0.5);
  return a + b == 0 ? 1 : std::min(1.0, 2 * boost::math::cdf(fair, std::min(a, b)));
}

class Loop {
 public:
  Loop(const GatePlan& plan, const LoopOptions& options, Measurer& measurer,
       stats::SequentialGate& judge, const std::function<MonotonicNs()>& now)
      : plan_(plan),
        options_(options),
        measurer_(measurer),
        judge_(judge),
        now_(now),
        random_(options.seed),
        begin_ns_(now()),
        longest_pair_ns_(plan.workloads.size(), options.shortest_pair_ns) {
    outcome_.rows = judge.rows();
    outcome_.means = judge.rounds();
    outcome_.unmeasured.resize(plan.rows.size());
    measured_.resize(plan.rows.size());
    pairs_of_.resize(plan.workloads.size());
  }

  GateOutcome Run() {
    std::optional<GateEnd> end;
    while (!end) end = RunRound();
    if (HasVerdict(*end)) {
      const auto spoilt = FindInvalidSide(kMaxInvalidShare);
      if (const auto found = spoilt ? spoilt : FindFollowedSide()) end = found;
    }
    outcome_.end = *end;
    outcome_.elapsed_ns = now_() - begin_ns_;
    return std::move(outcome_);
  }

 private:
  using Values = std::vector<std::optional<double>>;

  // Nothing: go on.
  std::optional<GateEnd> RunRound() {
    const std::vector<size_t> workloads = Undecided();
    if (workloads.empty()) return GateEnd::kDecided;
    const MonotonicNs begin = now_();
    // A round that would end after the budget is not begun.
    if (begin - begin_ns_ + std::max(longest_round_ns_, longest_pair_ns_[workloads.front()]) >
        options_.budget_ns) {
      return GateEnd::kBudgetSpent;
    }
    if (const auto end = Ended(measurer_.StartRound((random_() & 1) != 0 ? kCandidate : kBase))) {
      return end;
    }
    const int64_t start_ns = now_() - begin;
    ++round_;
    for (int block = 0; block == 0 || block < outcome_.blocks_per_round; ++block) {
      const MonotonicNs block_begin = now_();
      if (const auto end = RunBlock(workloads)) {
        judge_.DropRound();
        return end;
      }
      if (outcome_.blocks_per_round == 0) ChooseBlocks(start_ns, now_() - block_begin);
    }
    if (const auto end = Ended(measurer_.EndRound())) return end;
    longest_round_ns_ = std::max(longest_round_ns_, now_() - begin);
    CloseRound();
    return FindInvalidSide(kHopelessInvalidShare);
  }

  std::optional<GateEnd> Ended(Status status) {
    if (measurer_.Interrupted()) return GateEnd::kInterrupted;
    if (status.ok()) return std::nullopt;
    outcome_.failure = std::move(status);
    return GateEnd::kFailed;
  }

  void CloseRound() {
    judge_.EndRound();
    ++outcome_.rounds;
    outcome_.rows = judge_.rows();
    outcome_.means = judge_.rounds();
    outcome_.elapsed_ns = now_() - begin_ns_;
    if (options_.after_round) options_.after_round(outcome_);
  }

  // Once, so that all rounds weigh the same.
  void ChooseBlocks(int64_t start_ns, int64_t block_ns) {
    block_ns = std::max<int64_t>(block_ns, 1);
    const int64_t with_room = (options_.budget_ns / kRoundsWanted - start_ns) / block_ns;
    const int64_t worthwhile = kBlockTimePerStartTime * start_ns / block_ns;
    outcome_.blocks_per_round = static_cast<int>(
        std::clamp<int64_t>(std::min(with_room, worthwhile), 1, kMaxBlocksPerRound));
  }

  std::optional<GateEnd> RunBlock(std::vector<size_t> workloads) {
    // Not std::shuffle, whose result depends on the library.
    for (size_t i = workloads.size(); i > 1; --i) {
      std::swap(workloads[i - 1], workloads[random_() % i]);
    }
    std::array<Values, kSides> block = {Values(plan_.rows.size()), Values(plan_.rows.size())};
    for (const size_t workload : workloads) {
      if (const auto end = RunPair(workload, block)) return end;
    }
    judge_.AddBlock(block[kBase], block[kCandidate]);
    return std::nullopt;
  }

  // Those that still have a row to decide.
  std::vector<size_t> Undecided() const {
    std::vector<size_t> workloads;
    for (size_t workload = 0; workload < plan_.workloads.size(); ++workload) {
      bool open = options_.until_budget;
      for (size_t row = 0; row < plan_.rows.size(); ++row) {
        open = open || (plan_.rows[row].workload == workload && outcome_.IsOpen(row));
      }
      if (open) workloads.push_back(workload);
    }
    return workloads;
  }

  // A pair that would end after the budget is not begun.
  std::optional<GateEnd> RunPair(size_t workload, std::array<Values, kSides>& block) {
    const MonotonicNs begin = now_();
    if (measurer_.Interrupted()) return GateEnd::kInterrupted;
    if (begin - begin_ns_ + longest_pair_ns_[workload] > options_.budget_ns) {
      return GateEnd::kBudgetSpent;
    }
    const bool candidate_first = (random_() & 1) != 0;
    const uint64_t seed = random_() >> 1;  // positive as a CSV integer
    std::array<Window, kSides> windows;
    std::array<std::set<std::string>, kSides> disturbed;
    bool sound = true;
    ++pairs_;
    for (const Side side :
         {candidate_first ? kCandidate : kBase, candidate_first ? kBase : kCandidate}) {
      Result<Window> window = measurer_.Measure({workload, side, round_, pairs_, seed});
      if (const auto end = Ended(window.ok() ? Status::Ok() : window.TakeStatus())) return end;
      ++outcome_.windows[side];
      for (const std::string& check : window->disturbances) {
        ++outcome_.disturbed_windows[check][side];
        disturbed[side].insert(check);
      }
      if (!window->invalid.empty()) {
        sound = false;
        ++outcome_.invalid_windows[side];
        ++outcome_.invalid_reasons[side][window->invalid];
      }
      windows[side] = std::move(*window);
    }
    longest_pair_ns_[workload] = std::max(longest_pair_ns_[workload], now_() - begin);
    CountAlone(disturbed);
    if (sound) Take(workload, windows, block);
    return std::nullopt;
  }

  // A ratio needs values above 0.
  std::optional<double> Usable(size_t row, std::optional<double> value) const {
    if (!value || !std::isfinite(*value) || *value < 0) return std::nullopt;
    // Counts have no unit.
    if (plan_.questions[row].unit.empty()) return std::max(*value, kRarest);
    return *value > 0 ? value : std::nullopt;
  }

  void Take(size_t workload, const std::array<Window, kSides>& windows,
            std::array<Values, kSides>& block) {
    size_t at = 0;  // among the workload's rows
    for (size_t row = 0; row < plan_.rows.size(); ++row) {
      if (plan_.rows[row].workload != workload) continue;
      const auto base = Usable(row, windows[kBase].values[at]);
      const auto candidate = Usable(row, windows[kCandidate].values[at]);
      ++at;
      measured_[row] = measured_[row] || base || candidate;
      if (!base || !candidate) continue;
      block[kBase][row] = base;
      block[kCandidate][row] = candidate;
    }
    if (++pairs_of_[workload] < kPairsToMeasure) return;
    for (size_t row = 0; row < plan_.rows.size(); ++row) {
      if (plan_.rows[row].workload == workload) outcome_.unmeasured[row] = !measured_[row];
    }
  }

  // Pairs of which one window alone was disturbed tell whether that follows a side.
  void CountAlone(const std::array<std::set<std::string>, kSides>& disturbed) {
    for (const Side side : {kBase, kCandidate}) {
      const auto& other = disturbed[side == kBase ? kCandidate : kBase];
      for (const std::string& check : disturbed[side]) {
        if (other.count(check) == 0) ++disturbed_alone_[check][side];
      }
    }
  }

  std::optional<GateEnd> FindFollowedSide() {
    for (const auto& [check, alone] : disturbed_alone_) {
      if (SignTestP(alone[kBase], alone[kCandidate]) > kFollowsASide) continue;
      const Side side = alone[kBase] > alone[kCandidate] ? kBase : kCandidate;
      outcome_.reason = fmt::format(
          "{} follows the {}: of {} pairs with one disturbed window, it was that of the {} in {}",
          check, kSideNames[side], alone[kBase] + alone[kCandidate], kSideNames[side], alone[side]);
      return GateEnd::kInvalid;
    }
    return std::nullopt;
  }

  std::optional<GateEnd> FindInvalidSide(double most) {
    for (const Side side : {kBase, kCandidate}) {
      const int windows = outcome_.windows[side];
      const int invalid = outcome_.invalid_windows[side];
      if (windows < kFewestWindows || invalid <= windows * most) continue;
      outcome_.reason = fmt::format("{} of {} windows of the {} were INVALID", invalid, windows,
                                    kSideNames[side]);
      return GateEnd::kInvalid;
    }
    return std::nullopt;
  }

  const GatePlan& plan_;
  const LoopOptions& options_;
  Measurer& measurer_;
  stats::SequentialGate& judge_;
  const std::function<MonotonicNs()>& now_;
  std::mt19937_64 random_;
  const MonotonicNs begin_ns_;
  std::vector<int64_t> longest_pair_ns_;  // by workload
  int64_t longest_round_ns_ = 0;
  int round_ = 0;
  int pairs_ = 0;
  std::map<std::string, std::array<int, kSides>> disturbed_alone_;  // by check
  std::vector<int> pairs_of_;                                       // sound ones, by workload
  std::vector<bool> measured_;  // by row: whether a window had its figure
  GateOutcome outcome_;
};

}  // namespace

GateOutcome RunGateLoop(const GatePlan& plan, const LoopOptions& options, Measurer& measurer,
                        stats::SequentialGate& judge, const std::function<MonotonicNs()>& now) {
  return Loop(plan, options, measurer, judge, now).Run();
}

}  // namespace connbench::gate
