// For tests of logging in: a folder with a certificate, and rules to serve by.
//
// Safety: test code; the folder lasts as long as the process.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "protocol/self_signed_certificate.h"
#include "protocol/server_security.h"

namespace connbench::protocol {

// Made once for all tests of a program.
class LoginFiles {
 public:
  LoginFiles()
      : folder_(::testing::TempDir() + "connbench_login_test." + std::to_string(getpid())) {
    std::filesystem::create_directory(folder_);
    EXPECT_TRUE(WriteSelfSignedCertificate(folder_).ok());
  }
  ~LoginFiles() { std::filesystem::remove_all(folder_); }

  std::string certificate() const { return folder_ + "/server.crt"; }
  std::string key() const { return folder_ + "/server.key"; }

  SecuritySettings Settings(const std::string& rules, bool ssl) const {
    const std::string path = folder_ + "/pg_hba.conf";
    std::ofstream(path) << rules;
    return {.hba_file = path,
            .ssl = ssl,
            .ssl_cert_file = certificate(),
            .ssl_key_file = key(),
            .auth_delay_ms = 0};
  }

 private:
  const std::string folder_;
};

inline const LoginFiles& files() {
  static const LoginFiles made;
  return made;
}

inline constexpr const char* kTrust = "host all all all trust";
inline constexpr const char* kPassword = "host all all all password";
inline constexpr const char* kScram = "host all all all scram-sha-256";

}  // namespace connbench::protocol
