// Tests: what the page opens with.
#include "plots/page/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

using results::TrialRow;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TrialRow Trial(const std::string& model, int64_t connections, int64_t repetition, double tps) {
  TrialRow row;
  row.target = "builtin";
  row.model = model;
  row.contender = model;
  row.pattern = "steady";
  row.workload = "steady";
  row.connections = connections;
  row.repetition = repetition;
  row.cell = "model:" + model + "/workload:steady/connections:" + std::to_string(connections);
  row.status = results::kTrialOk;
  row.throughput_tps = tps;
  return row;
}

// Throughput of 8 and of 64 clients.
results::Run RunWith(const std::vector<std::pair<std::string, double>>& models, double at_64 = 1) {
  results::Run run;
  run.info.run_id = "r";
  for (const auto& [model, tps] : models) {
    for (int64_t repetition = 1; repetition <= 4; ++repetition) {
      const double noise = 1 + 0.001 * static_cast<double>(repetition);
      run.trials.push_back(Trial(model, 8, repetition, tps * noise));
      run.trials.push_back(Trial(model, 64, repetition, tps * noise * at_64));
      // A run has no number twice.
      for (size_t i = run.trials.size() - 2; i < run.trials.size(); ++i) {
        run.trials[i].trial = static_cast<int64_t>(i) + 1;
      }
    }
  }
  run.info.trials_written = static_cast<int64_t>(run.trials.size());
  return run;
}

Answer AnswerOfRuns(const std::vector<results::Run>& runs) {
  return AnswerOf(runs, CompareAll(runs));
}

TEST(AnswerTest, TheBestContenderWithMostClientsIsToldAgainstTheBase) {
  const Answer answer = AnswerOfRuns({RunWith({{"fork", 100}, {"poco", 150}, {"thread", 300}}, 2)});
  EXPECT_EQ(answer.question,
            "Which of fork, poco and thread does best under steady, and by how much?");
  ASSERT_THAT(answer.sentences, SizeIs(1));
  EXPECT_THAT(answer.sentences[0],
              HasSubstr("With 64 clients that stay connected, thread answers 3.0 times as many "
                        "requests as fork"));
  EXPECT_THAT(answer.more, SizeIs(4));
  EXPECT_EQ(answer.workload, "steady");
  EXPECT_EQ(answer.metric, "throughput_tps");
}

TEST(AnswerTest, ABaseThatIsAheadIsHeldAgainstTheNextBest) {
  const Answer answer = AnswerOfRuns({RunWith({{"fork", 100}, {"poco", 50}, {"thread", 80}})});
  ASSERT_THAT(answer.sentences, SizeIs(1));
  EXPECT_THAT(answer.sentences[0], HasSubstr("thread answers 20 % fewer requests than fork"));
}

TEST(AnswerTest, OneContenderGetsItsFigures) {
  const Answer answer = AnswerOfRuns({RunWith({{"fork", 100}})});
  EXPECT_EQ(answer.question, "How does fork do under steady?");
  EXPECT_THAT(answer.sentences,
              ElementsAre("With 64 clients that stay connected, fork: throughput 100 tx/s.",
                          "With 8 clients that stay connected, fork: throughput 100 tx/s."));
  EXPECT_THAT(answer.note, HasSubstr("one contender"));
}

TEST(AnswerTest, NothingIsSaidOfARunWithoutValidTrials) {
  results::Run run = RunWith({{"fork", 100}, {"thread", 50}});
  for (TrialRow& row : run.trials) row.status = results::kTrialInvalid;
  EXPECT_THAT(AnswerOfRuns({run}).sentences, IsEmpty());
  EXPECT_THAT(AnswerOfRuns({run}).note, HasSubstr("othing"));
  EXPECT_EQ(AnswerOfRuns({results::Run()}).question, "What was measured?");
  EXPECT_THAT(AnswerOfRuns({results::Run()}).sentences, IsEmpty());
}

TEST(AnswerTest, TwoRunsAreJudged) {
  results::Run candidate = RunWith({{"fork", 30}});
  candidate.info.run_id = "s";
  const Answer answer = AnswerOfRuns({RunWith({{"fork", 100}}), candidate});
  EXPECT_EQ(answer.question, "What differs between r and s?");
  ASSERT_THAT(answer.sentences, SizeIs(3));
  EXPECT_THAT(answer.sentences[0], HasSubstr("s against r: 2 of 2 judged rows are worse."));
  EXPECT_THAT(answer.sentences[1],
              HasSubstr("worse: With 64 clients that stay connected: throughput"));
}

TEST(AnswerTest, TheBaseIsTheServerThatAllKnow) {
  EXPECT_EQ(DefaultBase({"fork", "postgres", "thread"}), "postgres");
  EXPECT_EQ(DefaultBase({"a", "fork"}), "fork");
  EXPECT_EQ(DefaultBase({"a", "b"}), "a");
  EXPECT_EQ(DefaultBase({}), "");
}

}  // namespace
}  // namespace connbench::plots
