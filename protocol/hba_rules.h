// Who may connect from where, and how they prove who they are: rules in the form of PostgreSQL's
// pg_hba.conf. The first rule that fits decides; when none fits nobody gets in.
//
//   TYPE     local | host | hostssl | hostnossl
//   DATABASE all | sameuser | name, with commas between several
//   USER     all | name, with commas between several
//   ADDRESS  all | 127.0.0.0/8 | ::1/128 | 127.0.0.1 255.255.255.255        (not for local)
//   METHOD   trust | reject | password | scram-sha-256
//
// A name or keyword in double quotes is a name. "#" begins a comment, a backslash at the end of a
// line goes on in the next one. What PostgreSQL has beyond this (host names, samehost, samenet,
// roles with "+", files with "@", other methods, options) is an error, not a rule that never fits.
//
// Safety: pure functions, and a value that does not change once it is made; any thread.
// Errors: F0000, "<file>:<line>:<column>: ..." with what was expected.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace connbench::protocol {

struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // the first 4 of an IPv4 address

  static std::optional<IpAddress> Parse(std::string_view text);
  std::string ToString() const;
  bool is_loopback() const;
};

enum class AuthMethod : uint8_t { kTrust, kReject, kPassword, kScram };

// What a client says, and where it is.
struct HbaRequest {
  std::optional<IpAddress> address;  // none: a Unix socket
  bool encrypted = false;
  std::string_view database;
  std::string_view user;
};

struct HbaRule {
  enum class Type : uint8_t { kLocal, kHost, kHostSsl, kHostNoSsl };
  struct Name {
    std::string text;
    bool quoted = false;
  };
  Type type = Type::kLocal;
  std::vector<Name> databases;
  std::vector<Name> users;
  bool any_address = false;
  IpAddress network;
  int prefix_bits = 0;
  AuthMethod method = AuthMethod::kReject;
  int line = 0;

  bool Fits(const HbaRequest& request) const;
};

class HbaRules {
 public:
  // Everybody, without proof: what holds while there is no file.
  static HbaRules TrustAll();
  // file is for messages.
  static Result<HbaRules> Parse(std::string_view text, const std::string& file);

  // Null if none fits.
  const HbaRule* Find(const HbaRequest& request) const;
  // "<file>:<line>" of a rule that trusts clients of other machines; "" if there is none.
  std::string TrustBeyondLoopback() const;
  const std::vector<HbaRule>& rules() const { return rules_; }

 private:
  std::string file_;
  std::vector<HbaRule> rules_;
};

}  // namespace connbench::protocol
