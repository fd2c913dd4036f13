// Tests: what a connection cost in CPU time, phase by phase.
#include "harness/observe/phase_cpu.h"

#include <gtest/gtest.h>

namespace connbench::observe {
namespace {

using engine::ConnectionLogRecord;
using engine::ConnectionPhase;

constexpr uint32_t kAcceptor = 10;

// A log that grows as servers write it: each stamp is a microsecond after the last one.
class PhaseCpuTest : public ::testing::Test {
 protected:
  void Stamp(uint32_t connection, ConnectionPhase phase, uint32_t thread, int64_t cpu_ns) {
    while (log_.size() < connection) {
      ConnectionLogRecord next;
      next.connection_id = static_cast<uint32_t>(log_.size()) + 1;
      log_.push_back(next);
    }
    ConnectionLogRecord& record = log_[connection - 1];
    const auto index = static_cast<size_t>(phase);
    record.phase_ns[index] = now_ += 1000;
    record.cpu_ns[index] = cpu_ns;
    record.thread[index] = thread;
  }
  void Accept(uint32_t connection, uint32_t thread, int64_t cpu_ns) {
    Stamp(connection, ConnectionPhase::kAccepted, thread, cpu_ns);
    Stamp(connection, ConnectionPhase::kDispatched, thread, cpu_ns + 5);
  }
  // 20, 30, 40 and 1000 ns until the packet is there, authenticated, ready and closed.
  void Serve(uint32_t connection, uint32_t thread, int64_t cpu_ns) {
    Stamp(connection, ConnectionPhase::kStarted, thread, cpu_ns);
    Stamp(connection, ConnectionPhase::kAuthBegin, thread, cpu_ns + 20);
    Stamp(connection, ConnectionPhase::kAuthEnd, thread, cpu_ns + 50);
    Stamp(connection, ConnectionPhase::kReady, thread, cpu_ns + 90);
    Stamp(connection, ConnectionPhase::kClosed, thread, cpu_ns + 1090);
  }
  // Of a connection, as AttributeCpu tells it now.
  int64_t Used(uint32_t connection, CpuPhase phase) const {
    const auto used = AttributeCpu(log_);
    const auto found = used.find(connection);
    return found == used.end() ? -1 : found->second.used_ns[static_cast<size_t>(phase)];
  }

  std::vector<ConnectionLogRecord> log_;
  int64_t now_ = 0;
};

TEST_F(PhaseCpuTest, AProcessForEachConnectionPaysFromItsBirth) {
  Accept(1, kAcceptor, 100);
  Serve(1, 11, 300);
  Accept(2, kAcceptor, 805);  // 700 since the first was dispatched: its fork
  EXPECT_EQ(Used(1, CpuPhase::kDispatch), 5);
  EXPECT_EQ(Used(1, CpuPhase::kStart), 700 + 300);
  EXPECT_EQ(Used(1, CpuPhase::kStartupPacket), 20);
  EXPECT_EQ(Used(1, CpuPhase::kAuthentication), 30);
  EXPECT_EQ(Used(1, CpuPhase::kSession), 40);
  EXPECT_EQ(Used(1, CpuPhase::kServed), 1000);
  EXPECT_EQ(Used(2, CpuPhase::kStart), -1) << "its process has not begun";
}

TEST_F(PhaseCpuTest, AThreadThatIsUsedAgainPaysForBeingWoken) {
  Accept(1, kAcceptor, 100);
  Serve(1, 11, 300);
  Accept(2, kAcceptor, 205);
  Serve(2, 11, 1390 + 7);
  Accept(3, kAcceptor, 310);
  EXPECT_EQ(Used(1, CpuPhase::kStart), -1) << "the thread may be older than the connection";
  EXPECT_EQ(Used(1, CpuPhase::kSession), 40);
  EXPECT_EQ(Used(2, CpuPhase::kStart), 100 + 7);
  EXPECT_EQ(Used(2, CpuPhase::kServed), 1000);
}

TEST_F(PhaseCpuTest, AnIdThatTheKernelGivesAgainIsAnotherThread) {
  Accept(1, kAcceptor, 100);
  Serve(1, 11, 300);
  Accept(2, kAcceptor, 205);
  Serve(2, 11, 250);
  Accept(3, kAcceptor, 310);
  EXPECT_EQ(Used(1, CpuPhase::kStart), 100 + 300);
  EXPECT_EQ(Used(2, CpuPhase::kStart), 100 + 250);
}

TEST_F(PhaseCpuTest, WhatAThreadDoesWithTwoConnectionsOpenIsNobodys) {
  constexpr uint32_t kLoop = 11;
  Accept(1, kLoop, 100);
  Stamp(1, ConnectionPhase::kStarted, kLoop, 110);
  Accept(2, kLoop, 200);
  Stamp(2, ConnectionPhase::kStarted, kLoop, 210);
  Stamp(1, ConnectionPhase::kAuthBegin, kLoop, 300);
  Stamp(1, ConnectionPhase::kAuthEnd, kLoop, 310);
  Stamp(1, ConnectionPhase::kReady, kLoop, 320);
  EXPECT_EQ(Used(1, CpuPhase::kStart), 5) << "alone until then";
  EXPECT_EQ(Used(2, CpuPhase::kDispatch), -1);
  EXPECT_EQ(Used(1, CpuPhase::kStartupPacket), -1);
  EXPECT_EQ(Used(1, CpuPhase::kAuthentication), -1) << "the other's statement may have run in it";
  EXPECT_EQ(Used(1, CpuPhase::kSession), -1);
}

TEST_F(PhaseCpuTest, NothingIsToldOfASessionThatMovesAmongThreads) {
  Stamp(1, ConnectionPhase::kStarted, 11, 100);
  Stamp(1, ConnectionPhase::kAuthBegin, 12, 500);
  Stamp(1, ConnectionPhase::kAuthEnd, 12, 530);
  Stamp(1, ConnectionPhase::kReady, 11, 900);
  EXPECT_EQ(Used(1, CpuPhase::kStartupPacket), -1);
  EXPECT_EQ(Used(1, CpuPhase::kAuthentication), 30) << "one thread, nothing else open on it";
  EXPECT_EQ(Used(1, CpuPhase::kSession), -1);
}

TEST_F(PhaseCpuTest, ALogWithoutClocksTellsNothing) {
  log_.emplace_back().connection_id = 1;
  log_.back().phase_ns[0] = 5;
  EXPECT_TRUE(AttributeCpu(log_).empty());
}

}  // namespace
}  // namespace connbench::observe
