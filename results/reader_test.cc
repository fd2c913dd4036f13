// Tests: reads a run's folder back as typed rows.
#include "results/reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/writer.h"

namespace connbench::results {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kHeader[] =
    "run_id,trial,cell,target,model,workload,connections,repetition,pattern,protocol,contender,"
    "kind,outcome,count\n";

std::string ErrorOf(const std::string& text) {
  const auto rows = ParseCsv<ErrorRow>(text, "errors.csv");
  return rows.ok() ? "" : rows.status().error().message;
}

TEST(ReaderTest, ReadsQuotedCellsAndBothLineEnds) {
  const auto rows =
      ParseCsv<ErrorRow>(std::string(kHeader) +
                             "r,1,\"a,b\",builtin,fork,steady,8,1,steady,simple,fork,connect,"
                             "\"said \"\"no\"\"\nand left\",3\r\n"
                             "r,2,c,builtin,fork,steady,8,1,steady,simple,fork,connect,,0\n",
                         "errors.csv");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].cell, "a,b");
  EXPECT_EQ((*rows)[0].outcome, "said \"no\"\nand left");
  EXPECT_EQ((*rows)[0].count, 3);
  EXPECT_EQ((*rows)[1].outcome, "");
}

TEST(ReaderTest, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(ErrorOf(std::string(kHeader) +
                    "r,1,c,builtin,fork,steady,8,1,steady,simple,fork,connect,ok,3\n" +
                    "r,x,c,builtin,fork,steady,8,1,steady,simple,fork,connect,ok,3\n"),
            "errors.csv:3:3: trial is \"x\", expected an integer");
  EXPECT_EQ(ErrorOf(std::string(kHeader) +
                    "r,1,c,builtin,fork,steady,8,1,steady,simple,fork,connect,ok\n"),
            "errors.csv:2:58: the line has 13 values, expected 14");
  EXPECT_EQ(ErrorOf(std::string(kHeader) +
                    "r,1,c\"d,builtin,fork,steady,8,1,steady,simple,fork,connect,ok,1\n"),
            "errors.csv:2:6: a quote inside an unquoted value");
  EXPECT_EQ(ErrorOf(std::string(kHeader) +
                    "r,1,\"c\"d,builtin,fork,steady,8,1,steady,simple,fork,connect,ok,1\n"),
            "errors.csv:2:8: text after a closing quote");
  // A cell with a line break moves the following lines.
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "r,1,\"c\nd\",b,f,s,8,1,s,p,f,connect,ok,1\nr,y,\n"),
              StartsWith("errors.csv:4:"));
}

TEST(ReaderTest, TheHeaderMustFit) {
  EXPECT_EQ(ErrorOf(""), "errors.csv:1:1: the header line is missing");
  EXPECT_THAT(ErrorOf("run_id,trail\n"),
              HasSubstr("errors.csv:1:8: found trail, expected the column trial"));
  EXPECT_THAT(ErrorOf("run_id,trial\n"), HasSubstr("found the end of the line, expected the "
                                                   "column cell"));
  EXPECT_THAT(ErrorOf(std::string(kHeader).replace(0, 7, "run_idd,")), HasSubstr("found run_idd"));
  std::string longer = kHeader;
  longer.insert(longer.size() - 1, ",more");
  EXPECT_THAT(ErrorOf(longer), HasSubstr("unknown column more"));
}

TEST(ReaderTest, ColumnsAddedSinceAFileWasWrittenReadAsEmpty) {
  const auto rows = ParseCsv<ErrorRow>(
      "run_id,trial,cell,target,model,workload,connections,repetition,pattern,protocol,contender,"
      "kind,count\n"
      "r,1,c,b,f,s,8,1,steady,simple,f,connect,3\n",
      "errors.csv");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].outcome, "");
  EXPECT_EQ((*rows)[0].count, 3);
  // A key cannot be lacking, and the order is fixed.
  EXPECT_THAT(ErrorOf("run_id,trial,cell,target,model,workload,connections,kind,outcome,count\n"),
              HasSubstr("found kind, expected the column repetition"));
  EXPECT_THAT(ErrorOf("run_id,trial,cell,target,model,workload,connections,repetition,pattern,"
                      "contender,kind,outcome,count\n"),
              HasSubstr("found contender, expected the column protocol"));
  EXPECT_THAT(ErrorOf("run_id,trial,cell,target,model,workload,connections,repetition,pattern,"
                      "protocol,contender,count,kind\n"),
              HasSubstr("unknown column kind"));
}

TEST(ReaderTest, NumbersMustBeWhole) {
  const auto line = [](const std::string& count) {
    return ErrorOf(std::string(kHeader) + "r,1,c,b,f,s,8,1,s,p,f,connect,ok," + count + "\n");
  };
  EXPECT_EQ(line("7"), "");
  EXPECT_EQ(line(""), "") << "not measured";
  for (const char* bad : {" 7", "7 ", "7.5", "0x7", "99999999999999999999", "seven"}) {
    EXPECT_THAT(line(bad), HasSubstr("expected an integer")) << bad;
  }
}

TEST(ReaderTest, NumbersMustBeFinite) {
  const auto error = [](const std::string& latency) {
    const auto rows = ParseCsv<LatencyRow>(
        "run_id,trial,cell,target,model,workload,connections,repetition,pattern,protocol,contender,"
        "distribution,percentile,latency_us\n"
        "r,1,c,b,f,s,8,1,s,p,f,request,0.5," +
            latency + "\n",
        "latency.csv");
    return rows.ok() ? "" : rows.status().error().message;
  };
  EXPECT_EQ(error("7.5"), "");
  for (const char* bad : {"nan", "-nan", "inf", "-inf", "infinity", "1e999"}) {
    EXPECT_THAT(error(bad), HasSubstr("expected a number")) << bad;
  }
}

TEST(ReaderTest, AnEmptyNumberWasNotMeasuredAndAnAxisIsNeverEmpty) {
  const auto rows = ParseCsv<ErrorRow>(
      std::string(kHeader) +
          "r,1,c,b,f,s,8,1,s,p,f,connect,ok,\nr,2,c,b,f,s,8,1,s,p,f,connect,ok,0\n",
      "errors.csv");
  ASSERT_TRUE(rows.ok()) << rows.status().ToString();
  EXPECT_EQ((*rows)[0].count, std::nullopt);
  EXPECT_EQ((*rows)[1].count, 0);
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "r,1,c,b,f,s,,1,s,p,f,connect,ok,1\n"),
              HasSubstr("connections is \"\", expected an integer"));
}

TEST(ReaderTest, ALastLineWithoutItsEndIsLeftOut) {
  for (const char* torn : {"r,2", "r,2,c,b,f,s,8,1,s,p,f,connect,ok,3", "r,2,\"c", ""}) {
    const auto rows = ParseCsv<ErrorRow>(
        std::string(kHeader) + "r,1,c,b,f,s,8,1,s,p,f,connect,ok,3\n" + torn, "errors.csv");
    ASSERT_TRUE(rows.ok()) << rows.status().ToString();
    EXPECT_EQ(rows->size(), 1U) << torn;
  }
}

TEST(ReaderTest, AFolderThatIsNoRunSaysSo) {
  const auto run = Run::Load("/nonexistent");
  ASSERT_FALSE(run.ok());
  EXPECT_THAT(run.status().ToString(), HasSubstr("/nonexistent is not a run"));
}

TEST(ReaderTest, RunJsonMustBeWholeAndOfThisVersion) {
  RunInfo info;
  info.schema_version = kSchemaVersion;
  const std::string good = FormatRunInfo(info);
  ASSERT_TRUE(ParseRunInfo(good, "run.json").ok());
  const auto error_of = [](const std::string& json) {
    const auto parsed = ParseRunInfo(json, "run.json");
    return parsed.ok() ? std::string() : parsed.status().error().message;
  };
  EXPECT_THAT(error_of("{"), StartsWith("run.json: not a run.json"));
  EXPECT_THAT(error_of("[]"), StartsWith("run.json: not a run.json"));
  for (const auto& [version, works] : {std::pair("0", false), {"1", true}, {"3", false}}) {
    std::string other = good;
    other.replace(other.find(": 2,"), 4, fmt::format(": {},", version));
    if (works) {
      EXPECT_EQ(error_of(other), "");
    } else {
      EXPECT_THAT(error_of(other),
                  HasSubstr(fmt::format("schema_version is {}, this program reads versions 1 to 2",
                                        version)));
    }
  }
  std::string lacking = good;
  lacking.replace(lacking.find("\"kernel\""), 8, "\"colonel\"");
  EXPECT_THAT(error_of(lacking), HasSubstr("the field \"kernel\" is missing"));
  std::string mistyped = good;
  const size_t argv = mistyped.find("\"argv\": [");
  mistyped.replace(argv, mistyped.find(']', argv) + 1 - argv, "\"argv\": 7");
  EXPECT_THAT(error_of(mistyped), HasSubstr("the field \"argv\" is no TextList"));
}

TEST(ReaderTest, InfoPairsShowEveryField) {
  results::Run run;
  run.info.argv = {"a", "b"};
  run.info.settings = {{"x", "1"}, {"y", "2"}};
  const auto pairs = run.InfoPairs();
  EXPECT_EQ(pairs[0], (std::pair<std::string, std::string>("schema_version", "0")));
  EXPECT_THAT(pairs, testing::Contains(std::pair<std::string, std::string>("argv", "a b")));
  EXPECT_THAT(pairs, testing::Contains(std::pair<std::string, std::string>("settings", "x=1 y=2")));
}

}  // namespace
}  // namespace connbench::results
