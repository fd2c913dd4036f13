// What a server demands of its clients, the same for all connections: the rules file and the
// certificate. The supervisor loads it once, before the model starts; every session gets it with
// its ClientOrigin.
//
// Safety: immutable once loaded; any thread, and processes forked afterwards.
// Errors: F0000 with file, line and column; 58000 for a file that cannot be read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "protocol/hba_rules.h"
#include "protocol/tls.h"

namespace connbench::protocol {

struct SecuritySettings {
  std::string hba_file{};  // empty: everybody is trusted
  bool ssl = false;
  std::string ssl_cert_file{};
  std::string ssl_key_file{};
  // Before a client hears that its password is wrong: who guesses, waits.
  int64_t auth_delay_ms = 200;
};

class ServerSecurity {
 public:
  static Result<std::unique_ptr<const ServerSecurity>> Load(const SecuritySettings& settings);

  const HbaRules& rules() const { return rules_; }
  int64_t auth_delay_ms() const { return auth_delay_ms_; }
  // Null if there is no TLS.
  const TlsContext* tls() const { return tls_ ? &*tls_ : nullptr; }

 private:
  explicit ServerSecurity(HbaRules rules) : rules_(std::move(rules)) {}

  HbaRules rules_;
  std::optional<TlsContext> tls_;
  int64_t auth_delay_ms_ = 0;
};

// 28000 if the rules trust whoever comes from another machine: to be asked before listening on an
// address that such a one can reach.
Status CheckListenBeyondLoopback(const HbaRules& rules, const std::string& address);

// Where a connection comes from, and what is demanded of it.
struct ClientOrigin {
  std::string name{};                  // "127.0.0.1:40000" or "local", for people
  std::optional<IpAddress> address{};  // none: a Unix socket
  // Outlives the session. Null: trust, and no TLS.
  const ServerSecurity* security = nullptr;
  // Where failed logins are told; null: nowhere.
  void (*log)(std::string_view line) = nullptr;
};

}  // namespace connbench::protocol
