// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, as pure state machines: a message in, a message
// out. What travels in SASLInitialResponse, AuthenticationSASLContinue, SASLResponse and
// AuthenticationSASLFinal goes through here as text.
//
// Server: a user who does not exist, or has no usable secret, gets a doomed exchange that looks
// like any other, with a salt that stays the same for the name, so that names do not leak.
//
// Safety: private memory of one connection; nothing shared but ScramKeyCache, which any thread may
// use. Hostile peers: messages are bounded by the caller (kMaxSaslMessageBytes), numbers are
// checked, nothing is read past the text.
//
// Errors: Status as PostgreSQL words it: 08P01 for a malformed message, 28P01 from the server's
// caller when the exchange ends without authenticated().
//
// Sources: RFC 5802, RFC 7677, RFC 5929; PostgreSQL 15, auth-scram.c and fe-auth-scram.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/status.h"
#include "engine/roles/scram_secret.h"

namespace connbench::protocol {

inline constexpr std::string_view kScramMechanism = "SCRAM-SHA-256";
inline constexpr std::string_view kScramPlusMechanism = "SCRAM-SHA-256-PLUS";

// 18 random bytes in base64, as PostgreSQL's.
std::string MakeScramNonce();

class ScramServer {
 public:
  // secret: null for a doomed exchange. end_point: the hash of the server's certificate
  // (tls-server-end-point) when the connection is encrypted and SCRAM-SHA-256-PLUS was offered;
  // empty otherwise. nonce: the server's half, fresh.
  ScramServer(const std::optional<engine::ScramSecret>& secret, const engine::ScramSecret& mock,
              std::string end_point, std::string nonce);

  // client-first-message; returns server-first-message.
  Result<std::string> Begin(std::string_view mechanism, std::string_view client_first);
  // client-final-message; returns server-final-message, or "" if the proof is wrong.
  Result<std::string> Finish(std::string_view client_final);
  bool authenticated() const { return authenticated_; }

 private:
  Status ReadChannelBinding(std::string_view mechanism, std::string_view& text);

  engine::ScramSecret secret_;
  bool doomed_;
  bool authenticated_ = false;
  std::string end_point_;
  std::string nonce_;       // the server's half, then both
  std::string gs2_header_;  // "n,,", "y,," or "p=tls-server-end-point,,"
  bool binds_ = false;
  std::string auth_message_;  // client-first-message-bare "," server-first-message
};

// The secret that a doomed exchange shows for a name: the same one every time, told apart from a
// real one by nobody who does not know mock_nonce.
engine::ScramSecret MockScramSecret(std::string_view user, std::string_view mock_nonce,
                                    int iterations);

// Remembers the slow derivation of the last salt: thousands of connections of one load share user
// and password, and RFC 5802 lets a client keep the result. Thread-safe.
class ScramKeyCache {
 public:
  engine::ScramKey SaltedPassword(std::string_view password, std::string_view salt, int iterations);

 private:
  Mutex mutex_;
  bool filled_ CONNBENCH_GUARDED_BY(mutex_) = false;
  std::string password_ CONNBENCH_GUARDED_BY(mutex_);
  std::string salt_ CONNBENCH_GUARDED_BY(mutex_);
  int iterations_ CONNBENCH_GUARDED_BY(mutex_) = 0;
  engine::ScramKey key_ CONNBENCH_GUARDED_BY(mutex_){};
};

class ScramClient {
 public:
  // end_point: not empty to bind the channel (SCRAM-SHA-256-PLUS). could_bind: the connection is
  // encrypted but the server did not offer PLUS; said so, that a meddler between may not hide it.
  // PostgreSQL takes the user from the startup packet; user is for other servers.
  ScramClient(std::string password, std::string end_point, bool could_bind, std::string nonce,
              ScramKeyCache* cache, std::string_view user = {});

  std::string_view mechanism() const {
    return end_point_.empty() ? kScramMechanism : kScramPlusMechanism;
  }
  std::string First();
  // server-first-message; returns client-final-message.
  Result<std::string> Final(std::string_view server_first);
  // server-final-message: 28000 unless the server has proved that it knows the password, too.
  Status Verify(std::string_view server_final);

 private:
  std::string password_;
  std::string end_point_;
  std::string nonce_;
  ScramKeyCache* cache_;
  std::string gs2_header_;
  std::string first_bare_;
  std::string auth_message_;
  engine::ScramKey salted_{};
};

}  // namespace connbench::protocol
