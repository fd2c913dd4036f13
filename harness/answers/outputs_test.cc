// Outputs: what each holds, and that names from files cannot break any of them.
#include "harness/answers/outputs.h"

#include <Poco/AutoPtr.h>
#include <Poco/DOM/DOMParser.h>
#include <Poco/DOM/Document.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "harness/answers/tables.h"

namespace connbench::answers {
namespace {

using stats::Verdict;
using stats::VerdictRow;
using stats::VerdictTable;
using ::testing::HasSubstr;
using ::testing::Not;

VerdictRow Row(const std::string& cell, const std::string& metric, Verdict verdict) {
  VerdictRow row;
  row.cell = cell;
  row.workload = row.pattern = "steady";
  row.connections = 64;
  row.base = "base";
  row.candidate = "candidate";
  row.metric = metric;
  row.label = "throughput";
  row.unit = "tx/s";
  row.headline = true;
  row.question.gated = verdict != Verdict::kDescribed;
  row.question.direction = stats::Direction::kHigherIsBetter;
  row.question.base = {1000, 1010, 990};
  row.question.candidate = {800, 810, 790};
  row.answer.verdict = verdict;
  row.answer.base_median = 1000;
  row.answer.candidate_median = 800;
  row.answer.ratio = stats::Interval{0.8, 0.78, 0.82};
  row.answer.blocks = 3;
  row.answer.p = 0.001;
  row.answer.smallest_effect = 0.05;
  return row;
}

VerdictTable Table() {
  VerdictTable table;
  table.base = "20260101T000000-quick";
  table.candidate = "20260102T000000-quick";
  table.notes = {"Two runs made at different times."};
  table.rows = {Row("workload:steady/connections:64", "throughput_tps", Verdict::kWorse),
                Row("workload:steady/connections:64", "latency_us_p50", Verdict::kSame),
                Row("workload:steady/connections:256", "throughput_tps", Verdict::kInconclusive),
                Row("workload:steady/connections:256", "latency_us_p99", Verdict::kDescribed),
                Row("workload:idle/connections:256", "", Verdict::kDescribed)};
  table.rows[2].answer.blocks_needed = 14;
  table.rows[4].invalid = "candidate: INVALID: client_cpu: 0.99";
  return table;
}

// Everything that could leave its place.
constexpr const char* kHostile = "=1+1\"a',b|c<script>&\n\x1b[2J@all::error::%0A`_*]";

VerdictTable Hostile() {
  VerdictTable table = Table();
  for (VerdictRow& row : table.rows) {
    row.cell = row.workload = row.base = row.candidate = kHostile;
  }
  table.base = table.candidate = kHostile;
  table.notes = {kHostile};
  return table;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Outputs, EachHasAName) {
  for (const std::string& name : OutputFormatNames()) {
    const auto format = ParseOutputFormat(name);
    ASSERT_TRUE(format);
    const std::string text = FormatComparison(Table(), *format);
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.back(), '\n') << name;
  }
  EXPECT_FALSE(ParseOutputFormat("pdf"));
}

TEST(Plain, FitsAHundredColumns) {
  VerdictTable table = Table();
  table.rows[0].cell = "workload:steady/connections:64/settings:" + std::string(60, 'x') +
                       " and more words that go on for quite a while";
  table.rows[1].answer.ratio = stats::Interval{123456, 0.000123, 9e9};
  table.rows[2].label = "a label that is much longer than any column has a right to be";
  const std::string text = FormatPlain(table);
  for (const std::string& line : Lines(text)) EXPECT_LE(line.size(), kTableColumns) << line;
  EXPECT_THAT(text, HasSubstr("needs 14"));
  EXPECT_THAT(text, HasSubstr("INVALID: candidate: INVALID: client_cpu"));
  EXPECT_THAT(text, HasSubstr("Ratio: candidate / base"));
}

// "needs" at the end of a line and its number on the next one tell nothing.
TEST(Plain, AVerdictTooLongForItsLineGoesOnUnderItself) {
  VerdictTable table = Table();
  bool folded = false;
  for (size_t width = 0; width < 8; ++width) {
    for (VerdictRow& row : table.rows) {
      row.label = "private / connection, set";
      row.unit = std::string(width, 'u');
      row.answer.ratio = stats::Interval{123.4, 0.0001234, 12345};
    }
    const std::string text = FormatPlain(table);
    EXPECT_THAT(text, HasSubstr("needs 14")) << text;
    for (const std::string& line : Lines(text)) {
      EXPECT_LE(line.size(), kTableColumns) << line;
      folded = folded || line.find_first_not_of(' ') == line.find("needs 14");
    }
  }
  EXPECT_TRUE(folded);
}

TEST(Plain, NamesCannotSteerATerminal) {
  EXPECT_EQ(FormatPlain(Hostile()).find('\x1b'), std::string::npos);
}

TEST(Markdown, BeginsWithTheConclusionThenWhatChangedAndFoldsTheRest) {
  const std::string text = FormatMarkdown(Table());
  EXPECT_EQ(text.rfind("**1 of 3 judged rows is worse.", 0), 0U) << text;
  const size_t changed = text.find("### What changed");
  const size_t folded = text.find("<details>");
  ASSERT_NE(changed, std::string::npos);
  ASSERT_NE(folded, std::string::npos);
  EXPECT_LT(changed, folded);
  EXPECT_LT(text.find("INVALID"), folded);
}

TEST(Markdown, NeverExceedsACommentHoweverManyRows) {
  VerdictTable table = Table();
  for (int i = 0; i < 3'000; ++i) {
    table.rows.push_back(Row("workload:w" + std::to_string(i), "throughput_tps",
                             i % 2 == 0 ? Verdict::kWorse : Verdict::kSame));
    table.notes.push_back("note " + std::to_string(i));
  }
  const std::string text = FormatMarkdown(table);
  EXPECT_LE(text.size(), kMaxMarkdown);
  EXPECT_GT(text.size(), kMaxMarkdown / 2);
  EXPECT_THAT(text, HasSubstr("rows do not fit here"));
  EXPECT_THAT(text, HasSubstr("</details>"));
}

TEST(Markdown, NamesCannotMakeMarkup) {
  const std::string text = FormatMarkdown(Hostile());
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("@all")));
  for (const std::string& line : Lines(text)) EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST(Json, HasTheFieldsOfItsSchemaAndNoOthers) {
  std::ifstream in(CONNBENCH_COMPARISON_SCHEMA);
  const std::string schema((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto parse = [](const std::string& text) {
    return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
  };
  const auto names = [](const Poco::JSON::Object::Ptr& object) {
    std::set<std::string> set;
    for (const std::string& name : object->getNames()) set.insert(name);
    return set;
  };
  const auto schema_root = parse(schema);
  const auto root = parse(FormatJson(Table()));
  EXPECT_EQ(names(root), names(schema_root->getObject("properties")));
  const auto row_schema =
      schema_root->getObject("properties")->getObject("rows")->getObject("items");
  for (size_t i = 0; i < root->getArray("rows")->size(); ++i) {
    EXPECT_EQ(names(root->getArray("rows")->getObject(static_cast<unsigned>(i))),
              names(row_schema->getObject("properties")));
  }
  EXPECT_EQ(root->getObject("counts")->getValue<int>("worse"), 1);
  // Nothing in a name leaves its string, and no number is NaN.
  VerdictTable hostile = Hostile();
  hostile.rows[0].answer.p = std::nan("");
  EXPECT_NO_THROW(parse(FormatJson(hostile)));
}

TEST(Junit, IsXmlWithOneCaseForEachJudgedRow) {
  for (const VerdictTable& table : {Table(), Hostile()}) {
    const std::string text = FormatJunit(table);
    Poco::XML::DOMParser parser;
    Poco::AutoPtr<Poco::XML::Document> document;
    EXPECT_NO_THROW(document = parser.parseString(text)) << text;
    EXPECT_THAT(text, HasSubstr("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""));
  }
}

TEST(Csv, QuotesAndDisarmsNames) {
  const auto lines = Lines(FormatCsv(Hostile()));
  ASSERT_EQ(lines.size(), 6U) << "a line end in a name must not end the line";
  for (size_t i = 1; i < lines.size(); ++i) EXPECT_EQ(lines[i].rfind("\"'=1+1\"\"a'", 0), 0U);
  const auto plain = Lines(FormatCsv(Table()));
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  for (const std::string& line : plain) EXPECT_EQ(commas(line), commas(plain[0]));
}

TEST(Github, AnnotatesWhatIsWorseInOneLineEach) {
  const auto lines = Lines(FormatGithub(Table()));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].rfind("::notice ", 0), 0U);
  EXPECT_EQ(lines[1].rfind("::error title=", 0), 0U);
  EXPECT_EQ(lines[2].rfind("::warning title=", 0), 0U);
  for (const std::string& line : Lines(FormatGithub(Hostile()))) {
    EXPECT_EQ(line.rfind("::", 0), 0U);
  }
}

TEST(Benchmark, NamesDifferInTheSideAlone) {
  const std::string text = FormatBenchmark(Table());
  EXPECT_THAT(text, HasSubstr("\"base/workload:steady/connections:64/throughput_tps\""));
  EXPECT_THAT(text, HasSubstr("\"candidate/workload:steady/connections:64/throughput_tps\""));
  EXPECT_NO_THROW(Poco::JSON::Parser().parse(FormatBenchmark(Hostile())));
}

}  // namespace
}  // namespace connbench::answers
