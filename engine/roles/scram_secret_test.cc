// Tests: what a server keeps of a password.
#include "engine/roles/scram_secret.h"

#include <gtest/gtest.h>

namespace connbench::engine {
namespace {

// RFC 7677, section 3: user "user", password "pencil".
constexpr std::string_view kSalt = "W22ZaJ0SNY7soEsUEjb6gQ==";
constexpr int kIterations = 4096;
// As PostgreSQL 15 stores that password with that salt.
constexpr std::string_view kPencil =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(ScramSecret, DerivesTheKeysOfTheRfc) {
  const ScramSecret secret = MakeScramSecret("pencil", *DecodeBase64(kSalt), kIterations);
  EXPECT_EQ(FormatScramSecret(secret), kPencil);
}

TEST(ScramSecret, DerivesFromPasswordsLongerThanABlock) {
  // Python: hashlib.pbkdf2_hmac("sha256", b"x" * 100, b"salt", 2).
  EXPECT_EQ(Base64(AsBytes(SaltedPassword(std::string(100, 'x'), "salt", 2))),
            "1DoYzXe6/BpLDGAl278px+bWeszmrQKnNtSjADtqPCY=");
}

TEST(ScramSecret, ReadsWhatItWrites) {
  const std::optional<ScramSecret> secret = ParseScramSecret(kPencil);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(secret->iterations, kIterations);
  EXPECT_EQ(Base64(secret->salt), kSalt);
  EXPECT_EQ(FormatScramSecret(*secret), kPencil);
}

TEST(ScramSecret, RefusesOtherForms) {
  const std::string good(kPencil);
  for (const std::string& bad :
       {std::string(), std::string("pencil"), std::string("SCRAM-SHA-256$"),
        std::string("SCRAM-SHA-1") + good.substr(13), good.substr(0, good.size() - 1), good + "A",
        "SCRAM-SHA-256$0" + good.substr(18), "SCRAM-SHA-256$-1" + good.substr(18),
        "SCRAM-SHA-256$99999999999" + good.substr(18), "SCRAM-SHA-256$4096" + good.substr(19)}) {
    EXPECT_FALSE(ParseScramSecret(bad).has_value()) << bad;
  }
}

TEST(ScramSecret, Base64IsCanonical) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(DecodeBase64(""), "");
  EXPECT_EQ(Base64("a"), "YQ==");
  EXPECT_EQ(DecodeBase64("YQ=="), "a");
  EXPECT_EQ(DecodeBase64("YWI="), "ab");
  EXPECT_EQ(DecodeBase64("YWJj"), "abc");
  for (const char* bad :
       {"Y", "YQ", "YQ=", "YR==", " YQ==", "YQ==\n", "====", "Y===", "YQ==YQ==", "YQ\n=", "Y*=="}) {
    EXPECT_EQ(DecodeBase64(bad), std::nullopt) << bad;
  }
}

TEST(StoredPassword, HashesClearOnesAndKeepsHashedOnes) {
  EXPECT_EQ(StoredPassword(kPencil, kIterations), kPencil);
  const std::string md5 = "md5a3556571e93b0d20722ba62be61e8c2d";
  EXPECT_EQ(StoredPassword(md5, kIterations), md5);
  const std::string once = StoredPassword("pencil", 10);
  EXPECT_NE(once, StoredPassword("pencil", 10));  // another salt
  ASSERT_TRUE(ParseScramSecret(once).has_value());
  EXPECT_EQ(ParseScramSecret(once)->iterations, 10);
}

TEST(StoredPassword, MatchesItsPasswordOnly) {
  EXPECT_TRUE(PasswordMatches("user", "pencil", kPencil));
  EXPECT_FALSE(PasswordMatches("user", "pencil ", kPencil));
  EXPECT_FALSE(PasswordMatches("user", "", kPencil));
  // md5("pencil" "user"), as PostgreSQL stores it.
  const std::string md5 = "md520c46e3762c864548e296b33c3406aa9";
  EXPECT_TRUE(PasswordMatches("user", "pencil", md5));
  EXPECT_FALSE(PasswordMatches("other", "pencil", md5));
  EXPECT_FALSE(PasswordMatches("user", "pencil", "pencil"));
}

}  // namespace
}  // namespace connbench::engine
