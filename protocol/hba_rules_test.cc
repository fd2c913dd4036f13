// Tests: who may connect from where, and how they prove who they are.
#include "protocol/hba_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::protocol {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

HbaRules Parse(std::string_view text) {
  Result<HbaRules> rules = HbaRules::Parse(text, "rules.conf");
  EXPECT_TRUE(rules.ok()) << rules.status().ToString();
  return rules.ok() ? std::move(*rules) : HbaRules::TrustAll();
}

std::string ErrorOf(std::string_view text) {
  const Result<HbaRules> rules = HbaRules::Parse(text, "rules.conf");
  if (rules.ok()) return "ok";
  EXPECT_EQ(rules.status().code(), sqlstate::kConfigFileError);
  return rules.status().error().message;
}

// The line of the rule that fits; 0: none.
int LineFor(const HbaRules& rules, std::string_view address, bool encrypted,
            std::string_view user = "u", std::string_view database = "d") {
  HbaRequest request{.address = IpAddress::Parse(address),
                     .encrypted = encrypted,
                     .database = database,
                     .user = user};
  const HbaRule* rule = rules.Find(request);
  return rule == nullptr ? 0 : rule->line;
}

TEST(HbaRules, TheFirstThatFitsDecides) {
  const HbaRules rules = Parse(
      "# TYPE DATABASE USER ADDRESS METHOD\n"
      "local   all  all                 trust\n"
      "\n"
      "host    all  bad 10.0.0.0/8      reject   # not this one\n"
      "hostssl shop all 10.0.0.0/8      scram-sha-256\n"
      "hostnossl all all 10.1.0.0 255.255.0.0 password\n"
      "host    \\\n  all all ::1/128 trust\n");
  ASSERT_EQ(rules.rules().size(), 5u);
  EXPECT_EQ(LineFor(rules, "", false), 2);
  EXPECT_EQ(LineFor(rules, "10.9.9.9", true, "bad", "shop"), 4);
  EXPECT_EQ(LineFor(rules, "10.9.9.9", true, "u", "shop"), 5);
  EXPECT_EQ(LineFor(rules, "10.9.9.9", false, "u", "shop"), 0);
  EXPECT_EQ(LineFor(rules, "10.1.255.255", false, "u", "shop"), 6);
  EXPECT_EQ(LineFor(rules, "10.2.0.0", false, "u", "shop"), 0);
  EXPECT_EQ(LineFor(rules, "::1", true), 7);
  EXPECT_EQ(LineFor(rules, "::2", true), 0);
  EXPECT_EQ(rules.rules()[2].method, AuthMethod::kScram);
}

TEST(HbaRules, ComparesAddressesBitByBit) {
  EXPECT_EQ(LineFor(Parse("host all all 192.168.7.128/25 trust"), "192.168.7.127", false), 0);
  EXPECT_EQ(LineFor(Parse("host all all 192.168.7.128/25 trust"), "192.168.7.255", false), 1);
  EXPECT_EQ(LineFor(Parse("host all all 0.0.0.0/0 trust"), "1.2.3.4", false), 1);
  EXPECT_EQ(LineFor(Parse("host all all 0.0.0.0/0 trust"), "::1", false), 0);
  EXPECT_EQ(LineFor(Parse("host all all all trust"), "::1", false), 1);
  EXPECT_EQ(LineFor(Parse("host all all fe80::/10 trust"), "febf::1", false), 1);
  EXPECT_EQ(LineFor(Parse("host all all fe80::/10 trust"), "fec0::1", false), 0);
  EXPECT_EQ(LineFor(Parse("host all all ::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff trust"), "::1",
                    false),
            1);
}

TEST(HbaRules, KnowsNamesListsAndKeywords) {
  const HbaRules rules = Parse(
      "host a,b, c  x,\"y z\" all trust\nhost sameuser all all password\n"
      "host \"all\" \"all\" all reject");
  EXPECT_EQ(LineFor(rules, "1.1.1.1", false, "x", "b"), 1);
  EXPECT_EQ(LineFor(rules, "1.1.1.1", false, "y z", "c"), 1);
  EXPECT_EQ(LineFor(rules, "1.1.1.1", false, "y", "c"), 0);
  EXPECT_EQ(LineFor(rules, "1.1.1.1", false, "me", "me"), 2);
  EXPECT_EQ(LineFor(rules, "1.1.1.1", false, "me", "you"), 0);
  // Quoted, a keyword is a name.
  EXPECT_EQ(LineFor(Parse("host \"all\" \"all\" all trust"), "1.1.1.1", false, "u", "d"), 0);
  EXPECT_EQ(LineFor(Parse("host \"all\" \"all\" all trust"), "1.1.1.1", false, "all", "all"), 1);
}

TEST(HbaRules, SaysWhereAFileIsWrong) {
  EXPECT_THAT(ErrorOf("\n  remote all all trust"),
              StartsWith("rules.conf:2:3: invalid connection type \"remote\""));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1/33 trust"),
              StartsWith("rules.conf:1:14: invalid CIDR mask in address \"127.0.0.1/33\""));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1/-1 trust"), HasSubstr("invalid CIDR mask"));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1/8x trust"), HasSubstr("invalid CIDR mask"));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1/ trust"), HasSubstr("invalid CIDR mask"));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1 255.0.255.0 trust"),
              StartsWith("rules.conf:1:24: invalid IP mask \"255.0.255.0\""));
  EXPECT_THAT(ErrorOf("host all all 127.0.0.1 ffff:: trust"), HasSubstr("do not match"));
  EXPECT_THAT(ErrorOf("host all all example.org trust"), HasSubstr("invalid IP address"));
  EXPECT_THAT(ErrorOf("host all all samehost trust"), HasSubstr("invalid IP address"));
  EXPECT_THAT(ErrorOf("host all all all md5"),
              StartsWith("rules.conf:1:18: invalid authentication method \"md5\""));
  EXPECT_THAT(ErrorOf("host all all all scram-sha-256 map=x"),
              HasSubstr("options are not supported"));
  EXPECT_THAT(ErrorOf("host all +admins all trust"), HasSubstr("\"+admins\" is not supported"));
  EXPECT_THAT(ErrorOf("host @dbs all all trust"), HasSubstr("\"@dbs\" is not supported"));
  EXPECT_THAT(ErrorOf("host replication all all trust"), HasSubstr("is not supported"));
  EXPECT_THAT(ErrorOf("host"), HasSubstr("1:1: end-of-line before database specification"));
  EXPECT_THAT(ErrorOf("host all"), HasSubstr("end-of-line before user specification"));
  EXPECT_THAT(ErrorOf("host all all"), HasSubstr("end-of-line before IP address specification"));
  EXPECT_THAT(ErrorOf("host all all 1.2.3.4"), HasSubstr("end-of-line before netmask"));
  EXPECT_THAT(ErrorOf("host all all all"),
              HasSubstr("end-of-line before authentication method specification"));
  EXPECT_THAT(ErrorOf("host \"all all all trust"), HasSubstr("1:6: the closing quote is missing"));
  EXPECT_THAT(ErrorOf("host all,, all all trust"), HasSubstr("a name is missing"));
  EXPECT_THAT(ErrorOf("host all " + std::string(64, 'x') + " all trust"), HasSubstr("63 bytes"));
  EXPECT_THAT(ErrorOf("# nothing\n"), HasSubstr("nobody could connect"));
  EXPECT_THAT(ErrorOf(std::string_view("host all a\0b all trust", 22)), HasSubstr("a zero byte"));
}

TEST(HbaRules, FindsTrustThatReachesBeyondThisMachine) {
  EXPECT_EQ(HbaRules::TrustAll().TrustBeyondLoopback(), ":0");
  EXPECT_EQ(
      Parse("local all all trust\nhost all all 127.0.0.0/8 trust\nhost all all ::1/128 trust\n"
            "host all all all scram-sha-256")
          .TrustBeyondLoopback(),
      "");
  for (const char* wide : {"host all all 126.0.0.0/7 trust", "host all all all trust",
                           "hostssl all all 10.0.0.1/32 trust", "host all all ::/0 trust"}) {
    EXPECT_EQ(Parse(wide).TrustBeyondLoopback(), "rules.conf:1") << wide;
  }
}

}  // namespace
}  // namespace connbench::protocol
