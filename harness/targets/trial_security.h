// `authentication` and `ssl` as settings of a trial, so that what they cost can be an axis: makes
// the rules file, the password and the certificate that a server needs for them, and tells the load
// how to answer. Our own models and PostgreSQL take the same settings for it (hba_file, ssl,
// ssl_cert_file, ssl_key_file).
//
// Safety: one thread; the files live as long as the object. Errors: 22023 for what contradicts
// itself, 58000 for files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "harness/load/endpoint.h"
#include "harness/targets/server_folder.h"
#include "harness/targets/target.h"

namespace connbench::targets {

inline constexpr std::string_view kAuthenticationSetting = "authentication";

// trust, password, scram-sha-256; 22023 otherwise.
Status CheckAuthentication(std::string_view value);

// Random, from the system's generator: 128 bits in letters and digits.
std::string MakePassword();

class TrialSecurity {
 public:
  // Takes `authentication` out of settings, adds what the server needs instead, and gives the
  // endpoint the password and sslmode. password: what user postgres has or will have; owner: who
  // the server runs as, if not as we do.
  Status Apply(const std::string& password, const std::optional<UserIds>& owner, Settings& settings,
               load::Endpoint& endpoint);
  // Holding the password, once Apply() has asked for one; empty otherwise.
  std::string password_file() const { return has_password_ ? folder_.Path("password") : ""; }

 private:
  Status WriteFile(const std::string& name, const std::string& text,
                   const std::optional<UserIds>& owner) const;

  ServerFolder folder_;
  bool has_password_ = false;
};

}  // namespace connbench::targets
