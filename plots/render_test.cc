#include "plots/render.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;

Chart SampleLines() {
  Chart chart;
  chart.name = "sample";
  chart.title = "A \"quoted\" title";
  chart.x_label = "connections";
  chart.y_label = "us";
  chart.series = {{"fork", {{8, 10, 9, 11}, {64, 20, 18, 22}}}, {"thread", {{8, 5, 5, 5}}}};
  return chart;
}

class RenderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "connbench-render.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(RenderTest, DrawsEveryFormat) {
  const auto images = RenderChart(SampleLines(), folder_,
                                  {ImageFormat::kSvg, ImageFormat::kPng, ImageFormat::kPdf});
  ASSERT_TRUE(images.ok()) << images.status().ToString();
  ASSERT_EQ(images->size(), 3U);
  const std::string magics[] = {"<?xml", "\x89PNG", "%PDF"};
  for (size_t i = 0; i < images->size(); ++i) {
    std::ifstream file((*images)[i], std::ios::binary);
    std::string head(magics[i].size(), ' ');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    EXPECT_EQ(head, magics[i]) << (*images)[i];
  }
}

TEST_F(RenderTest, SaysWhichFolderItCannotWriteTo) {
  const auto images = RenderChart(SampleLines(), folder_ / "missing", {ImageFormat::kSvg});
  ASSERT_FALSE(images.ok());
  EXPECT_NE(images.status().ToString().find("missing"), std::string::npos);
}

TEST_F(RenderTest, AMissingGnuplotIsNamedWithItsPackage) {
  const std::string path = getenv("PATH");
  setenv("PATH", folder_.c_str(), 1);
  const auto images = RenderChart(SampleLines(), folder_, {ImageFormat::kSvg});
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(images.ok());
  EXPECT_NE(images.status().error().hint.find("gnuplot-nox"), std::string::npos);
}

TEST_F(RenderTest, GnuplotsComplaintIsPassedOn) {
  Chart chart = SampleLines();
  chart.log_y = true;
  chart.series = {{"all zero", {{1, 0, 0, 0}, {2, 0, 0, 0}}}};
  const auto images = RenderChart(chart, folder_, {ImageFormat::kSvg});
  ASSERT_FALSE(images.ok());
  EXPECT_NE(images.status().error().detail, "");
}

TEST(Script, KeepsSeriesApartWithoutColour) {
  const std::string script = GnuplotScript(SampleLines(), ImageFormat::kSvg, "out.svg");
  EXPECT_NE(script.find("dt 1"), std::string::npos);
  EXPECT_NE(script.find("dt 2"), std::string::npos);
  EXPECT_NE(script.find("\\\"quoted\\\""), std::string::npos);
}

TEST(Format, OnlyKnownNames) {
  EXPECT_EQ(*ParseImageFormat("pdf"), ImageFormat::kPdf);
  EXPECT_FALSE(ParseImageFormat("jpeg").ok());
}

TEST_F(RenderTest, NamesUnderManyBarsAreBrokenWhereTheyArePutTogether) {
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.parts = {"all"};
  for (const char* label : {"fork", "thread", "thread-pool", "postgres", "pgbouncer+postgres"}) {
    chart.bars.push_back({"", label, {1}, 0, 0});
  }
  EXPECT_NE(GnuplotScript(chart, ImageFormat::kPng, "x").find("\"pgbouncer+postgres\" 4"),
            std::string::npos);
  chart.bars.push_back({"", "pgbouncer+fork", {1}, 0, 0});
  const std::string script = GnuplotScript(chart, ImageFormat::kPng, "x");
  EXPECT_NE(script.find("\"thread-\\npool\" 2"), std::string::npos) << script;
  EXPECT_NE(script.find("\"pgbouncer+\\nfork\" 5"), std::string::npos) << script;
}

}  // namespace
}  // namespace connbench::plots
