// Tests: the gate's decision loop, with made-up servers and a clock that only windows move.
#include "harness/gate/gate_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "harness/gate/gate_report.h"
#include "harness/gate/testing/made_up.h"

namespace connbench::gate {
namespace {

using testing::Each;
using testing::Field;
using testing::HasSubstr;

using RowState = stats::SequentialGate::RowState;

constexpr int64_t kBudget = 600 * kNanosecondsPerSecond;
constexpr double kNoise = 0.01;

TEST(GateLoopTest, TheSameOnBothSidesIsTheSame) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(outcome.end, GateEnd::kDecided);
  EXPECT_THAT(outcome.rows, Each(Field(&RowState::verdict, stats::Verdict::kSame)));
  EXPECT_EQ(ExitCodeOf(outcome), kExitOk);
  EXPECT_LT(outcome.elapsed_ns, kBudget);
}

TEST(GateLoopTest, ASlowDownIsWorseInBothDirectionsOfAMetric) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0.05, kNoise);
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(outcome.end, GateEnd::kDecided);
  EXPECT_THAT(outcome.rows, Each(Field(&RowState::verdict, stats::Verdict::kWorse)));
  EXPECT_EQ(ExitCodeOf(outcome), kExitRegression);
  EXPECT_NEAR(outcome.rows[0].ratio.estimate, 1 / 1.05, 0.01);
  EXPECT_NEAR(outcome.rows[1].ratio.estimate, 1.05, 0.01);
}

TEST(GateLoopTest, ASpeedUpIsNoReasonToFail) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(-0.1, kNoise);
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_THAT(outcome.rows, Each(Field(&RowState::verdict, stats::Verdict::kBetter)));
  EXPECT_EQ(ExitCodeOf(outcome), kExitOk);
}

TEST(GateLoopTest, NoiseThatTheBudgetCannotSettleIsNotCalledAnything) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, 0.5);
  const GateOutcome outcome = RunMadeUp(plan, servers, 30 * kNanosecondsPerSecond);
  EXPECT_EQ(outcome.end, GateEnd::kBudgetSpent);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInconclusive);
}

TEST(GateLoopTest, PairsAreWholeAndInRandomOrder) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  (void)RunMadeUp(plan, servers, 100 * kNanosecondsPerSecond, /*until_budget=*/true);
  ASSERT_EQ(servers.calls.size() % 2, 0U);
  int candidate_first = 0;
  int churn_first = 0;
  for (size_t i = 0; i < servers.calls.size(); i += 2) {
    const auto& first = servers.calls[i];
    const auto& second = servers.calls[i + 1];
    EXPECT_EQ(first.workload, second.workload);
    EXPECT_EQ(first.pair, second.pair);
    EXPECT_NE(first.side, second.side);
    if (first.side == kCandidate) ++candidate_first;
    if (i % 4 == 0 && first.workload == 1) ++churn_first;
  }
  const auto pairs = static_cast<int>(servers.calls.size() / 2);
  EXPECT_GT(candidate_first, pairs / 4);
  EXPECT_LT(candidate_first, pairs * 3 / 4);
  EXPECT_GT(churn_first, pairs / 8);
  EXPECT_LT(churn_first, pairs * 3 / 8);
}

TEST(GateLoopTest, EachRoundHasServersOfItsOwnStartedInRandomOrder) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  const GateOutcome outcome =
      RunMadeUp(plan, servers, 300 * kNanosecondsPerSecond, /*until_budget=*/true);
  EXPECT_EQ(servers.up, 0);
  ASSERT_GE(outcome.rounds, kRoundsWanted);
  EXPECT_EQ(outcome.means[0].size(), static_cast<size_t>(outcome.rounds));
  const auto candidates =
      std::count(servers.first_started.begin(), servers.first_started.end(), kCandidate);
  const auto rounds = static_cast<ptrdiff_t>(servers.first_started.size());
  EXPECT_GT(candidates, rounds / 4);
  EXPECT_LT(candidates, rounds * 3 / 4);
  // Every round holds the same blocks.
  std::map<int, int> windows;
  for (const WindowPlace& call : servers.calls) ++windows[call.round];
  EXPECT_EQ(outcome.blocks_per_round, 1);
  for (int round = 1; round <= outcome.rounds; ++round) {
    EXPECT_EQ(windows[round], 4 * outcome.blocks_per_round) << round;
  }
}

TEST(GateLoopTest, SlowStartsGetMoreBlocksAndShortBudgetsMoreRounds) {
  const GatePlan plan = MadeUpPlan();
  const auto blocks = [&](int64_t start_s, int64_t budget_s) {
    MadeUpServers servers(0, kNoise);
    servers.start_ns = start_s * kNanosecondsPerSecond;
    return RunMadeUp(plan, servers, budget_s * kNanosecondsPerSecond, /*until_budget=*/true)
        .blocks_per_round;
  };
  // A block takes two seconds.
  EXPECT_EQ(blocks(4, 600), 8);
  EXPECT_EQ(blocks(4, 120), 3) << "the budget has room for 12 rounds of 10 seconds";
  EXPECT_EQ(blocks(4, 60), 1);
  EXPECT_EQ(blocks(0, 600), 1) << "where starts cost nothing, nothing is gained by more";
}

TEST(GateLoopTest, WhatServersDifferByIsNoVerdict) {
  const GatePlan plan = MadeUpPlan();
  int changes = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    // Quiet windows of servers that lie far apart, as counts of page faults are.
    MadeUpServers servers(0, 0.001, seed);
    servers.instance_noise = 0.04;
    const GateOutcome outcome = RunMadeUp(plan, servers, 60 * kNanosecondsPerSecond);
    changes += ExitCodeOf(outcome) == kExitRegression ? 1 : 0;
    EXPECT_GE(outcome.rounds, 8);
  }
  EXPECT_LE(changes, 1);
}

TEST(GateLoopTest, TooFewRoundsSayHowManyItNeeds) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(1, kNoise);
  servers.start_ns = 10 * kNanosecondsPerSecond;
  const GateOutcome outcome = RunMadeUp(plan, servers, 60 * kNanosecondsPerSecond);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInconclusive);
  EXPECT_EQ(outcome.rounds, 5);
  EXPECT_THAT(FormatGate(plan, outcome, std::nullopt),
              HasSubstr("is not decided after 5 rounds; about 8 would do (--budget 108s)"));
}

TEST(GateLoopTest, ARoundThatWasCutShortIsNoEvidence) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  // The first pair of the sixth round takes the rest of the budget.
  servers.before = [&](const WindowPlace& place) {
    if (place.round == 6) servers.now += 100 * kNanosecondsPerSecond;
    return Status::Ok();
  };
  const GateOutcome outcome =
      RunMadeUp(plan, servers, 60 * kNanosecondsPerSecond, /*until_budget=*/true);
  EXPECT_EQ(outcome.end, GateEnd::kBudgetSpent);
  EXPECT_EQ(servers.calls.back().round, 6);
  EXPECT_EQ(outcome.rounds, 5);
  EXPECT_EQ(outcome.rows[0].rounds, 5U);
  EXPECT_EQ(outcome.means[0].size(), 5U);
}

TEST(GateLoopTest, AServerThatDoesNotStartOrEndGivesNoVerdict) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(1, kNoise);
  servers.end_status = Status::Error(sqlstate::kCrashShutdown, "the base, fork: left a process");
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInvalid);
  EXPECT_THAT(Headline(plan, outcome), HasSubstr("left a process"));
}

// A hypervisor that takes CPU time away makes a gate slow to decide, not INVALID.
TEST(GateLoopTest, DisturbancesOfEitherSideCountAndAreSaid) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  std::mt19937_64 random(3);
  servers.spoil = [&](const WindowPlace&, Window& window) {
    if (random() % 4 == 0) return;
    window.disturbances = {"steal"};
    window.values[0] = *window.values[0] * std::exp(0.05 * DrawNormal(random));
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_TRUE(HasVerdict(outcome.end));
  EXPECT_NE(ExitCodeOf(outcome), kExitRegression);
  EXPECT_EQ(outcome.invalid_windows[kBase], 0);
  EXPECT_THAT(FormatGate(plan, outcome, std::nullopt),
              testing::ContainsRegex("steal: above its bound in [0-9]+ of [0-9]+ windows"));
}

TEST(GateLoopTest, DisturbancesThatFollowASideGiveNoVerdict) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0.3, kNoise);
  std::mt19937_64 random(3);
  servers.spoil = [&](const WindowPlace& place, Window& window) {
    if (random() % 4 < (place.side == kCandidate ? 3 : 1)) window.disturbances = {"other_load"};
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget, /*until_budget=*/true);
  EXPECT_EQ(outcome.end, GateEnd::kInvalid);
  EXPECT_THAT(Headline(plan, outcome), HasSubstr("other_load follows the candidate: of "));
}

TEST(GateLoopTest, ADecidedWorkloadGivesItsTimeToTheOthers) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  // Churn alone is noisy.
  std::mt19937_64 random(7);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.workload == 1) window.values[0] = 50 * std::exp(0.3 * DrawNormal(random));
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, 200 * kNanosecondsPerSecond);
  EXPECT_TRUE(outcome.rows[0].decided);
  EXPECT_GT(outcome.rows[1].rounds, 2 * outcome.rows[0].rounds);
}

TEST(GateLoopTest, ABudgetTooSmallForOnePairMeasuresNothing) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0.5, kNoise);
  const GateOutcome outcome = RunMadeUp(plan, servers, 900 * kNanosecondsPerMillisecond);
  EXPECT_TRUE(servers.calls.empty());
  EXPECT_EQ(ExitCodeOf(outcome), kExitInconclusive);
  EXPECT_THAT(Headline(plan, outcome), HasSubstr("no room for one pair"));
}

TEST(GateLoopTest, NoPairIsBegunThatWouldEndAfterTheBudget) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, 0.3);
  // Windows take longer than was thought.
  servers.before = [&](const WindowPlace&) {
    servers.now += 300 * kNanosecondsPerMillisecond;
    return Status::Ok();
  };
  const int64_t budget = 10 * kNanosecondsPerSecond;
  EXPECT_LE(RunMadeUp(plan, servers, budget).elapsed_ns, budget);
}

TEST(GateLoopTest, ASideThatDiesGivesNoVerdict) {
  const GatePlan plan = MadeUpPlan();
  // So slow that it would have been called worse in a moment.
  MadeUpServers servers(1, kNoise);
  servers.before = [&](const WindowPlace& call) {
    if (call.round < 12 || call.side == kBase) return Status::Ok();
    return Status::Error(sqlstate::kCrashShutdown, "the candidate, fork: was killed by SIGKILL");
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget, /*until_budget=*/true);
  EXPECT_EQ(outcome.end, GateEnd::kFailed);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInvalid);
  EXPECT_THAT(Headline(plan, outcome), HasSubstr("INVALID: the candidate, fork: was killed"));
  EXPECT_THAT(FormatGate(plan, outcome, std::nullopt), testing::Not(HasSubstr("worse")));
  for (const stats::VerdictRow& row : TableOf(plan, outcome, std::nullopt).rows) {
    EXPECT_THAT(row.invalid, HasSubstr("SIGKILL"));
    EXPECT_NE(row.answer.verdict, stats::Verdict::kWorse);
  }
}

TEST(GateLoopTest, ASideThatIsOftenInvalidGivesNoVerdict) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.side == kCandidate && call.pair % 3 == 0) window.invalid = "connects: 3 of 9 failed";
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(outcome.end, GateEnd::kInvalid);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInvalid);
  const std::string text = FormatGate(plan, outcome, std::nullopt);
  EXPECT_THAT(text, HasSubstr("windows of the candidate were INVALID"));
  EXPECT_THAT(text, HasSubstr("x connects: 3 of 9 failed"));
}

TEST(GateLoopTest, ABadBeginningIsNoReasonToGiveUp) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  servers.spoil = [&](const WindowPlace& place, Window& window) {
    if (place.pair <= 3) window.invalid = "client_stall: a client thread stood still for 0.6 s";
  };
  EXPECT_EQ(ExitCodeOf(RunMadeUp(plan, servers, kBudget)), kExitOk);
  // A side that never works is not waited for.
  servers.spoil = [&](const WindowPlace& place, Window& window) {
    if (place.side == kBase) window.invalid = "connects: 9 of 9 failed";
  };
  const GateOutcome hopeless = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(ExitCodeOf(hopeless), kExitInvalid);
  EXPECT_LT(hopeless.elapsed_ns, kBudget / 10);
}

TEST(GateLoopTest, AnInvalidWindowTakesItsPairAlong) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.side != kBase || call.pair % 10 != 0) return;
    window.invalid = "swap: 9 pages were swapped";
    window.values[0] = 1e9;
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(ExitCodeOf(outcome), kExitOk);
  for (const auto& row : outcome.means) {
    for (const auto& means : row) EXPECT_LT(means ? means->base : 0, 1e4);
  }
}

TEST(GateLoopTest, FiguresThatCarryNoRatioMakeNoPair) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  const std::vector<std::optional<double>> bad = {std::nullopt, 0, -1,
                                                  std::numeric_limits<double>::quiet_NaN(),
                                                  std::numeric_limits<double>::infinity()};
  // One side alone has a figure: that is undecided, and never left out.
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.workload == 1 && call.side == kCandidate) {
      window.values[0] = bad[static_cast<size_t>(call.pair) % bad.size()];
    }
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, 60 * kNanosecondsPerSecond);
  EXPECT_TRUE(outcome.rows[0].decided);
  EXPECT_EQ(outcome.rows[1].rounds, 0U);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInconclusive);
}

TEST(GateLoopTest, WhatNeitherSideHasIsNotWaitedFor) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, kNoise);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.workload == 1) window.values[0].reset();
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget);
  EXPECT_EQ(outcome.end, GateEnd::kDecided);
  EXPECT_EQ(ExitCodeOf(outcome), kExitOk);
  EXPECT_THAT(FormatGate(plan, outcome, std::nullopt), HasSubstr("not measured here"));
  // Where nothing at all is measured there is no verdict.
  servers.spoil = [&](const WindowPlace&, Window& window) { window.values[0].reset(); };
  EXPECT_EQ(ExitCodeOf(RunMadeUp(plan, servers, kBudget)), kExitInconclusive);
}

TEST(GateLoopTest, RareEventsAreTheSameUntilTheyAreNot) {
  GatePlan plan = MadeUpPlan();
  plan.questions[1].unit = "";  // a count
  MadeUpServers servers(0, kNoise);
  std::mt19937_64 random(3);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.workload == 1) window.values[0] = static_cast<double>(random() % 3) * 0.02;
  };
  EXPECT_EQ(ExitCodeOf(RunMadeUp(plan, servers, kBudget)), kExitOk);
  servers.spoil = [&](const WindowPlace& call, Window& window) {
    if (call.workload == 1) window.values[0] = call.side == kBase ? 0.0 : 0.5;
  };
  EXPECT_EQ(ExitCodeOf(RunMadeUp(plan, servers, kBudget)), kExitRegression);
}

TEST(GateLoopTest, AnInterruptionEndsItWithoutAVerdict) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(1, kNoise);
  servers.before = [&](const WindowPlace& call) {
    servers.interrupted = call.pair > 11;
    return Status::Ok();
  };
  const GateOutcome outcome = RunMadeUp(plan, servers, kBudget, /*until_budget=*/true);
  EXPECT_EQ(ExitCodeOf(outcome), kExitInterrupted);
}

TEST(GateLoopTest, TheSeedDecidesTheOrder) {
  const GatePlan plan = MadeUpPlan();
  const auto order = [&] {
    MadeUpServers servers(0, kNoise);
    (void)RunMadeUp(plan, servers, 50 * kNanosecondsPerSecond);
    std::string text;
    for (const auto& call : servers.calls) text += call.side == kBase ? 'b' : 'c';
    return text;
  };
  EXPECT_EQ(order(), order());
}

}  // namespace
}  // namespace connbench::gate
