// Logging in, both sides together: ClientSession and ServerSession with no wire between them but
// two strings, through every method, with and without TLS.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/roles/scram_secret.h"
#include "protocol/client_session.h"
#include "protocol/limits.h"
#include "protocol/server_security.h"
#include "protocol/testing/fake_session.h"
#include "protocol/testing/login_files.h"

namespace connbench::protocol {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class LoginTest : public testing::Test {
 protected:
  // Rules, and whether the server offers TLS.
  void Serve(const std::string& rules, bool ssl) {
    auto loaded = ServerSecurity::Load(files().Settings(rules, ssl));
    ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
    security_ = std::move(*loaded);
    server_ = std::make_unique<FakeConnection>(0, security_.get());
    engine::Role alice;
    alice.name = "alice";
    alice.can_login = true;
    alice.password = engine::StoredPassword("wonder", 4);
    engine::Role locked = alice;
    locked.name = "locked";
    locked.can_login = false;
    engine::Role boss = alice;
    boss.name = "boss";
    boss.superuser = true;
    engine::Role silent = alice;
    silent.name = "silent";
    silent.password.reset();
    server_->engine.roles = {alice, locked, boss, silent};
  }

  // Ends when nobody has anything to say.
  void Login(const std::string& user, ClientSecurityOptions options = {}) {
    auto made = ClientSecurity::Make(options);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    client_security_ = *made;
    client_.Start({.user = user,
                   .database = "shop",
                   .application_name = "test",
                   .security = client_security_.get()});
    Pump();
  }

  void Pump() {
    while (!client_.output().empty()) {
      const std::string to_server = std::exchange(client_.output(), {});
      sent_ += to_server;
      if (server_->want == Want::kClose) return;
      server_->want = server_->session.Receive(to_server);
      const std::string to_client = server_->channel.sent + server_->session.output();
      server_->channel.sent.clear();
      server_->session.ClearOutput();
      received_ += to_client;
      if (!to_client.empty()) client_.Receive(to_client);
    }
  }

  bool ready() const {
    return client_.state() == ClientSession::State::kIdle && server_->session.authenticated();
  }
  std::string Error() const {
    return client_.state() == ClientSession::State::kClosed
               ? client_.error().code + " " + client_.error().message
               : "none";
  }

  std::unique_ptr<const ServerSecurity> security_;
  std::unique_ptr<FakeConnection> server_;
  std::shared_ptr<ClientSecurity> client_security_;
  ClientSession client_;
  std::string sent_;
  std::string received_;
};

TEST_F(LoginTest, EveryMethodLetsTheRightOneIn) {
  for (const char* rules : {kTrust, kPassword, kScram}) {
    for (const bool ssl : {false, true}) {
      Serve(rules, ssl);
      client_.Reset();
      Login("alice", {.password = "wonder", .sslmode = ssl ? "require" : "disable"});
      EXPECT_TRUE(ready()) << rules << ssl << Error();
      EXPECT_EQ(client_.encrypted(), ssl);
      EXPECT_EQ(server_->engine.state.options.user, "alice");
      EXPECT_FALSE(server_->engine.state.options.superuser);
      client_.Query("rows 3");
      Pump();
      EXPECT_EQ(client_.command().rows, 3u);
    }
  }
}

TEST_F(LoginTest, EveryMethodKeepsOthersOut) {
  for (const char* rules : {kPassword, kScram}) {
    for (const char* user : {"alice", "nobody", "silent"}) {
      Serve(rules, false);
      client_.Reset();
      Login(user, {.password = "wander"});
      EXPECT_EQ(Error(),
                std::string("28P01 password authentication failed for user \"") + user + "\"");
      EXPECT_EQ(server_->want, Want::kClose);
      EXPECT_EQ(client_.end(), ClientSession::End::kFatalError);
      EXPECT_TRUE(server_->engine.state.options.user.empty());  // no session was started
    }
  }
}

TEST_F(LoginTest, APasswordIsNeverSentInClearByScram) {
  Serve(kScram, false);
  Login("alice", {.password = "wonder"});
  ASSERT_TRUE(ready()) << Error();
  EXPECT_THAT(sent_, testing::Not(HasSubstr("wonder")));
  Serve(kPassword, true);
  client_.Reset();
  sent_.clear();
  Login("alice", {.password = "wonder", .sslmode = "require"});
  ASSERT_TRUE(ready()) << Error();
  EXPECT_THAT(sent_, testing::Not(HasSubstr("wonder")));
  EXPECT_THAT(sent_, testing::Not(HasSubstr("alice")));
}

TEST_F(LoginTest, RolesSayWhoMayLogInAndWhoIsSuperuser) {
  for (const char* rules : {kTrust, kScram}) {
    Serve(rules, false);
    client_.Reset();
    Login("locked", {.password = "wonder"});
    EXPECT_EQ(Error(), "28000 role \"locked\" is not permitted to log in");
    Serve(rules, false);
    client_.Reset();
    Login("boss", {.password = "wonder"});
    EXPECT_TRUE(ready()) << Error();
    EXPECT_TRUE(server_->engine.state.options.superuser);
  }
  // "trust" believes any name.
  Serve(kTrust, false);
  client_.Reset();
  Login("stranger");
  EXPECT_TRUE(ready()) << Error();
  EXPECT_FALSE(server_->engine.state.options.superuser);
}

TEST_F(LoginTest, RulesRefuseAsPostgresqlDoes) {
  Serve("hostssl all alice all scram-sha-256\nhost all bob all reject", true);
  Login("alice", {.password = "wonder"});
  EXPECT_EQ(
      Error(),
      "28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"alice\", database \"shop\", no "
      "encryption");
  Serve("hostnossl all all all trust", true);
  client_.Reset();
  Login("alice", {.password = "wonder", .sslmode = "require"});
  EXPECT_EQ(Error(),
            "28000 no pg_hba.conf entry for host \"127.0.0.1\", user \"alice\", database \"shop\", "
            "SSL encryption");
  Serve("host all bob all reject", false);
  client_.Reset();
  Login("bob");
  EXPECT_EQ(Error(),
            "28000 pg_hba.conf rejects connection for host \"127.0.0.1\", user \"bob\", database "
            "\"shop\", no encryption");
}

TEST_F(LoginTest, BindsScramToTheCertificate) {
  Serve(kScram, true);
  Login("alice", {.password = "wonder", .sslmode = "require", .channel_binding = "require"});
  EXPECT_TRUE(ready()) << Error();
  Serve(kScram, true);
  client_.Reset();
  Login("alice", {.password = "wonder", .sslmode = "require", .channel_binding = "disable"});
  EXPECT_TRUE(ready()) << Error();
  for (const char* rules : {kTrust, kPassword}) {
    Serve(rules, true);
    client_.Reset();
    Login("alice", {.password = "wonder", .sslmode = "require", .channel_binding = "require"});
    EXPECT_THAT(Error(), HasSubstr("channel binding required")) << rules;
  }
  Serve(kScram, false);
  client_.Reset();
  Login("alice", {.password = "wonder", .channel_binding = "require"});
  EXPECT_THAT(Error(), HasSubstr("channel binding is required"));
}

TEST_F(LoginTest, EncryptsAsSslmodeSays) {
  Serve(kTrust, false);
  Login("alice", {.sslmode = "prefer"});
  EXPECT_TRUE(ready()) << Error();
  EXPECT_FALSE(client_.encrypted());
  Serve(kTrust, false);
  client_.Reset();
  Login("alice", {.sslmode = "require"});
  EXPECT_EQ(Error(), "28000 server does not support SSL, but SSL was required");
  EXPECT_EQ(client_.end(), ClientSession::End::kNoAuthentication);
  Serve(kTrust, true);
  client_.Reset();
  Login("alice", {.sslmode = "prefer"});
  EXPECT_TRUE(ready() && client_.encrypted()) << Error();
  for (const char* mode : {"verify-ca", "verify-full"}) {
    Serve(kTrust, true);
    client_.Reset();
    Login("alice", {.sslmode = mode, .sslrootcert = files().certificate(), .host = "localhost"});
    EXPECT_TRUE(ready()) << mode << Error();
  }
  Serve(kTrust, true);
  client_.Reset();
  Login("alice",
        {.sslmode = "verify-full", .sslrootcert = files().certificate(), .host = "127.0.0.1"});
  EXPECT_TRUE(ready()) << Error();
  Serve(kTrust, true);
  client_.Reset();
  Login("alice",
        {.sslmode = "verify-full", .sslrootcert = files().certificate(), .host = "example.org"});
  EXPECT_THAT(Error(), HasSubstr("hostname mismatch"));
  EXPECT_FALSE(server_->session.authenticated());
}

TEST_F(LoginTest, AClientWithoutAPasswordSaysSo) {
  for (const char* rules : {kPassword, kScram}) {
    Serve(rules, false);
    client_.Reset();
    Login("alice");
    EXPECT_THAT(Error(), HasSubstr("asks for a password, and none was given"));
    EXPECT_EQ(client_.end(), ClientSession::End::kNoAuthentication);
  }
}

TEST_F(LoginTest, WorksHoweverTheBytesAreCut) {
  Serve(kScram, true);
  auto made = ClientSecurity::Make({.password = "wonder", .sslmode = "require"});
  ASSERT_TRUE(made.ok());
  client_.Start(
      {.user = "alice", .database = "d", .application_name = "", .security = made->get()});
  while (!client_.output().empty()) {
    for (const char c : std::exchange(client_.output(), {})) {
      ASSERT_EQ(server_->session.Receive({&c, 1}), Want::kInput);
    }
    const std::string answer = server_->session.output();
    server_->session.ClearOutput();
    for (const char& c : answer) client_.Receive({&c, 1});
  }
  EXPECT_TRUE(ready()) << Error();
}

TEST_F(LoginTest, LargeAnswersGoThroughTheChannelEncrypted) {
  Serve(kTrust, true);
  Login("alice", {.sslmode = "require"});
  ASSERT_TRUE(ready()) << Error();
  client_.Query("rows 30000");
  Pump();
  EXPECT_EQ(client_.command().rows, 30000u);
  EXPECT_GT(server_->channel.flushes, 3u);
  EXPECT_THAT(received_, testing::Not(HasSubstr("29999")));
}

// --- What a hostile or broken client gets --------------------------------------------------------

std::string SslRequest() {
  std::string bytes;
  AppendSslRequest(bytes);
  return bytes;
}

TEST_F(LoginTest, BytesBehindSslRequestAreAnAttack) {
  Serve(kTrust, true);
  // CVE-2021-23222: a startup packet that somebody has put in front of the handshake.
  EXPECT_THAT(server_->Send(SslRequest() + AliceStartup()),
              ElementsAre(StartsWith("E FATAL 08P01 received unencrypted data after SSL request")));
  EXPECT_EQ(server_->want, Want::kClose);
  EXPECT_FALSE(server_->session.authenticated());
  // Where there is no TLS they are refused behind the answer, as in PostgreSQL.
  Serve(kTrust, false);
  EXPECT_THAT(
      server_->Send(SslRequest() + AliceStartup()),
      ElementsAre("N", StartsWith("E FATAL 08P01 received unencrypted data after SSL request")));
  EXPECT_FALSE(server_->session.authenticated());
}

TEST_F(LoginTest, BytesBehindTheServersAnswerAreAnAttack) {
  auto made = ClientSecurity::Make({.sslmode = "require"});
  client_.Start({.user = "u", .database = "d", .application_name = "", .security = made->get()});
  client_.output().clear();
  client_.Receive("SR");
  EXPECT_EQ(client_.end(), ClientSession::End::kProtocolError);
  EXPECT_THAT(Error(), HasSubstr("unencrypted data"));
}

TEST_F(LoginTest, AnErrorBeforeEncryptionIsMarked) {
  auto made = ClientSecurity::Make({.sslmode = "require"});
  client_.Start({.user = "u", .database = "d", .application_name = "", .security = made->get()});
  client_.output().clear();
  ErrorInfo error;
  error.code = "53300";
  error.message = "sorry, too many clients already";
  std::string bytes;
  AppendErrorResponse(bytes, "FATAL", error);
  client_.Receive(bytes.substr(0, 9));
  client_.Receive(bytes.substr(9));
  EXPECT_EQ(client_.end(), ClientSession::End::kFatalError);
  EXPECT_EQ(client_.error().message,
            "unencrypted, so from an unknown sender: sorry, too many clients already");
}

TEST_F(LoginTest, NoTlsOnAUnixSocket) {
  auto loaded = ServerSecurity::Load(files().Settings("local all all trust", true));
  ASSERT_TRUE(loaded.ok());
  FakeEngine engine;
  engine::BlockingWaiter waiter;
  FakeChannel channel;
  ServerSession session(engine, waiter, channel, engine.connection_log().Begin(1),
                        {.name = "local", .address = std::nullopt, .security = loaded->get()});
  session.Receive(SslRequest());
  EXPECT_EQ(session.output(), "N");
  session.Receive(AliceStartup());
  EXPECT_TRUE(session.authenticated());
}

TEST_F(LoginTest, GarbageInsteadOfAHandshakeEndsTheConnection) {
  Serve(kTrust, true);
  EXPECT_EQ(server_->session.Receive(SslRequest()), Want::kInput);
  EXPECT_EQ(server_->session.output(), "S");
  EXPECT_EQ(server_->session.Receive(AliceStartup()), Want::kClose);
  EXPECT_FALSE(server_->session.authenticated());
}

TEST_F(LoginTest, NothingButAPasswordMayComeMeanwhile) {
  for (const char* rules : {kPassword, kScram}) {
    Serve(rules, false);
    server_->Send(AliceStartup());
    std::string query;
    AppendQuery(query, "row");
    EXPECT_THAT(
        server_->Send(query),
        ElementsAre(StartsWith("E FATAL 08P01 expected password response, got message type 81")));
    EXPECT_EQ(server_->want, Want::kClose);
  }
}

TEST_F(LoginTest, PasswordMessagesHaveLimits) {
  const auto answer = [&](const char* rules, std::string_view body) {
    Serve(rules, false);
    server_->Send(AliceStartup());
    std::string message;
    MessageWriter(message, frontend::kPassword).Bytes(body).Finish();
    const std::vector<std::string> said = server_->Send(message);
    EXPECT_EQ(server_->want, Want::kClose);
    return said.empty() ? "" : said[0];
  };
  EXPECT_THAT(answer(kPassword, ""), HasSubstr("invalid password packet size"));
  EXPECT_THAT(answer(kPassword, "wonder"), HasSubstr("invalid password packet size"));
  EXPECT_THAT(answer(kPassword, std::string_view("won\0der\0", 8)),
              HasSubstr("invalid password packet size"));
  EXPECT_THAT(answer(kPassword, std::string_view("\0", 1)),
              HasSubstr("28P01 empty password returned by client"));
  EXPECT_THAT(answer(kPassword, std::string(kMaxPasswordBytes + 1, 'x')),
              HasSubstr("invalid message length"));
  EXPECT_THAT(answer(kScram, ""), HasSubstr("malformed SASLInitialResponse"));
  EXPECT_THAT(answer(kScram, std::string_view("SCRAM-SHA-256\0\xff\xff\xff\xff", 18)),
              HasSubstr("malformed SASLInitialResponse"));
  EXPECT_THAT(answer(kScram, std::string_view("SCRAM-SHA-256\0\0\0\0\x09n,,n=", 23)),
              HasSubstr("malformed SASLInitialResponse"));
  EXPECT_THAT(answer(kScram, std::string_view("SCRAM-SHA-1\0\0\0\0\x03n,,", 19)),
              HasSubstr("invalid SASL authentication mechanism"));
  EXPECT_THAT(answer(kScram, std::string(kMaxSaslMessageBytes + 1, 'x')),
              HasSubstr("invalid message length"));
}

TEST_F(LoginTest, TheTimeForAuthenticationCoversIt) {
  Serve(kScram, false);
  server_->Send(AliceStartup());
  EXPECT_NE(server_->session.InputDeadline(), kNoDeadline);
  EXPECT_FALSE(server_->session.authenticated());
}

}  // namespace
}  // namespace connbench::protocol
