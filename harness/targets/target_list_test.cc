#include "harness/targets/target_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::targets {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TargetName Find(const std::string& text) {
  auto name = FindTarget(text);
  EXPECT_TRUE(name.ok()) << name.status().ToString();
  return name.ok() ? *name : TargetName();
}

std::string ErrorOf(const std::string& text) {
  const auto name = FindTarget(text);
  EXPECT_FALSE(name.ok()) << text;
  return name.ok() ? "" : name.status().ToString();
}

TEST(TargetListTest, NamesSayWhatServesAndHowItAppears) {
  const TargetName model = Find("fork");
  EXPECT_EQ(model.target, "builtin");
  EXPECT_EQ(model.model, "fork");
  EXPECT_EQ(model.cell, "model:fork");
  EXPECT_THAT(model.parts, ElementsAre("builtin"));

  const TargetName postgres = Find("postgres");
  EXPECT_EQ(postgres.target, "postgres");
  EXPECT_EQ(postgres.model, "");
  EXPECT_EQ(postgres.cell, "target:postgres");

  const TargetName pooled = Find("pgbouncer+thread");
  EXPECT_EQ(pooled.target, "pgbouncer");
  EXPECT_EQ(pooled.model, "thread");
  EXPECT_EQ(pooled.cell, "target:pgbouncer+thread");
  EXPECT_THAT(pooled.parts, ElementsAre("builtin", "pgbouncer"));

  EXPECT_EQ(Find("pgbouncer+postgres").target, "pgbouncer+postgres");
  EXPECT_EQ(Find("pgbouncer+postgres").model, "");
}

TEST(TargetListTest, AConnectionStringIsReadAsLibpqDoes) {
  EXPECT_EQ(Find("dsn:host=10.0.0.7 port=6432 user=app dbname=shop").target,
            "dsn:shop@10.0.0.7:6432");
  EXPECT_EQ(Find("dsn:postgresql://app@10.0.0.7:6432/shop").target, "dsn:shop@10.0.0.7:6432");
  // No slash: it separates the axes in a cell's name.
  EXPECT_EQ(Find("dsn:host=/run/postgresql dbname=shop port=5433").target, "dsn:shop@socket:5433");
}

TEST(TargetListTest, WrongNamesAreAnsweredWithGoodOnes) {
  EXPECT_THAT(ErrorOf("postgre"), HasSubstr("\"postgres\""));
  EXPECT_THAT(ErrorOf("pgbouncer+forks"), HasSubstr("\"fork\""));
  EXPECT_THAT(ErrorOf("pgbouncer+pgbouncer+fork"), HasSubstr("in front of"));
  EXPECT_THAT(ErrorOf("pgbouncer+dsn:host=a"), HasSubstr("in front of"));
  EXPECT_THAT(ErrorOf("dsn:what is this"), HasSubstr("dsn:"));
  EXPECT_THAT(ErrorOf("dsn:host=a port=x"), HasSubstr("\"x\" is no port"));
  EXPECT_THAT(ErrorOf("dsn:host=a password=b"), HasSubstr("PGPASSWORD"));
  EXPECT_THAT(ErrorOf("dsn:host=a target_session_attrs=any"), HasSubstr("cannot be given"));
}

TEST(TargetListTest, SettingsGoToThePartsTheyConcern) {
  const Settings all = {{"shared_buffers", "64MB"},
                        {"session_warmup_kb", "1024"},
                        {"postgres.jit", "on"},
                        {"pgbouncer.pool_mode", "session"},
                        {"dsn.setup", "on"}};
  for (const auto& [name, value] : all) EXPECT_TRUE(CheckSetting(name, value).ok()) << name;
  const auto of = [&](const char* target) { return ConcernedSettings(Find(target).parts, all); };
  EXPECT_THAT(of("fork"),
              ElementsAre(Pair("shared_buffers", "64MB"), Pair("session_warmup_kb", "1024")));
  // PostgreSQL has no session_warmup_kb.
  EXPECT_THAT(of("postgres"),
              ElementsAre(Pair("shared_buffers", "64MB"), Pair("postgres.jit", "on")));
  EXPECT_THAT(of("pgbouncer+postgres"), Contains(Pair("pgbouncer.pool_mode", "session")));
  EXPECT_THAT(of("pgbouncer+fork"), Contains(Pair("session_warmup_kb", "1024")));
  EXPECT_THAT(of("dsn:host=a"), ElementsAre(Pair("dsn.setup", "on")));

  EXPECT_THAT(SettingsOfPart("postgres", all), ElementsAre(Pair("jit", "on")));
  EXPECT_THAT(PlainSettings(all),
              ElementsAre(Pair("shared_buffers", "64MB"), Pair("session_warmup_kb", "1024")));
}

TEST(TargetListTest, TheWayOfTheLoadIsTheHarnesss) {
  const Settings all = {{"transport", "unix"}, {"client_cpu_affinity", "0"}, {"cpu_affinity", "0"}};
  for (const auto& [name, value] : all) EXPECT_TRUE(CheckSetting(name, value).ok()) << name;
  const auto of = [&](const char* target) { return ConcernedSettings(Find(target).parts, all); };
  EXPECT_EQ(of("fork").size(), 3U);
  EXPECT_THAT(of("postgres"),
              ElementsAre(Pair("transport", "unix"), Pair("client_cpu_affinity", "0")));
  // PgBouncer has a way to each side.
  EXPECT_THAT(of("pgbouncer+fork"),
              ElementsAre(Pair("client_cpu_affinity", "0"), Pair("cpu_affinity", "0")));
  EXPECT_THAT(of("dsn:host=a"), ElementsAre(Pair("client_cpu_affinity", "0")));
  // No server is given what concerns the load alone.
  EXPECT_THAT(PlainSettings(all),
              ElementsAre(Pair("transport", "unix"), Pair("cpu_affinity", "0")));
  EXPECT_FALSE(CheckSetting("transport", "udp").ok());
  EXPECT_FALSE(CheckSetting("client_cpu_affinity", "0-1023").ok());
}

TEST(TargetListTest, SettingsThatNobodyHasAreRefused) {
  const auto refusal = [](const char* name, const char* value) {
    const Status status = CheckSetting(name, value);
    EXPECT_FALSE(status.ok()) << name;
    return status.ok() ? "" : status.ToString();
  };
  EXPECT_THAT(refusal("shared_bufers", "1MB"), HasSubstr("shared_buffers"));
  EXPECT_THAT(refusal("pgbounce.pool_mode", "session"), HasSubstr("\"pgbouncer\""));
  EXPECT_THAT(refusal("pgbouncer.pool_mod", "session"), HasSubstr("pool_mode"));
  EXPECT_THAT(refusal("pgbouncer.pool_mode", "sesion"), HasSubstr("session"));
  // It would be a second line of the configuration file.
  EXPECT_THAT(refusal("pgbouncer.server_reset_query", "x\nauth_type=any"), HasSubstr("one line"));
  EXPECT_THAT(refusal("postgres.work mem", "1MB"), HasSubstr("no name"));
  EXPECT_THAT(refusal("dsn.pid", "-1"), HasSubstr("number of a process"));
  EXPECT_THAT(refusal("dsn.setup", "perhaps"), HasSubstr("on or off"));
}

TEST(TargetListTest, EveryKindIsDescribed) {
  for (const TargetKind& kind : AllTargetKinds()) {
    EXPECT_FALSE(kind.form.empty());
    EXPECT_FALSE(kind.summary.empty()) << kind.form;
  }
  EXPECT_THAT(ConcernedSettings({}, {{"shared_buffers", "1MB"}}), IsEmpty());
}

}  // namespace
}  // namespace connbench::targets
