// Tests: the kinds of target there are, made from targets.def, and targets by their name.
#include "harness/targets/target_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

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

// A folder with programs of these names.
class ProgramFolder {
 public:
  explicit ProgramFolder(std::initializer_list<const char*> programs) {
    std::string path = (fs::temp_directory_path() / "connbench-test.XXXXXX").string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
    for (const char* program : programs) {
      std::ofstream(path_ + "/" + program) << "#!/bin/false\n";
      fs::permissions(path_ + "/" + program, fs::perms::owner_all);
    }
  }
  ~ProgramFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ProgramFolder(const ProgramFolder&) = delete;
  ProgramFolder& operator=(const ProgramFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string ErrorOfName(const std::string& text) {
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

TEST(TargetListTest, OtherBuildsAndProgramsAreNamedByTheirFolder) {
  const ProgramFolder folder({"connbench-serve", "initdb", "postgres", "pg+bouncer"});
  const std::string label = CellText(folder.path());
  const TargetName build = Find("build:" + folder.path() + "/fork");
  EXPECT_EQ(build.model, "fork");
  EXPECT_EQ(build.target, "build:" + label);
  EXPECT_EQ(build.cell, "model:build:" + label + "_fork");
  EXPECT_THAT(build.parts, ElementsAre("builtin"));
  EXPECT_EQ(Find("postgres:" + folder.path()).target, "postgres:" + label);

  const TargetName pooled =
      Find("pgbouncer:" + folder.path() + "/pg+bouncer+postgres:" + folder.path());
  EXPECT_EQ(pooled.target, "pgbouncer:" + label + "_pg+bouncer+postgres:" + label);
  EXPECT_THAT(pooled.parts, ElementsAre("postgres", "pgbouncer"));
  EXPECT_EQ(Find("pgbouncer+build:" + folder.path() + "/fork").model, "fork");

  EXPECT_THAT(ErrorOfName("build:/nowhere/fork"), HasSubstr("/nowhere/build/release/harness"));
  EXPECT_THAT(ErrorOfName("build:fork"), HasSubstr("build:DIR/MODEL"));
  EXPECT_THAT(ErrorOfName("postgres:/nowhere"), HasSubstr("/nowhere/initdb"));
  EXPECT_THAT(ErrorOfName("pgbouncer:/nowhere/pgbouncer+fork"), HasSubstr("no program"));
}

TEST(TargetListTest, WrongNamesAreAnsweredWithGoodOnes) {
  EXPECT_THAT(ErrorOfName("postgre"), HasSubstr("\"postgres\""));
  EXPECT_THAT(ErrorOfName("pgbouncer+forks"), HasSubstr("\"fork\""));
  EXPECT_THAT(ErrorOfName("pgbouncer+pgbouncer+fork"), HasSubstr("in front of"));
  EXPECT_THAT(ErrorOfName("pgbouncer+dsn:host=a"), HasSubstr("in front of"));
  EXPECT_THAT(ErrorOfName("dsn:what is this"), HasSubstr("dsn:"));
  EXPECT_THAT(ErrorOfName("dsn:host=a port=x"),
              HasSubstr("\"x\" is not a whole number from 1 to 65535"));
  EXPECT_THAT(ErrorOfName("dsn:host=a password=b"), HasSubstr("PGPASSWORD"));
  EXPECT_THAT(ErrorOfName("dsn:host=a target_session_attrs=any"), HasSubstr("cannot be given"));
}

TEST(TargetListTest, SettingsGoToThePartsTheyConcern) {
  const Settings all = {{"shared_buffers", "64MB"},
                        {"session_warmup_kb", "1024"},
                        {"postgres.jit", "on"},
                        {"pgbouncer.pool_mode", "session"},
                        {"pgbouncer.pool.connect_query", "select 1"},
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

TEST(TargetListTest, ValuesThatAreWrittenDifferentlyMeanTheSame) {
  EXPECT_EQ(MeaningOf("work_mem", "1MB"), MeaningOf("work_mem", "1024kB"));
  EXPECT_NE(MeaningOf("work_mem", "1MB"), MeaningOf("work_mem", "2MB"));
  EXPECT_NE(MeaningOf("postgres.work_mem", "1MB"), MeaningOf("postgres.work_mem", "2MB"));
}

TEST(TargetListTest, SettingsThatNobodyHasAreRefused) {
  const auto refusal = [](const char* name, const char* value) {
    const Status status = CheckSetting(name, value);
    EXPECT_FALSE(status.ok()) << name;
    return status.ok() ? "" : status.ToString();
  };
  EXPECT_THAT(refusal("shared_bufers", "1MB"), HasSubstr("shared_buffers"));
  EXPECT_THAT(refusal("pgbounce.pool_mode", "session"), HasSubstr("\"pgbouncer\""));
  EXPECT_THAT(refusal("pgbouncer.listen_port", "1"), HasSubstr("set by the harness"));
  EXPECT_THAT(refusal("pgbouncer.pool.host", "db1"), HasSubstr("set by the harness"));
  EXPECT_THAT(refusal("pgbouncer.pool mode", "session"), HasSubstr("no name"));
  EXPECT_THAT(refusal("pgbouncer.pool.nosuch", "1"), HasSubstr("a pool of PgBouncer has no"));
  EXPECT_THAT(refusal("pgbouncer.pool.pool_sise", "1"), HasSubstr("pool_size"));
  EXPECT_THAT(refusal("pgbouncer.pool.pool_mode", "sesion"), HasSubstr("session"));
  for (const char* own :
       {"postgres.port", "postgres.listen_addresses", "postgres.data_directory"}) {
    EXPECT_THAT(refusal(own, "1"), HasSubstr("set by the harness")) << own;
  }
  EXPECT_THAT(refusal("postgres.max_connections", "5"), HasSubstr("without a prefix"));
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
