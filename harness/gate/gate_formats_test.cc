// Tests: every format of `connbench gate --format`, of gates that end in every way.
#include <Poco/AutoPtr.h>
#include <Poco/DOM/DOMParser.h>
#include <Poco/DOM/Document.h>
#include <Poco/DOM/NodeList.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/answers/outputs.h"
#include "harness/gate/gate_report.h"
#include "harness/gate/testing/made_up.h"

namespace connbench::gate {
namespace {

using answers::OutputFormat;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A gate, and what its outputs are made from.
struct Made {
  GatePlan plan = MadeUpPlan();
  GateOutcome outcome;
  stats::VerdictTable table;

  std::string As(OutputFormat format) const { return answers::FormatComparison(table, format); }
};

Made MakeGate(MadeUpServers servers, int64_t budget_s = 600) {
  Made made;
  made.outcome = RunMadeUp(made.plan, servers, budget_s * kNanosecondsPerSecond);
  made.table = TableOf(made.plan, made.outcome, std::nullopt);
  return made;
}

Made Worse() { return MakeGate(MadeUpServers(0.1, 0.01)); }
Made Same() { return MakeGate(MadeUpServers(0, 0.01)); }
Made Undecided() { return MakeGate(MadeUpServers(0, 0.05), 60); }
Made NothingMeasured() { return MakeGate(MadeUpServers(0, 0.2), 1); }
Made Disturbed() {
  MadeUpServers servers(0, 0.01);
  servers.spoil = [](const WindowPlace&, Window& window) { window.disturbances = {"steal"}; };
  return MakeGate(std::move(servers));
}
Made Dead() {
  MadeUpServers servers(1, 0.01);
  servers.before = [](const WindowPlace& place) {
    return place.round < 4 ? Status::Ok()
                           : Status::Error(sqlstate::kCrashShutdown, "the candidate, fork: died");
  };
  return MakeGate(std::move(servers));
}
std::vector<Made> All() {
  std::vector<Made> all;
  for (const auto make : {Worse, Same, Undecided, NothingMeasured, Disturbed, Dead}) {
    all.push_back(make());
  }
  return all;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Poco::JSON::Object::Ptr Json(const std::string& text) {
  return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
}

// Outputs show control characters as text, so a line end in a note would be "\\x0a".
TEST(GateFormatsTest, NotesAreSentencesAndHoldNoLineEnds) {
  for (const Made& made : All()) {
    EXPECT_FALSE(made.table.notes.empty());
    for (const std::string& note : made.table.notes) {
      EXPECT_THAT(note, Not(HasSubstr("\n")));
      EXPECT_FALSE(note.empty());
    }
    for (const std::string& name : answers::OutputFormatNames()) {
      EXPECT_THAT(made.As(*answers::ParseOutputFormat(name)), Not(HasSubstr("x0a"))) << name;
    }
  }
}

TEST(GateFormatsTest, PlainSaysTheVerdictWithinAHundredColumns) {
  for (const Made& made : All()) {
    for (const std::string& line : Lines(made.As(OutputFormat::kPlain))) {
      EXPECT_LE(line.size(), answers::kTableColumns) << line;
    }
  }
  EXPECT_THAT(Worse().As(OutputFormat::kPlain), HasSubstr("2 of 2 judged rows are worse."));
  EXPECT_THAT(Dead().As(OutputFormat::kPlain), HasSubstr("INVALID: the candidate, fork: died"));
  EXPECT_THAT(Disturbed().As(OutputFormat::kPlain), HasSubstr("steal: above its bound in"));
}

TEST(GateFormatsTest, MarkdownBeginsWithTheVerdict) {
  EXPECT_THAT(Worse().As(OutputFormat::kMarkdown), StartsWith("**2 of 2 judged rows are worse."));
  EXPECT_THAT(Worse().As(OutputFormat::kMarkdown), HasSubstr("### What changed"));
  EXPECT_THAT(Same().As(OutputFormat::kMarkdown), StartsWith("**No judged row is worse, of 2; "));
  EXPECT_THAT(Dead().As(OutputFormat::kMarkdown), HasSubstr("INVALID: the candidate, fork: died"));
}

TEST(GateFormatsTest, JsonHasARoundForEachValue) {
  for (const Made& made : All()) {
    const auto root = Json(made.As(OutputFormat::kJson));
    EXPECT_EQ(root->getValue<std::string>("kind"), "gate");
    EXPECT_EQ(root->getArray("notes")->size(), made.table.notes.size());
    ASSERT_EQ(root->getArray("rows")->size(), made.plan.rows.size());
    for (size_t row = 0; row < made.plan.rows.size(); ++row) {
      const auto object = root->getArray("rows")->getObject(static_cast<unsigned>(row));
      EXPECT_EQ(object->getArray("base_values")->size(), made.outcome.rows[row].rounds);
      EXPECT_EQ(object->getArray("candidate_values")->size(), made.outcome.rows[row].rounds);
      const std::string verdict =
          HasVerdict(made.outcome.end)
              ? std::string(stats::VerdictName(made.outcome.rows[row].verdict))
              : "INVALID";
      EXPECT_EQ(object->getValue<std::string>("verdict"), verdict);
    }
  }
  const auto undecided = Json(Undecided().As(OutputFormat::kJson));
  EXPECT_GE(undecided->getArray("rows")->getObject(0)->getValue<int>("blocks_needed"), 8);
}

TEST(GateFormatsTest, JunitFailsWhatIsWorse) {
  const auto cases = [](const Made& made, const std::string& child) {
    Poco::XML::DOMParser parser;
    const Poco::AutoPtr<Poco::XML::Document> document =
        parser.parseString(made.As(OutputFormat::kJunit));
    const Poco::AutoPtr<Poco::XML::NodeList> all = document->getElementsByTagName("testcase");
    EXPECT_EQ(all->length(), made.plan.rows.size());
    const Poco::AutoPtr<Poco::XML::NodeList> found = document->getElementsByTagName(child);
    return found->length();
  };
  EXPECT_EQ(cases(Worse(), "failure"), 2U);
  EXPECT_EQ(cases(Same(), "failure"), 0U);
  EXPECT_EQ(cases(Dead(), "failure") + cases(Dead(), "error") + cases(Dead(), "skipped"), 2U);
  for (const Made& made : All()) (void)cases(made, "failure");
}

TEST(GateFormatsTest, CsvHasALineForEachRow) {
  for (const Made& made : All()) {
    EXPECT_EQ(Lines(made.As(OutputFormat::kCsv)).size(), 1 + made.plan.rows.size());
  }
}

TEST(GateFormatsTest, GithubAnnotatesWhatIsWorse) {
  for (const Made& made : All()) {
    for (const std::string& line : Lines(made.As(OutputFormat::kGithub))) {
      EXPECT_THAT(line, StartsWith("::"));
    }
  }
  EXPECT_THAT(Worse().As(OutputFormat::kGithub), HasSubstr("::error"));
  EXPECT_THAT(Same().As(OutputFormat::kGithub), Not(HasSubstr("::error")));
}

TEST(GateFormatsTest, BenchmarkHasBothSidesOfEachRound) {
  const Made made = Worse();
  const auto benchmarks = Json(made.As(OutputFormat::kBenchmark))->getArray("benchmarks");
  size_t base = 0;
  size_t candidate = 0;
  for (size_t i = 0; i < benchmarks->size(); ++i) {
    const auto name =
        benchmarks->getObject(static_cast<unsigned>(i))->getValue<std::string>("name");
    base += name.rfind("base/", 0) == 0 ? 1 : 0;
    candidate += name.rfind("candidate/", 0) == 0 ? 1 : 0;
  }
  EXPECT_EQ(base, made.outcome.rows[0].rounds + made.outcome.rows[1].rounds);
  EXPECT_EQ(candidate, base);
}

}  // namespace
}  // namespace connbench::gate
