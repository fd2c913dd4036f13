#include "plots/render.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
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

TEST_F(RenderTest, APercentSignInALabelIsNoFormat) {
  Chart bars;
  bars.kind = ChartKind::kBars;
  bars.name = "bars";
  bars.parts = {"one"};
  bars.bars = {{"group", "10 %", {1}, 0, 0}, {"group", "100 %", {2}, 0, 0}};
  EXPECT_NE(GnuplotScript(bars, ImageFormat::kSvg, "x.svg").find("\"10 %%\" 0"), std::string::npos);
  const auto images = RenderChart(bars, folder_, {ImageFormat::kSvg});
  ASSERT_TRUE(images.ok()) << images.status().ToString();
  std::ifstream file(images->front());
  const std::string svg((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(svg.find(">10 %<"), std::string::npos);
}

TEST_F(RenderTest, ABandIsDrawnBehindTheLines) {
  Chart chart = SampleLines();
  chart.x_band = {10, 20, 40};
  const std::string script = GnuplotScript(chart, ImageFormat::kSvg, "x.svg");
  EXPECT_NE(script.find("from first 10,graph 0 to first 40,graph 1 behind"), std::string::npos);
  EXPECT_NE(script.find("from first 20,graph 0 to first 20,graph 1 nohead"), std::string::npos);
  EXPECT_TRUE(RenderChart(chart, folder_, {ImageFormat::kSvg}).ok());
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

TEST_F(RenderTest, ManyBarsLieSoThatTheirNamesHaveRoom) {
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.name = "bars";
  chart.y_label = "kB";
  chart.parts = {"one", "two"};
  for (int i = 0; i < 6; ++i) chart.bars.push_back({"", fmt::format("model-{}", i), {1, 2}, 2, 4});
  std::string script = GnuplotScript(chart, ImageFormat::kPng, "x");
  EXPECT_NE(script.find("set xtics (\"model-0\" 0,"), std::string::npos) << script;
  EXPECT_NE(script.find("set ylabel \"kB\""), std::string::npos) << script;
  for (int i = 0; i < 30; ++i) chart.bars.push_back({"pool-tx-thread", "166 kB", {1, 2}, 2, 4});
  script = GnuplotScript(chart, ImageFormat::kPng, "x");
  EXPECT_NE(script.find("set ytics (\"model-0\" 0,"), std::string::npos) << script;
  EXPECT_NE(script.find("\"pool-tx-thread  166 kB\" 7"), std::string::npos) << script;
  EXPECT_NE(script.find("set xlabel \"kB\""), std::string::npos) << script;
  // 36 bars are higher than the usual picture.
  const auto images = RenderChart(chart, folder_, {ImageFormat::kSvg});
  ASSERT_TRUE(images.ok()) << images.status().ToString() << images.status().error().detail;
  std::ifstream file(images->front());
  const std::string svg((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_NE(svg.find("viewBox=\"0 0 960 1074\""), std::string::npos) << svg.substr(0, 400);
}

TEST(Script, ManySeriesHaveTheirKeyBesideTheDrawing) {
  Chart chart = SampleLines();
  EXPECT_NE(GnuplotScript(chart, ImageFormat::kPng, "x").find("key outside below"),
            std::string::npos);
  for (int i = 0; i < 11; ++i) {
    chart.series.push_back({fmt::format("model-{}", i), {{8, 1, 1, 1}}});
  }
  const std::string script = GnuplotScript(chart, ImageFormat::kPng, "x");
  EXPECT_NE(script.find("key outside right"), std::string::npos);
}

}  // namespace
}  // namespace connbench::plots
