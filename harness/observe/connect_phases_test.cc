// Tests: where connects spent their time.
#include "harness/observe/connect_phases.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace connbench::observe {
namespace {

using engine::ConnectionLogRecord;
using engine::ConnectionPhase;

load::ConnectionPhases ClientStamps(uint32_t id) {
  load::ConnectionPhases phases;
  phases.connection_id = id;
  phases.in_window = true;
  phases.connect_begin_ns = 1'000'000;
  phases.connect_end_ns = 1'010'000;
  phases.startup_sent_ns = 1'020'000;
  phases.authenticated_ns = 1'150'000;
  phases.ready_ns = 1'200'000;
  phases.first_query_ns = 1'210'000;
  phases.first_row_ns = 1'300'000;
  return phases;
}

ConnectionLogRecord ServerStamps(uint32_t id) {
  ConnectionLogRecord record;
  record.connection_id = id;
  const auto set = [&](ConnectionPhase phase, int64_t at) {
    record.phase_ns[static_cast<int>(phase)] = at;
  };
  set(ConnectionPhase::kAccepted, 1'030'000);
  set(ConnectionPhase::kDispatched, 1'035'000);
  set(ConnectionPhase::kStarted, 1'100'000);
  set(ConnectionPhase::kAuthBegin, 1'110'000);
  set(ConnectionPhase::kAuthEnd, 1'140'000);
  set(ConnectionPhase::kReady, 1'190'000);
  return record;
}

std::map<std::string, results::PhaseRow> ByName(const std::vector<results::PhaseRow>& rows,
                                                const std::string& side) {
  std::map<std::string, results::PhaseRow> by_name;
  for (const auto& row : rows) {
    if (row.side == side) by_name[row.phase] = row;
  }
  return by_name;
}

TEST(ConnectPhasesTest, JoinedPhasesAddUpToTheWholeConnect) {
  const auto rows = SummarizePhases({ClientStamps(7)}, {ServerStamps(3), ServerStamps(7)});
  const auto joined = ByName(rows, "joined");
  EXPECT_EQ(joined.at("handshake").mean_us, 10);
  EXPECT_EQ(joined.at("accept_queue").mean_us, 20);
  EXPECT_EQ(joined.at("dispatch").mean_us, 5);
  EXPECT_EQ(joined.at("start").mean_us, 65);
  EXPECT_EQ(joined.at("reply").mean_us, 10);
  double sum = 0;
  for (const auto& [name, row] : joined) sum += *row.mean_us;
  EXPECT_DOUBLE_EQ(sum, 300);
  for (const auto& row : rows) EXPECT_EQ(row.samples, 1) << row.side << " " << row.phase;
}

TEST(ConnectPhasesTest, StampsOutOfOrderAndMissingKeepTheSum) {
  ConnectionLogRecord pooled = ServerStamps(7);
  // A pool's worker takes the session after its startup packet was read; nothing was dispatched.
  pooled.phase_ns[static_cast<int>(ConnectionPhase::kDispatched)] = 0;
  pooled.phase_ns[static_cast<int>(ConnectionPhase::kStarted)] = 1'145'000;
  const auto joined = ByName(SummarizePhases({ClientStamps(7)}, {pooled}), "joined");
  EXPECT_EQ(joined.at("dispatch").mean_us, 0);
  EXPECT_EQ(joined.at("start").mean_us, 115);
  EXPECT_EQ(joined.at("startup_packet").mean_us, 0);
  EXPECT_EQ(joined.at("authentication").mean_us, 0);
  double sum = 0;
  for (const auto& [name, row] : joined) sum += *row.mean_us;
  EXPECT_DOUBLE_EQ(sum, 300);
}

TEST(ConnectPhasesTest, OnlySuccessfulConnectsOfTheWindowCount) {
  load::ConnectionPhases failed = ClientStamps(1);
  failed.outcome = load::ConnectOutcome::kReset;
  load::ConnectionPhases warm_up = ClientStamps(2);
  warm_up.in_window = false;
  load::ConnectionPhases unknown = ClientStamps(4);
  const auto rows = SummarizePhases({failed, warm_up, unknown}, {ServerStamps(1), ServerStamps(2)});
  EXPECT_EQ(ByName(rows, "client").at("connect").samples, 1);
  EXPECT_EQ(ByName(rows, "joined").at("handshake").samples, 0);
  EXPECT_EQ(ByName(rows, "joined").at("handshake").mean_us, std::nullopt);
}

TEST(ConnectPhasesTest, AServerWithoutALogHasTheClientsPhasesOnly) {
  for (const auto& row : SummarizePhases({ClientStamps(7)}, {})) EXPECT_EQ(row.side, "client");
}

TEST(ConnectPhasesTest, DurationsOfAServerBecomeItsPhases) {
  // 7 came again: the later line is the connection's. 9 is none of the client's.
  const std::vector<SetupDurations> log = {
      {7, 9'000'000, 1, 1}, {9, 1, 1, 1}, {7, 2'000'000, 400'000, 250'000}};
  const auto rows = SummarizeSetupDurations({ClientStamps(7), ClientStamps(8)}, log);
  const auto server = ByName(rows, "server");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(server.at("start").mean_us, 400);
  EXPECT_EQ(server.at("authentication").mean_us, 250);
  EXPECT_EQ(server.at("session").mean_us, 1350);
  EXPECT_EQ(server.at("session").samples, 1);
  EXPECT_LT(server.at("start").position, server.at("authentication").position);
}

}  // namespace
}  // namespace connbench::observe
