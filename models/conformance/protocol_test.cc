// The wire protocol and transactions, as they come through a model: messages cut and packed in
// every way, large ones in both directions, COPY, and what becomes of a transaction whose client
// goes.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>

#include "models/conformance/conformance.h"
#include "protocol/messages.h"

namespace connbench::models::testing {
namespace {

class Protocol : public Conformance {};

// The types of the messages that come, up to the given number of ReadyForQuery, or to the end.
std::string AnswerTypes(const TestClient& client, int ready_for_query) {
  std::string types;
  std::string received;
  while (ready_for_query > 0) {
    char buffer[4096];
    const ssize_t got = recv(client.fd(), buffer, sizeof(buffer), 0);
    if (got <= 0) return types;
    received.append(buffer, static_cast<size_t>(got));
    std::string_view input(received);
    protocol::Message message;
    while (protocol::NextMessage(input, size_t{1} << 20, message) ==
           protocol::FrameResult::kMessage) {
      types += message.type;
      if (message.type == protocol::backend::kReadyForQuery) --ready_for_query;
    }
    received.erase(0, received.size() - input.size());
  }
  return types;
}

std::string ExtendedBatch(std::string_view sql) {
  std::string batch;
  protocol::AppendParse(batch, "", sql);
  protocol::AppendBind(batch, "", "", {});
  protocol::AppendDescribePortal(batch, "");
  protocol::AppendExecute(batch, "");
  protocol::AppendSync(batch);
  return batch;
}

TEST_P(Protocol, AnswersBatchesOfTheExtendedProtocol) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  client.SendRaw(ExtendedBatch("select 1"));
  EXPECT_EQ(AnswerTypes(client, 1), "12TDCZ");
  // The rest of a batch that fails is skipped; the next one is not.
  client.SendRaw(ExtendedBatch("select 1 / (n - 1) from generate_series(1, 1) n") +
                 ExtendedBatch("select 1"));
  EXPECT_EQ(AnswerTypes(client, 2), "12TEZ12TDCZ");
  std::string named;
  protocol::AppendParse(named, "s", "select $1::int + 1");
  protocol::AppendSync(named);
  client.SendRaw(named);
  EXPECT_EQ(AnswerTypes(client, 1), "1Z");
  std::string runs;
  const WireValue parameter = {"41", 2};
  for (int i = 0; i < 3; ++i) {
    protocol::AppendBind(runs, "", "s", {&parameter, 1});
    protocol::AppendExecute(runs, "");
  }
  protocol::AppendSync(runs);
  protocol::AppendQuery(runs, "select 1; select 2");
  client.SendRaw(runs);
  EXPECT_EQ(AnswerTypes(client, 2), "2DC2DC2DCZTDCTDCZ");
}

TEST_P(Protocol, TakesMessagesByteByByte) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  const int on = 1;
  setsockopt(client.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  for (const char byte : ExtendedBatch("select 1")) client.SendRaw({&byte, 1});
  EXPECT_EQ(AnswerTypes(client, 1), "12TDCZ");
}

TEST_P(Protocol, CarriesLargeMessagesBothWays) {
  constexpr int kBytes = 1 << 20;
  const int rows = kSanitized ? 1000 : 10'000;
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("select length('" + std::string(kBytes, 'x') + "')"));
  EXPECT_EQ(client.rows(), std::vector<std::string>{std::to_string(kBytes)});
  // More than all buffers on the way take.
  ASSERT_TRUE(client.Query("select repeat('x', 1000) from generate_series(1, " +
                           std::to_string(rows) + ")"));
  EXPECT_EQ(client.rows().size(), static_cast<size_t>(rows));
  EXPECT_EQ(client.rows().back(), std::string(1000, 'x'));
}

TEST_P(Protocol, CopiesInFromAClientThatMayLeave) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient client(server.port());
  ASSERT_TRUE(client.Start()) << client.error_message();
  ASSERT_TRUE(client.Query("create table copied (value int)")) << client.error_message();
  std::string query;
  protocol::AppendQuery(query, "copy copied from stdin");
  std::string data;
  protocol::AppendCopyData(data, "1\n2");
  protocol::AppendCopyData(data, "\n3\n");
  std::string done;
  protocol::AppendCopyDone(done);
  client.SendRaw(query);
  client.SendRaw(data + done);
  EXPECT_EQ(AnswerTypes(client, 1), "GCZ");
  {
    TestClient leaves(server.port());
    ASSERT_TRUE(leaves.Start()) << leaves.error_message();
    leaves.SendRaw(query + data);
    SleepMs(50);
    leaves.Reset();
  }
  TestClient other(server.port());
  ASSERT_TRUE(other.Start()) << other.error_message();
  ASSERT_TRUE(other.Query("select count(*) from copied"));
  EXPECT_EQ(other.rows(), std::vector<std::string>{"3"});
  // What the one that left had locked is free.
  EXPECT_TRUE(other.Query("drop table copied")) << other.error_message();
}

TEST_P(Protocol, KeepsTransactionsApart) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  MakeCounter(server.port());
  TestClient writer(server.port());
  TestClient reader(server.port());
  ASSERT_TRUE(writer.Start()) << writer.error_message();
  ASSERT_TRUE(reader.Start()) << reader.error_message();
  const auto value = [&] {
    EXPECT_TRUE(reader.Query("select value from counter")) << reader.error_message();
    return reader.rows().empty() ? "none" : reader.rows()[0];
  };
  ASSERT_TRUE(writer.Query("begin"));
  ASSERT_TRUE(writer.Query(kIncrement));
  EXPECT_EQ(value(), "0");
  ASSERT_TRUE(writer.Query("commit"));
  EXPECT_EQ(value(), "1");
  ASSERT_TRUE(writer.Query("begin"));
  ASSERT_TRUE(writer.Query(kIncrement));
  EXPECT_FALSE(writer.Query("select no_such_column"));
  EXPECT_FALSE(writer.Query("select 1"));
  EXPECT_EQ(writer.error_code(), "25P02");
  ASSERT_TRUE(writer.Query("commit"));  // which rolls back
  EXPECT_EQ(value(), "1");
}

TEST_P(Protocol, RollsBackTheTransactionOfAClientThatLeaves) {
  TestServer server(RealOptions());
  ASSERT_TRUE(server.ready()) << server.log();
  MakeCounter(server.port());
  for (const bool reset : {true, false}) {
    TestClient leaves(server.port());
    ASSERT_TRUE(leaves.Start()) << leaves.error_message();
    ASSERT_TRUE(leaves.Query("begin"));
    ASSERT_TRUE(leaves.Query(kIncrement));
    TestClient waiting(server.port());
    ASSERT_TRUE(waiting.Start()) << waiting.error_message();
    ASSERT_TRUE(waiting.Query("begin"));
    waiting.SendQuery(kIncrement);
    WaitForLockWaits(server, 1);
    if (reset) {
      leaves.Reset();
    } else {
      leaves.Close();
    }
    EXPECT_TRUE(waiting.Finish()) << waiting.error_message();
    ASSERT_TRUE(waiting.Query("select value from counter"));
    EXPECT_EQ(waiting.rows(), std::vector<std::string>{"1"});
    ASSERT_TRUE(waiting.Query("rollback"));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Protocol, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
