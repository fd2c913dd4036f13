// Draws charts with gnuplot: files, formats, and what goes wrong.
#include "plots/render.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <utility>

#include "plots/charts.h"
#include "plots/draw/scene.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;

Chart SampleLines() {
  Chart chart;
  chart.name = "sample";
  chart.title = "A \"quoted\" title";
  chart.x_label = "connections";
  chart.y_label = "latency";
  chart.y_unit = "us";
  chart.series = {{"fork", {{8, 10, 9, 11, {9, 11}}, {64, 20, 18, 22}}, "fork", Family::kProcess},
                  {"thread", {{8, 5, 5, 5}}, "thread", Family::kThread}};
  return chart;
}

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

RenderOptions In(std::vector<ImageFormat> formats) {
  RenderOptions options;
  options.formats = std::move(formats);
  return options;
}

class RenderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "connbench-render.XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Puts a program named gnuplot in front of all others.
  void FakeGnuplot(const std::string& text) {
    std::ofstream(folder_ / "gnuplot") << "#!/bin/sh\n" << text;
    fs::permissions(folder_ / "gnuplot", fs::perms::owner_all);
  }

  Result<DrawnChart> RenderWithPath(const std::string& path) {
    const std::string before = getenv("PATH");
    setenv("PATH", path.c_str(), 1);
    auto drawn = RenderChart(SampleLines(), folder_, In({ImageFormat::kSvg}));
    setenv("PATH", before.c_str(), 1);
    return drawn;
  }

  fs::path folder_;
};

TEST_F(RenderTest, DrawsEveryFormatInEveryTheme) {
  for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kPaper}) {
    RenderOptions options = In({ImageFormat::kSvg, ImageFormat::kPng, ImageFormat::kPdf});
    options.theme = theme;
    const auto drawn = RenderChart(SampleLines(), folder_, options);
    ASSERT_TRUE(drawn.ok()) << drawn.status().ToString();
    ASSERT_EQ(drawn->images.size(), 3U);
    const std::string magics[] = {"<?xml", "\x89PNG", "%PDF"};
    for (size_t i = 0; i < drawn->images.size(); ++i) {
      EXPECT_TRUE(ReadAll(drawn->images[i]).starts_with(magics[i])) << drawn->images[i];
    }
  }
}

TEST_F(RenderTest, APngHasTwiceThePixels) {
  RenderOptions options = In({ImageFormat::kPng});
  options.width_px = 480;
  const auto drawn = RenderChart(SampleLines(), folder_, options);
  ASSERT_TRUE(drawn.ok()) << drawn.status().ToString();
  const std::string png = ReadAll(drawn->images[0]);
  constexpr size_t kWidthAt = 16;  // big-endian, in the first chunk
  ASSERT_GT(png.size(), kWidthAt + 4);
  EXPECT_EQ(static_cast<unsigned char>(png[kWidthAt + 2]) * 256 +
                static_cast<unsigned char>(png[kWidthAt + 3]),
            960);
}

TEST_F(RenderTest, TheScriptStaysAndKnowsNoPathOfThisMachine) {
  ASSERT_TRUE(RenderChart(SampleLines(), folder_, In({ImageFormat::kSvg})).ok());
  const std::string script = ReadAll(folder_ / "sample.gp");
  EXPECT_EQ(script.find(folder_.string()), std::string::npos);
  EXPECT_NE(script.find("\n8 10 0 0\n64 20 0 0\n"), std::string::npos) << "values, not pixels";
}

TEST_F(RenderTest, MarkupAndSignsInLabelsAreOnlyText) {
  Chart chart = SampleLines();
  chart.kind = ChartKind::kDots;
  chart.series.clear();
  chart.parts = {"one"};
  const std::string label = "</text><script>{/Bold x}_%s 10 % \"q\" \\ '`id`";
  chart.bars = {{"", label, {1}, 0, 0, label}, {"", "\xFF\x01", {2}, 0, 0, "\xFF\x01"}};
  const auto drawn = RenderChart(chart, folder_, In({ImageFormat::kSvg, ImageFormat::kPng}));
  ASSERT_TRUE(drawn.ok()) << drawn.status().ToString() << drawn.status().error().detail;
  const std::string svg = ReadAll(drawn->images[0]);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find("{/Bold x}_%s"), std::string::npos);
  EXPECT_NE(svg.find("`id`"), std::string::npos) << "gnuplot has run it";
}

TEST_F(RenderTest, NothingInAChartIsACommand) {
  const std::string command = "`touch " + (folder_ / "ran").string() + "`";
  Chart chart = SampleLines();
  chart.name = "`touch ran`";
  chart.title = chart.subtitle = chart.caption = chart.x_label = chart.y_label = command;
  chart.notes = {command, "'" + command, "\\" + command, "\"" + command, "{" + command};
  for (Series& series : chart.series) series.label = series.contender = command;
  const auto drawn = RenderChart(chart, folder_, In({ImageFormat::kSvg}));
  EXPECT_TRUE(drawn.ok()) << drawn.status().ToString() << drawn.status().error().detail;
  EXPECT_FALSE(fs::exists(folder_ / "ran"));
}

TEST_F(RenderTest, SaysWhichFolderItCannotWriteTo) {
  const auto drawn = RenderChart(SampleLines(), folder_ / "missing", In({ImageFormat::kSvg}));
  ASSERT_FALSE(drawn.ok());
  EXPECT_NE(drawn.status().ToString().find("missing"), std::string::npos);
}

TEST_F(RenderTest, AMissingGnuplotIsNamedWithItsPackage) {
  const auto drawn = RenderWithPath(folder_.string());
  ASSERT_FALSE(drawn.ok());
  EXPECT_NE(drawn.status().error().hint.find("gnuplot-nox"), std::string::npos);
}

TEST_F(RenderTest, AnOldGnuplotIsNamedWithItsVersion) {
  FakeGnuplot("[ \"$1\" = --version ] && echo gnuplot 4.6 patchlevel 6 && exit 0\nexit 1\n");
  const auto drawn = RenderWithPath(folder_.string() + ":/usr/bin:/bin");
  ASSERT_FALSE(drawn.ok());
  EXPECT_NE(drawn.status().ToString().find("gnuplot 4.6 is too old"), std::string::npos)
      << drawn.status().ToString();
}

TEST_F(RenderTest, GnuplotsComplaintIsPassedOn) {
  FakeGnuplot("echo 'line 7: no such thing'\nexit 1\n");
  const auto drawn = RenderWithPath(folder_.string() + ":/usr/bin:/bin");
  ASSERT_FALSE(drawn.ok());
  EXPECT_NE(drawn.status().error().detail.find("line 7"), std::string::npos);
  EXPECT_NE(drawn.status().ToString().find("sample.gp"), std::string::npos);
}

TEST_F(RenderTest, AnImageThatIsNotWholeIsRemoved) {
  FakeGnuplot("echo '<svg' > sample.svg\n");
  const auto drawn = RenderWithPath(folder_.string() + ":/usr/bin:/bin");
  ASSERT_FALSE(drawn.ok());
  EXPECT_NE(drawn.status().ToString().find("not written whole"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder_ / "sample.svg"));
}

// The words of an SVG as boxes.
std::vector<Text> TextsOf(const std::string& svg) {
  static const std::regex kText(
      "translate\\(([-0-9.]+),([-0-9.]+)\\)\"[^>]*font-size=\"([0-9.]+)\"[^>]*text-anchor=\"(\\w+)"
      "\""
      "[^>]*>\\s*<text>([^<]*)</text>");
  std::vector<Text> texts;
  for (auto found = std::sregex_iterator(svg.begin(), svg.end(), kText);
       found != std::sregex_iterator(); ++found) {
    Text text;
    text.text = (*found)[5];
    if (text.text.find_first_not_of(' ') == std::string::npos) continue;  // of a tick
    text.x = std::stod((*found)[1]);
    text.font_px = std::stod((*found)[3]);
    // gnuplot gives the line on which the letters stand.
    text.y = std::stod((*found)[2]) - 0.325 * text.font_px;
    text.anchor = (*found)[4] == "start" ? Anchor::kLeft
                  : (*found)[4] == "end" ? Anchor::kRight
                                         : Anchor::kCentre;
    texts.push_back(std::move(text));
  }
  return texts;
}

TEST_F(RenderTest, NoWordOfADrawnSvgCoversAnotherAndEveryContenderHasItsGroups) {
  const auto run =
      results::Run::Load(std::string(CONNBENCH_SOURCE_DIR) + "/results/reference/quick");
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  const std::vector<Chart> charts = ChartsOf(*run);
  RenderOptions options = In({ImageFormat::kSvg});
  options.width_px = 480;
  const auto drawn = RenderCharts(charts, folder_, options);
  ASSERT_TRUE(drawn.ok()) << drawn.status().ToString() << drawn.status().error().detail;
  ASSERT_EQ(drawn->size(), charts.size());
  for (size_t i = 0; i < charts.size(); ++i) {
    const std::string svg = ReadAll((*drawn)[i].images.at(0));
    for (const Series& series : charts[i].series) {
      EXPECT_NE(svg.find("data-contender=\"" + series.contender + "\""), std::string::npos);
    }
    for (const Bar& bar : charts[i].bars) {
      EXPECT_NE(svg.find("data-contender=\"" + bar.contender + "\""), std::string::npos);
    }
    const std::vector<Text> texts = TextsOf(svg);
    EXPECT_GT(texts.size(), 5U) << charts[i].name;
    for (size_t a = 0; a < texts.size(); ++a) {
      const Box box = BoxOf(texts[a]);
      EXPECT_LE(box.right, options.width_px + 1) << charts[i].name << ": " << texts[a].text;
      for (size_t b = 0; b < a; ++b) {
        const Box other = BoxOf(texts[b]);
        constexpr double kRounding = 0.5;
        EXPECT_TRUE(box.right <= other.left + kRounding || other.right <= box.left + kRounding ||
                    box.bottom <= other.top + kRounding || other.bottom <= box.top + kRounding)
            << charts[i].name << ": \"" << texts[a].text << "\" covers \"" << texts[b].text << "\"";
      }
    }
  }
}

}  // namespace
}  // namespace connbench::plots
