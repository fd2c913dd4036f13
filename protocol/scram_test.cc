// Tests: SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as pure state machines.
#include "protocol/scram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::protocol {
namespace {

using engine::ScramSecret;

// RFC 7677, section 3.
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramSecret Secret(std::string_view password) {
  return engine::MakeScramSecret(password, *engine::DecodeBase64(kSalt), 4096);
}
const ScramSecret& Secret() {
  static const ScramSecret made = Secret("pencil");
  return made;
}
ScramServer Server(std::optional<ScramSecret> secret = Secret(), std::string end_point = {}) {
  return {std::move(secret), MockScramSecret("user", "nonce", 4096), std::move(end_point),
          std::string(kServerNonce)};
}
ScramClient Client(std::string password = "pencil", std::string end_point = {},
                   bool could_bind = false) {
  return {std::move(password),
          std::move(end_point),
          could_bind,
          std::string(kClientNonce),
          nullptr,
          "user"};
}

TEST(Scram, ServerSpeaksAsInTheRfc) {
  ScramServer server = Server();
  const Result<std::string> first = server.Begin(kScramMechanism, kClientFirst);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  EXPECT_EQ(*first, kServerFirst);
  const Result<std::string> last = server.Finish(kClientFinal);
  ASSERT_TRUE(last.ok()) << last.status().ToString();
  EXPECT_EQ(*last, kServerFinal);
  EXPECT_TRUE(server.authenticated());
}

TEST(Scram, ClientSpeaksAsInTheRfc) {
  ScramClient client = Client();
  EXPECT_EQ(client.First(), kClientFirst);
  const Result<std::string> last = client.Final(kServerFirst);
  ASSERT_TRUE(last.ok()) << last.status().ToString();
  EXPECT_EQ(*last, kClientFinal);
  EXPECT_TRUE(client.Verify(kServerFinal).ok());
}

// The whole exchange; true if the server was convinced.
bool Talk(ScramClient client, ScramServer server) {
  const Result<std::string> server_first = server.Begin(client.mechanism(), client.First());
  if (!server_first.ok()) return false;
  const Result<std::string> client_final = client.Final(*server_first);
  if (!client_final.ok()) return false;
  const Result<std::string> server_final = server.Finish(*client_final);
  if (!server_final.ok()) return false;
  EXPECT_EQ(server.authenticated(), !server_final->empty());
  EXPECT_EQ(client.Verify(*server_final).ok(), server.authenticated());
  return server.authenticated();
}

TEST(Scram, AWrongPasswordFails) {
  EXPECT_TRUE(Talk(Client("pencil"), Server()));
  EXPECT_FALSE(Talk(Client("Pencil"), Server()));
  EXPECT_FALSE(Talk(Client("pencil "), Server()));
  EXPECT_FALSE(Talk(Client("pencil"), Server(Secret("other"))));
}

TEST(Scram, ADoomedExchangeLooksLikeAnyOther) {
  EXPECT_FALSE(Talk(Client(), Server(std::nullopt)));
  const auto salt_for = [](std::string_view user, std::string_view nonce) {
    return MockScramSecret(user, nonce, 4096).salt;
  };
  EXPECT_EQ(salt_for("nobody", "n").size(), engine::kScramSaltBytes);
  EXPECT_EQ(salt_for("nobody", "n"), salt_for("nobody", "n"));
  EXPECT_NE(salt_for("nobody", "n"), salt_for("somebody", "n"));
  EXPECT_NE(salt_for("nobody", "n"), salt_for("nobody", "m"));
}

TEST(Scram, BindsTheChannel) {
  const std::string end_point(32, '\x5a');
  EXPECT_TRUE(Talk(Client("pencil", end_point), Server(Secret(), end_point)));
  // Somebody in between shows another certificate.
  EXPECT_FALSE(Talk(Client("pencil", std::string(32, '\x5b')), Server(Secret(), end_point)));
  // A client that will not bind may do without, but one that could and was told that the server
  // cannot is being deceived.
  EXPECT_TRUE(Talk(Client("pencil"), Server(Secret(), end_point)));
  EXPECT_FALSE(Talk(Client("pencil", "", true), Server(Secret(), end_point)));
  EXPECT_TRUE(Talk(Client("pencil", "", true), Server(Secret())));
  // PLUS was not offered.
  EXPECT_FALSE(Talk(Client("pencil", end_point), Server(Secret())));
}

std::string BeginError(std::string_view mechanism, std::string_view message,
                       std::string end_point = {}) {
  return std::string(
      Server(Secret(), std::move(end_point)).Begin(mechanism, message).status().code());
}

TEST(Scram, ServerRefusesMalformedFirstMessages) {
  for (const char* bad :
       {"", "n", "n,", "n,,", "x,,n=u,r=a", "n,,r=a", "n,,n=u", "n,,n=u,", "n,,n=u,r",
        "n,,n=u,r=", "n,,nu,r=a", "n,,n=u,r=a b", "n,,n=u,r=a\x7f", "n,,n=u,r=abc,=x",
        "n,,n=u,r=abc,1=x", "p=tls-server-end-point,,n=u,r=abc", "nn,,n=u,r=abc"}) {
    EXPECT_EQ(BeginError(kScramMechanism, bad), sqlstate::kProtocolViolation) << bad;
  }
  EXPECT_EQ(BeginError(kScramMechanism, "n,a=admin,n=u,r=abc"), sqlstate::kFeatureNotSupported);
  EXPECT_EQ(BeginError(kScramMechanism, "n,,m=ext,n=u,r=abc"), sqlstate::kFeatureNotSupported);
  EXPECT_EQ(BeginError("SCRAM-SHA-1", "n,,n=u,r=abc"), sqlstate::kProtocolViolation);
  EXPECT_EQ(BeginError(kScramPlusMechanism, "n,,n=u,r=abc"), sqlstate::kProtocolViolation);
  EXPECT_EQ(BeginError(kScramPlusMechanism, "n,,n=u,r=abc", "hash"), sqlstate::kProtocolViolation);
  EXPECT_EQ(BeginError(kScramPlusMechanism, "p=tls-unique,,n=u,r=abc", "hash"),
            sqlstate::kProtocolViolation);
  EXPECT_EQ(BeginError(kScramMechanism, "n,,n=u,r=abc,x=ignored"), "00000");
}

TEST(Scram, ServerRefusesTamperedFinalMessages) {
  const auto finish = [](std::string message) {
    ScramServer server = Server();
    EXPECT_TRUE(server.Begin(kScramMechanism, kClientFirst).ok());
    const Result<std::string> last = server.Finish(message);
    EXPECT_FALSE(server.authenticated()) << message;
    return last.ok() ? std::string("refused") : std::string(last.status().code());
  };
  const std::string good(kClientFinal);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_EQ(finish(with("c=biws", "c=eSws")), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(with("c=biws,", "")), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(with("r=rO", "r=RO")), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(with("p=dH", "p=DH")), "refused");
  EXPECT_EQ(finish(with("VQ=", "VQ")), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(with(",p=", ",x=y,p=")), "refused");  // it is proved, too
  EXPECT_EQ(finish(with(",p=", ",1=y,p=")), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(good.substr(0, good.find(",p="))), sqlstate::kProtocolViolation);
  EXPECT_EQ(finish(""), sqlstate::kProtocolViolation);
  for (size_t length = 0; length < good.size(); ++length) finish(good.substr(0, length));
}

TEST(Scram, ClientRefusesServersThatDoNotKnowThePassword) {
  const auto final_for = [](std::string_view server_first) {
    return std::string(Client().Final(server_first).status().code());
  };
  const std::string good(kServerFirst);
  EXPECT_EQ(final_for(good), "00000");
  EXPECT_NE(final_for("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), "00000");
  // The server must add to the nonce.
  EXPECT_NE(final_for("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), "00000");
  for (const char* count : {"0", "-1", "", "x", "4096x", "99999999999", "2000000000"}) {
    EXPECT_NE(final_for(good.substr(0, good.size() - 4) + count), "00000") << count;
  }
  EXPECT_NE(final_for("r=rOprNGfwEbeRWgbNEkqOabc,s=,i=4096"), "00000");
  EXPECT_NE(final_for("r=rOprNGfwEbeRWgbNEkqOabc,s=*,i=4096"), "00000");
  ScramClient client = Client();
  EXPECT_TRUE(client.Final(kServerFirst).ok());
  EXPECT_FALSE(client.Verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").ok());
  EXPECT_FALSE(client.Verify("v=").ok());
  EXPECT_FALSE(client.Verify("e=other-error").ok());
  EXPECT_FALSE(client.Verify("").ok());
  EXPECT_FALSE(Client().Verify(kServerFinal).ok());  // before it has proved anything itself
}

TEST(ScramKeyCache, RemembersTheLastSalt) {
  ScramKeyCache cache;
  const engine::ScramKey key = cache.SaltedPassword("p", "salt", 3);
  EXPECT_EQ(key, engine::SaltedPassword("p", "salt", 3));
  EXPECT_EQ(key, cache.SaltedPassword("p", "salt", 3));
  EXPECT_EQ(cache.SaltedPassword("p", "salt", 4), engine::SaltedPassword("p", "salt", 4));
  EXPECT_EQ(cache.SaltedPassword("q", "salt", 4), engine::SaltedPassword("q", "salt", 4));
  EXPECT_EQ(cache.SaltedPassword("q", "other", 4), engine::SaltedPassword("q", "other", 4));
}

TEST(ScramNonce, IsFreshAndPrintable) {
  const std::string nonce = MakeScramNonce();
  EXPECT_EQ(nonce.size(), 24u);
  EXPECT_NE(nonce, MakeScramNonce());
}

}  // namespace
}  // namespace connbench::protocol
