// How a client proves who it is and whether it encrypts: libpq's password, sslmode, sslrootcert and
// channel_binding, read once and shared by all connections of a load.
//
// Safety: immutable once made but for the key cache, which locks itself; any thread.
// Errors: 22023 names the option and its values; F0000 for a root certificate that cannot be read.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "protocol/scram.h"
#include "protocol/tls.h"

namespace connbench::protocol {

// As libpq has them; defaults as there but for sslmode, which is "prefer" there and costs a round
// trip.
struct ClientSecurityOptions {
  std::string password{};
  std::string sslmode = "disable";  // disable, prefer, require, verify-ca, verify-full
  std::string sslrootcert{};
  std::string channel_binding = "prefer";  // disable, prefer, require
  std::string host{};                      // whose name verify-full wants to see
};

class ClientSecurity {
 public:
  enum class Encrypt : uint8_t { kNever, kIfOffered, kAlways };
  enum class Bind : uint8_t { kNever, kIfOffered, kAlways };

  static Result<std::shared_ptr<ClientSecurity>> Make(const ClientSecurityOptions& options);

  Encrypt encrypt() const { return encrypt_; }
  Bind bind() const { return bind_; }
  const std::string& password() const { return options_.password; }
  const std::string& host() const { return options_.host; }
  // Null if encrypt() is kNever.
  const TlsContext* tls() const { return tls_ ? &*tls_ : nullptr; }
  ScramKeyCache& keys() { return keys_; }

 private:
  explicit ClientSecurity(const ClientSecurityOptions& options) : options_(options) {}

  const ClientSecurityOptions options_;
  Encrypt encrypt_ = Encrypt::kNever;
  Bind bind_ = Bind::kIfOffered;
  std::optional<TlsContext> tls_;
  ScramKeyCache keys_;
};

}  // namespace connbench::protocol
