// What is wrong with the files and words that say how clients log in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "protocol/client_session.h"
#include "protocol/self_signed_certificate.h"
#include "protocol/server_security.h"
#include "protocol/testing/login_files.h"

namespace connbench::protocol {
namespace {

using testing::HasSubstr;

TEST(ServerSecurity, SaysWhatIsWrongWithItsFiles) {
  const auto error = [](SecuritySettings settings) {
    const auto loaded = ServerSecurity::Load(settings);
    return loaded.ok() ? std::string("ok") : loaded.status().ToString();
  };
  EXPECT_EQ(error({}), "ok");
  EXPECT_THAT(error({.hba_file = "/nonexistent"}), HasSubstr("/nonexistent"));
  EXPECT_THAT(error({.ssl = true}), HasSubstr("ssl_cert_file"));
  EXPECT_THAT(error(files().Settings("hostssl all all all trust", false)),
              HasSubstr("pg_hba.conf:1:1: hostssl record cannot match because SSL is disabled"));
  SecuritySettings settings = files().Settings(kTrust, true);
  EXPECT_EQ(error(settings), "ok");
  settings.ssl_cert_file = settings.hba_file;
  EXPECT_THAT(error(settings), HasSubstr("could not load server certificate file"));
  settings = files().Settings(kTrust, true);
  settings.ssl_key_file += ".missing";
  EXPECT_THAT(error(settings), HasSubstr("could not access private key file"));
  const std::string open_key = files().key() + ".open";
  std::filesystem::copy_file(files().key(), open_key);
  std::filesystem::permissions(open_key, std::filesystem::perms(0644));
  settings.ssl_key_file = open_key;
  EXPECT_THAT(error(settings), HasSubstr("has group or world access"));
  const auto other = MakeSelfSignedCertificate();
  ASSERT_TRUE(other.ok());
  std::filesystem::permissions(open_key, std::filesystem::perms(0600));
  std::ofstream(open_key) << other->key_pem;
  EXPECT_THAT(error(settings), HasSubstr(open_key));
  std::filesystem::remove(open_key);
}

TEST(ClientSecurity, KnowsLibpqsWords) {
  const auto error = [](ClientSecurityOptions options) {
    const auto made = ClientSecurity::Make(options);
    return made.ok() ? std::string("ok") : made.status().ToString();
  };
  EXPECT_EQ(error({}), "ok");
  EXPECT_THAT(error({.sslmode = "allow"}), HasSubstr("invalid sslmode value: \"allow\""));
  EXPECT_THAT(error({.sslmode = "verify-full"}), HasSubstr("PGSSLROOTCERT"));
  EXPECT_THAT(error({.sslmode = "verify-ca", .sslrootcert = "/nonexistent"}),
              HasSubstr("/nonexistent"));
  EXPECT_THAT(error({.channel_binding = "maybe"}), HasSubstr("invalid channel_binding value"));
}

}  // namespace
}  // namespace connbench::protocol
