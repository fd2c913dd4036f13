// `authentication` and `ssl` as settings of a trial, so that what they cost can be an axis.
#include "harness/targets/trial_security.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/roles/scram_secret.h"
#include "harness/targets/target_list.h"
#include "protocol/self_signed_certificate.h"

namespace connbench::targets {
namespace {

constexpr std::string_view kMethods[] = {"trust", "password", "scram-sha-256"};
constexpr size_t kPasswordBytes = 16;

Status GiveTo(const std::string& path, const std::optional<UserIds>& owner) {
  if (!owner || ::chown(path.c_str(), owner->user, owner->group) == 0) return Status::Ok();
  return Status::System("cannot give " + path + " to the server's user", errno);
}

}  // namespace

Status CheckAuthentication(std::string_view value) {
  if (std::find(std::begin(kMethods), std::end(kMethods), value) != std::end(kMethods)) {
    return Status::Ok();
  }
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("invalid value for parameter \"{}\": \"{}\"",
                                   kAuthenticationSetting, value))
      .WithHint(fmt::format("Expected one of {}.", fmt::join(kMethods, ", ")));
}

std::string MakePassword() {
  unsigned char random[kPasswordBytes];
  engine::FillRandom(random, sizeof random);
  return fmt::format("{:02x}", fmt::join(random, ""));
}

Status TrialSecurity::WriteFile(const std::string& name, const std::string& text,
                                const std::optional<UserIds>& owner) const {
  const std::string path = folder_.Path(name);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Status::System("cannot create " + path, errno);
  const ssize_t written = ::write(fd, text.data(), text.size());
  const int error = errno;
  ::close(fd);
  if (written != static_cast<ssize_t>(text.size())) {
    return Status::System("cannot write " + path, error);
  }
  return GiveTo(path, owner);
}

Status TrialSecurity::Apply(const std::string& password, const std::optional<UserIds>& owner,
                            Settings& settings, load::Endpoint& endpoint) {
  const std::string method = ValueOf(settings, kAuthenticationSetting);
  std::erase_if(settings,
                [](const auto& setting) { return setting.first == kAuthenticationSetting; });
  const bool proves = !method.empty() && method != "trust";
  // As the server reads a switch.
  const std::string ssl = ValueOf(settings, "ssl");
  const bool encrypts = ssl == "on" || ssl == "true" || ssl == "yes" || ssl == "1";
  const bool needs_certificate = encrypts && ValueOf(settings, "ssl_cert_file").empty();
  if (proves && !ValueOf(settings, "hba_file").empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "authentication and hba_file contradict each other")
        .WithHint("authentication writes a rules file of its own: set one of the two.");
  }
  endpoint.sslmode = encrypts ? "require" : "disable";
  has_password_ = proves;
  if (proves || needs_certificate) {
    CONNBENCH_ASSIGN_OR_RETURN(folder_, ServerFolder::Make("", owner));
  }
  if (proves) {
    CONNBENCH_RETURN_IF_ERROR(WriteFile("password", password + "\n", owner));
    CONNBENCH_RETURN_IF_ERROR(WriteFile(
        "pg_hba.conf", fmt::format("local all all {0}\nhost all all all {0}\n", method), owner));
    settings.emplace_back("hba_file", folder_.Path("pg_hba.conf"));
    endpoint.password = password;
  }
  if (needs_certificate) {
    CONNBENCH_RETURN_IF_ERROR(protocol::WriteSelfSignedCertificate(folder_.path()));
    for (const char* name : {"server.crt", "server.key"}) {
      CONNBENCH_RETURN_IF_ERROR(GiveTo(folder_.Path(name), owner));
    }
    settings.emplace_back("ssl_cert_file", folder_.Path("server.crt"));
    settings.emplace_back("ssl_key_file", folder_.Path("server.key"));
  }
  return Status::Ok();
}

}  // namespace connbench::targets
