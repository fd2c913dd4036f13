// What sockets and listeners must do, whichever way the loop moves their bytes.
#include "models/loop/loop_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "models/connection.h"
#include "models/loop/testing/loop_testing.h"
#include "models/loop/uring_loop.h"

namespace connbench::models::testing {
namespace {

using Outcome = LoopTask::Outcome;
using Received = LoopSocket::Received;

// More than the buffers of a socket pair take.
constexpr size_t kTooMuch = 8 << 20;

class LoopSockets : public ::testing::TestWithParam<LoopKind> {
 protected:
  LoopSockets() : loop_(GetParam()) {}
  ~LoopSockets() override {
    for (int fd : peers_) close(fd);
  }
  EventLoop& loop() { return *loop_; }

  // A task with a socket, whose other end is the last of peers_.
  TestTask& AddWithSocket(TestTask::Function function) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    peers_.push_back(ends[1]);
    TestTask& task = loop_.Add(std::move(function));
    Result<LoopSocketHandle> opened = loop().OpenSocket(task, ends[0]);
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    task.socket = std::move(opened.value());
    return task;
  }
  // Sends back what it receives, until the other side ends.
  TestTask& AddEcho() {
    return AddWithSocket([](TestTask& self) {
      size_t count = 0;
      switch (self.socket->Receive(self.buffer(), count)) {
        case Received::kEnded:
          return Outcome::kDone;
        case Received::kNothing:
          self.socket->AwaitInput();
          return Outcome::kIdle;
        case Received::kBytes:
          break;
      }
      std::string bytes(self.buffer().data(), count);
      EXPECT_TRUE(self.socket->Send(bytes).ok());
      EXPECT_TRUE(bytes.empty());
      if (count == self.buffer().size()) return Outcome::kAgain;
      self.socket->AwaitInput();
      return Outcome::kIdle;
    });
  }
  static std::string ReadAll(int fd) {
    std::string all;
    char buffer[64 << 10];
    ssize_t got = 0;
    while ((got = read(fd, buffer, sizeof(buffer))) > 0)
      all.append(buffer, static_cast<size_t>(got));
    return all;
  }

  std::vector<int> peers_;
  TestLoop loop_;
};

TEST_P(LoopSockets, EveryByteComesBack) {
  const std::vector<size_t> sizes = {1, kReceiveBufferBytes - 1, kReceiveBufferBytes,
                                     kReceiveBufferBytes + 1, kTooMuch + 3};
  std::vector<std::string> sent;
  for (const size_t size : sizes) {
    std::string& bytes = sent.emplace_back(size, '\0');
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 1000);
  }
  std::vector<std::string> back(sizes.size());
  std::vector<std::thread> threads;
  loop_.Run([&](TestTask&) {
    for (size_t client = 0; client < sizes.size(); ++client) {
      AddEcho();
      const int peer = peers_.back();
      threads.emplace_back([peer, &bytes = std::as_const(sent[client])] {
        for (size_t at = 0; at < bytes.size();) {
          at += static_cast<size_t>(write(peer, bytes.data() + at, bytes.size() - at));
        }
        shutdown(peer, SHUT_WR);
      });
      threads.emplace_back([peer, &bytes = back[client]] { bytes = ReadAll(peer); });
    }
  });
  for (std::thread& thread : threads) thread.join();
  for (size_t client = 0; client < sizes.size(); ++client) {
    EXPECT_TRUE(back[client] == sent[client])
        << sizes[client] << " bytes sent, " << back[client].size() << " back";
  }
}

TEST_P(LoopSockets, ManyAtOnce) {
  constexpr int kSockets = 200;
  constexpr int kRounds = 5;
  loop_.Run([&](TestTask&) {
    for (int i = 0; i < kSockets; ++i) AddEcho();
    // Until the loop waits for all of them.
    loop().Park(MonotonicNow() + 5 * kNanosecondsPerMillisecond);
    for (int peer : peers_) {
      for (int round = 0; round < kRounds; ++round) ASSERT_EQ(write(peer, "question", 8), 8);
      shutdown(peer, SHUT_WR);
    }
  });
  for (int peer : peers_) EXPECT_EQ(ReadAll(peer).size(), 8u * kRounds);
  if (GetParam() == LoopKind::kTightUring) {
    const auto& uring = dynamic_cast<const UringLoop&>(loop());
    EXPECT_GT(uring.buffer_shortages(), 0u);
    EXPECT_GT(uring.ring().overflows(), 0u);
  }
}

TEST_P(LoopSockets, WhoDoesNotReadHindersNobody) {
  std::string came;
  std::thread reader;
  bool sent = false;
  TestTask& sender = AddWithSocket([&](TestTask& self) {
    std::string much(kTooMuch, 'x');
    EXPECT_TRUE(self.socket->Send(much).ok());
    EXPECT_TRUE(self.socket->Drain().ok());
    sent = true;
    return Outcome::kDone;
  });
  loop().Notify(sender);
  loop_.Start([&](TestTask&) {
    for (int i = 0; i < 5; ++i) loop().Park(MonotonicNow() + 2 * kNanosecondsPerMillisecond);
    EXPECT_FALSE(sent);
    reader = std::thread([&] { came = ReadAll(peers_.back()); });
  });
  loop_.RunUntilDone();
  reader.join();
  EXPECT_EQ(came.size(), kTooMuch);
}

TEST_P(LoopSockets, VanishedClientEndsASend) {
  Status result;
  TestTask& sender = AddWithSocket([&](TestTask& self) {
    std::string much(kTooMuch, 'x');
    result = self.socket->Send(much);
    if (result.ok()) result = self.socket->Drain();
    return Outcome::kDone;
  });
  loop().Notify(sender);
  loop_.Start([&](TestTask&) {
    loop().Park(MonotonicNow() + 5 * kNanosecondsPerMillisecond);
    close(std::exchange(peers_.back(), -1));
  });
  loop_.RunUntilDone();
  EXPECT_EQ(result.code(), sqlstate::kConnectionFailure);
}

TEST_P(LoopSockets, StopEndsASend) {
  Status result;
  TestTask& sender = AddWithSocket([&](TestTask& self) {
    std::string much(kTooMuch, 'x');
    result = self.socket->Send(much);
    if (result.ok()) result = self.socket->Drain();
    return Outcome::kDone;
  });
  loop().Notify(sender);
  loop_.Start([&](TestTask&) {
    loop().Park(MonotonicNow() + 5 * kNanosecondsPerMillisecond);
    loop().RequestStop();
  });
  loop().Run();
  EXPECT_EQ(result.code(), sqlstate::kConnectionFailure);
  EXPECT_LT(ReadAll(peers_.back()).size(), kTooMuch);  // and the socket is closed
}

// Whatever the kernel still has of a socket, the other side sees its end, and after what was sent.
TEST_P(LoopSockets, ReleaseClosesAfterWhatWasSent) {
  TestTask& task = AddWithSocket([&](TestTask& self) {
    size_t count = 0;
    EXPECT_EQ(self.socket->Receive(self.buffer(), count), Received::kNothing);
    self.socket->AwaitInput();
    std::string last = "farewell";
    EXPECT_TRUE(self.socket->Send(last).ok());
    return Outcome::kDone;
  });
  loop().Notify(task);
  std::string came;
  std::thread reader([&] { came = ReadAll(peers_.back()); });
  loop_.RunUntilDone();
  reader.join();
  EXPECT_EQ(came, "farewell");
  const auto* uring = dynamic_cast<const UringLoop*>(&loop());
  EXPECT_EQ(uring == nullptr ? 0 : uring->endpoints(), 0u);
}

// A task that is to stop does not wait until what it said is out; its client sees the end at once
// all the same, although nothing else happens in the loop.
TEST_P(LoopSockets, StoppedTaskClosesAtOnce) {
  AddWithSocket([](TestTask& self) {
    std::string last = "farewell";
    EXPECT_TRUE(self.socket->Send(last).ok());
    (void)self.socket->Drain();
    return Outcome::kDone;
  });
  engine::Wakeup closed;
  loop_.Start([&](TestTask&) {
    while (closed.word.load() == 0) (void)loop().WaitFor(closed, 0, kNoDeadline);
  });
  std::string came;
  std::thread reader([&] {
    loop().RequestStop();
    came = ReadAll(peers_.back());
    closed.Ring();
  });
  loop().Run();
  reader.join();
  EXPECT_EQ(came, "farewell");
}

// Out of descriptors: those who wait are accepted when there are some again.
TEST_P(LoopSockets, ExhaustedDescriptorsAreSaid) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "UndefinedBehaviorSanitizer needs descriptors to look at an object's type";
#endif
  ListenOptions options;
  options.port = 0;
  options.backlog = 16;
  Result<ListenerSet> listeners = ListenerSet::Open(options);
  ASSERT_TRUE(listeners.ok());
  auto engine = engine::Engine::Create({});
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  std::vector<Listener::AcceptResult> results;
  rlimit before = {};
  getrlimit(RLIMIT_NOFILE, &before);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  TestTask& acceptor = loop_.Add([&](TestTask& self) {
    self.set_wake_at(kNoDeadline);
    AcceptedConnection connection;
    results.push_back(self.listener->Accept((*engine)->connection_log(), connection));
    if (results.back() == Listener::AcceptResult::kExhausted) {
      setrlimit(RLIMIT_NOFILE, &before);
      self.set_wake_at(MonotonicNow());
    }
    if (results.back() == Listener::AcceptResult::kAccepted) {
      EXPECT_NE(connection.connection_id, 0u);
      EXPECT_EQ(connection.Origin().name.rfind("127.0.0.1:", 0), 0u) << connection.Origin().name;
      close(connection.fd);
      return Outcome::kDone;
    }
    return Outcome::kIdle;
  });
  Result<LoopListenerHandle> opened =
      loop().OpenListener(acceptor, listeners.value().listeners()[0]);
  ASSERT_TRUE(opened.ok());
  acceptor.listener = std::move(opened.value());
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(listeners.value().port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  // The client's was the lowest one that was free.
  const rlimit none = {static_cast<rlim_t>(client) + 1, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  loop_.RunUntilDone();
  setrlimit(RLIMIT_NOFILE, &before);
  close(client);
  ASSERT_GE(results.size(), 2u);
  EXPECT_EQ(results.back(), Listener::AcceptResult::kAccepted);
  EXPECT_EQ(std::count(results.begin(), results.end(), Listener::AcceptResult::kExhausted), 1);
}

// A listener outlives its task: a client that comes then is no news for a task that is gone, which
// AddressSanitizer sees.
TEST_P(LoopSockets, AListenerWithoutItsTaskIsSilent) {
  ListenOptions options;
  options.port = 0;
  options.backlog = 16;
  Result<ListenerSet> listeners = ListenerSet::Open(options);
  ASSERT_TRUE(listeners.ok());
  bool acceptor_is_done = false;
  TestTask& acceptor = loop_.Add([&](TestTask&) {
    acceptor_is_done = true;
    return Outcome::kDone;
  });
  Result<LoopListenerHandle> opened =
      loop().OpenListener(acceptor, listeners.value().listeners()[0]);
  ASSERT_TRUE(opened.ok());
  acceptor.listener = std::move(opened.value());
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int served = 0;
  TestTask& other = loop_.Add([&](TestTask& self) {
    self.set_wake_at(MonotonicNow());
    if (acceptor_is_done && ++served == 1) {
      sockaddr_in address = {};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<uint16_t>(listeners.value().port()));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    }
    return served < 3 ? Outcome::kIdle : Outcome::kDone;
  });
  loop().Notify(acceptor);
  loop().Notify(other);
  loop_.RunUntilDone();
  close(client);
  EXPECT_EQ(served, 3);
}

INSTANTIATE_TEST_SUITE_P(Engines, LoopSockets, ::testing::ValuesIn(AllLoopKinds()), LoopKindName);

}  // namespace
}  // namespace connbench::models::testing
