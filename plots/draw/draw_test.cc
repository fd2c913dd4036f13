// Palette, words, values and places: what a picture is made of before gnuplot draws it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "plots/charts.h"
#include "plots/draw/label_placement.h"
#include "plots/draw/layout_parts.h"
#include "plots/draw/scene.h"
#include "plots/draw/svg.h"
#include "plots/draw/text_size.h"
#include "plots/draw/values.h"
#include "results/reader.h"

namespace connbench::plots {
namespace {

using Rgb = std::array<double, 3>;

Rgb Linear(const Colour& colour) {
  const auto linear = [](uint8_t byte) {
    const double c = byte / 255.0;
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
  };
  return {linear(colour.red), linear(colour.green), linear(colour.blue)};
}

double Luminance(const Colour& colour) {
  const Rgb c = Linear(colour);
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}

// WCAG's contrast.
double Contrast(const Colour& a, const Colour& b) {
  const double x = Luminance(a);
  const double y = Luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

using Sight = std::array<Rgb, 3>;
// Machado, Oliveira and Fernandes 2009, full severity.
constexpr Sight kNormal = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Sight kProtanopia = {{{0.152286, 1.052583, -0.204868},
                                {0.114503, 0.786281, 0.099216},
                                {-0.003882, -0.048116, 1.051998}}};
constexpr Sight kDeuteranopia = {{{0.367322, 0.860646, -0.227968},
                                  {0.280085, 0.672501, 0.047413},
                                  {-0.011820, 0.042940, 0.968881}}};

Rgb LabSeenBy(const Colour& colour, const Sight& sight) {
  const Rgb in = Linear(colour);
  Rgb c{};
  for (size_t i = 0; i < 3; ++i) {
    c[i] = std::clamp(sight[i][0] * in[0] + sight[i][1] * in[1] + sight[i][2] * in[2], 0.0, 1.0);
  }
  const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double x = f((0.4124 * c[0] + 0.3576 * c[1] + 0.1805 * c[2]) / 0.95047);
  const double y = f(0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]);
  const double z = f((0.0193 * c[0] + 0.1192 * c[1] + 0.9505 * c[2]) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double Distance(const Rgb& a, const Rgb& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

TEST(Palette, FamiliesAreApartForEveryKindOfSight) {
  constexpr double kClearlyApart = 25;  // of CIE 1976; 2.3 can just be seen
  for (const Sight& sight : {kNormal, kProtanopia, kDeuteranopia}) {
    for (const Family a : kFamilies) {
      for (const Family b : kFamilies) {
        if (a == b) continue;
        EXPECT_GE(Distance(LabSeenBy(HueOf(a), sight), LabSeenBy(HueOf(b), sight)), kClearlyApart)
            << FamilyName(a) << " and " << FamilyName(b);
      }
    }
  }
}

TEST(Palette, EverythingCanBeReadOnItsBackgroundInGreyToo) {
  // WCAG asks 3 of graphics, 4.5 of text; contrast is of luminance, so grey print has it as well.
  for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kPaper}) {
    const ThemeColours colours = ColoursOf(theme);
    for (const Family family : kFamilies) {
      EXPECT_GE(Contrast(HueOf(family), colours.background), 3) << FamilyName(family);
    }
    EXPECT_GE(Contrast(colours.text, colours.background), 7);
    EXPECT_GE(Contrast(colours.faint, colours.background), 4.3);
    EXPECT_LE(Contrast(colours.grid, colours.background), 2) << "a grid is to stay behind";
  }
}

TEST(Palette, NeighboursInAStackDifferInLightness) {
  constexpr size_t kMostParts = 9;
  for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kPaper}) {
    for (size_t part = 0; part + 1 < kMostParts; ++part) {
      EXPECT_GE(Contrast(FillOfPart(part, theme), FillOfPart(part + 1, theme)), 1.4) << part;
    }
  }
}

TEST(Palette, MembersOfAPanelHaveMarksOfTheirOwn) {
  for (size_t a = 0; a < 12; ++a) {
    for (size_t b = 0; b < a; ++b) EXPECT_NE(MarkerOf(a), MarkerOf(b));
  }
}

TEST(Values, HaveTheUnitThatFitsAndThousands) {
  EXPECT_EQ(PrintValue(600'000, "us"), "600 ms");
  EXPECT_EQ(PrintValue(637'000, "us"), "637 ms");
  EXPECT_EQ(PrintValue(999.96, "us"), "1 ms");
  EXPECT_EQ(PrintValue(1'234'567, "us"), "1.23 s");
  EXPECT_EQ(PrintValue(0.5, "ms"), "500 us");
  EXPECT_EQ(PrintValue(0, "us"), "0");
  EXPECT_EQ(PrintValue(1536, "kB"), "1.5 MB");
  EXPECT_EQ(PrintValue(12'345.6, "tx/s"), "12,346 tx/s");
  EXPECT_EQ(PrintValue(1234, "1/s"), "1,234/s");
  EXPECT_EQ(PrintValue(0.01234, ""), "0.0123");
  EXPECT_EQ(PrintNumber(-1'234'567), "-1,234,567");
  EXPECT_EQ(PrintNumber(999.9), "1,000");
  EXPECT_EQ(PrintNumber(100), "100");
}

TEST(Values, AnAxisNamesRoundValuesInOneUnit) {
  const auto labels = [](const std::vector<Tick>& ticks) {
    std::vector<std::string> all;
    for (const Tick& tick : ticks) all.push_back(tick.label);
    return all;
  };
  EXPECT_EQ(labels(TicksOf(RangeOf(0, 0.6e6, false), "us", 4)),
            (std::vector<std::string>{"0", "200 ms", "400 ms", "600 ms"}));
  EXPECT_EQ(labels(TicksOf(RangeOf(0, 2048, false), "kB", 5)),
            (std::vector<std::string>{"0", "0.5 MB", "1 MB", "1.5 MB", "2 MB"}));
  EXPECT_EQ(labels(TicksOf(RangeOf(900, 1.1e6, true), "us", 5)),
            (std::vector<std::string>{"1 ms", "10 ms", "100 ms", "1 s"}));
  EXPECT_EQ(labels(TicksOf(RangeOf(0, 120'000, false), "tx/s", 4)),
            (std::vector<std::string>{"0", "50,000", "100,000"}));
}

TEST(Values, AnAxisEndsWhateverItsValuesAre) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double most : {1e300, 1.7e308, kInfinity}) {
    for (const double least : {5e-324, 1e-300, 1.0}) {
      EXPECT_LT(TicksOf(RangeOf(least, most, true), "us", 5).size(), 20U) << least << " " << most;
      EXPECT_LT(TicksOf(RangeOf(least, most, false), "us", 5).size(), 20U) << least << " " << most;
    }
  }
}

TEST(TextSize, WrapsAtBlanksThenAtSignsThenAnywhere) {
  const double width = TextWidthPx("pgbouncer+", 10);
  EXPECT_EQ(WrapText("pgbouncer+postgres", width + 1, 10),
            (std::vector<std::string>{"pgbouncer+", "postgres"}));
  EXPECT_EQ(WrapText("ab cd", TextWidthPx("ab c", 10), 10), (std::vector<std::string>{"ab", "cd"}));
  EXPECT_EQ(WrapText("mmmm", TextWidthPx("mm", 10) + 1, 10),
            (std::vector<std::string>{"mm", "mm"}));
  EXPECT_EQ(WrapText("\xC3\xA4\xC3\xB6", 1, 10),
            (std::vector<std::string>{"\xC3\xA4", "\xC3\xB6"}));
  EXPECT_EQ(WrapText("", 10, 10).size(), 1U);
  for (const std::string& line : WrapText(std::string(60, 'W') + " x-y", 100, 12)) {
    EXPECT_LE(TextWidthPx(line, 12), 100);
  }
}

TEST(LabelPlacement, MovesLabelsNoMoreThanTheyOverlap) {
  EXPECT_EQ(PlaceLabels(std::vector<WantedLabel>{{20, 10}, {60, 10}}, 0, 100),
            (std::vector<double>{20, 60}));
  EXPECT_EQ(PlaceLabels(std::vector<WantedLabel>{{50, 10}, {50, 10}}, 0, 100),
            (std::vector<double>{45, 55}));
  EXPECT_EQ(PlaceLabels(std::vector<WantedLabel>{{99, 10}, {98, 10}, {2, 10}}, 0, 100),
            (std::vector<double>{95, 85, 5}));
  EXPECT_TRUE(PlaceLabels({}, 0, 100).empty());
}

TEST(LabelPlacement, NeverOverlapsWhereThereIsRoom) {
  // Every multiple of a prime modulo another: all orders and all densities.
  for (const int step : {7, 31, 61}) {
    std::vector<WantedLabel> wanted;
    for (int i = 0; i < 20; ++i) {
      wanted.push_back({static_cast<double>(i * step % 97), 3.0 + i % 3});
    }
    const auto centres = PlaceLabels(wanted, 0, 100);
    for (size_t a = 0; a < wanted.size(); ++a) {
      EXPECT_GE(centres[a] - wanted[a].height / 2, -1e-9);
      EXPECT_LE(centres[a] + wanted[a].height / 2, 100 + 1e-9);
      for (size_t b = 0; b < a; ++b) {
        EXPECT_GE(std::fabs(centres[a] - centres[b]) + 1e-9,
                  (wanted[a].height + wanted[b].height) / 2);
      }
    }
  }
}

// No text covers another or leaves the picture.
void ExpectReadable(const Scene& scene) {
  constexpr double kRounding = 0.01;
  std::vector<std::pair<Box, const Text*>> boxes;
  for (const Text& text : scene.texts) {
    const Box box = BoxOf(text);
    ASSERT_GE(box.left, -kRounding) << scene.name << ": " << text.text;
    ASSERT_LE(box.right, scene.width_px + kRounding) << scene.name << ": " << text.text;
    ASSERT_GE(box.top, -kRounding) << scene.name << ": " << text.text;
    ASSERT_LE(box.bottom, scene.height_px + kRounding) << scene.name << ": " << text.text;
    for (const auto& [other, other_text] : boxes) {
      const bool apart = box.right <= other.left + kRounding ||
                         other.right <= box.left + kRounding ||
                         box.bottom <= other.top + kRounding || other.bottom <= box.top + kRounding;
      ASSERT_TRUE(apart) << scene.name << ": \"" << text.text << "\" covers \"" << other_text->text
                         << "\"";
    }
    boxes.emplace_back(box, &text);
  }
}

std::vector<RenderOptions> AllSizes() {
  std::vector<RenderOptions> all;
  for (const auto& [theme, width] : {std::pair(Theme::kPaper, 317.5),
                                     {Theme::kDark, 480.0},
                                     {Theme::kLight, 960.0},
                                     {Theme::kLight, 1600.0}}) {
    RenderOptions options;
    options.theme = theme;
    options.width_px = width;
    all.push_back(options);
  }
  return all;
}

TEST(Layout, NoTextOfTheReferenceRunsCoversAnother) {
  for (const auto& [name, least_charts] :
       std::to_array<std::pair<std::string, size_t>>({{"quick", 15},
                                                      {"models", 15},
                                                      {"postgres", 15},
                                                      {"pooler-or-connections", 5},
                                                      {"claim-acceptor-ceiling", 15},
                                                      {"claim-memory-per-connection", 5}})) {
    const auto run =
        results::Run::Load(std::string(CONNBENCH_SOURCE_DIR) + "/results/reference/" + name);
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    const auto charts = ChartsOf(*run);
    EXPECT_GT(charts.size(), least_charts) << name;
    for (const Chart& chart : charts) {
      for (const RenderOptions& options : AllSizes()) ExpectReadable(LayOut(chart, options));
    }
  }
}

Chart ManyLines(size_t series) {
  Chart chart;
  chart.name = "lines";
  chart.title = std::string(60, 'T') + " " + std::string(60, 'i');
  chart.x_label = std::string(60, 'x');
  chart.y_label = "request time";
  chart.y_unit = "us";
  chart.better = "lower is better";
  for (size_t i = 0; i < series; ++i) {
    Series line;
    line.label =
        fmt::format("{:02} a label of sixty characters+with-signs=in_it and blanks too", i);
    line.contender = line.label;
    line.family = kFamilies[i % 5];
    for (const double x : {1.0, 8.0, 1000.0}) {
      line.points.push_back({x, x * static_cast<double>(i + 1), 0, 0});
      line.points.back().low = line.points.back().high = line.points.back().y;
    }
    chart.series.push_back(std::move(line));
  }
  return chart;
}

Chart ManyRows(size_t rows, ChartKind kind) {
  Chart chart;
  chart.kind = kind;
  chart.name = "rows";
  chart.title = "rows";
  chart.x_label = "request time";
  chart.x_unit = "us";
  chart.parts = {"one part with a long name", "another part with a long name", "third"};
  for (size_t i = 0; i < rows; ++i) {
    Bar bar;
    bar.label = fmt::format("{:03}_a_label_of_sixty_characters_without_a_place_to_break_it_at", i);
    bar.contender = bar.label;
    bar.parts = {1.0 + static_cast<double>(i), 2, i == rows - 1 ? 1e6 : 3};
    bar.remark = "(RSS 9.99 MB)";
    chart.bars.push_back(std::move(bar));
  }
  return chart;
}

// Of a heat map, or of shapes.
Chart WithCells(Chart chart) {
  chart.y_label = "99th percentile of latency";
  chart.shade_low = 1;
  chart.shade_high = 128;
  chart.x_lines = {2, 7};
  if (chart.kind == ChartKind::kHeat) chart.parts.assign(kShades, "a shade's value");
  for (Bar& bar : chart.bars) {
    bar.parts.clear();
    for (int i = 0; i < 10; ++i) bar.cells.push_back({i + 1.0, i + 2.0, std::pow(2.0, i)});
  }
  return chart;
}

TEST(Layout, AHeatMapHasALayerForEachShadeAndItsLinesAcross) {
  const Scene scene = LayOut(WithCells(ManyRows(1, ChartKind::kHeat)), {});
  ASSERT_EQ(scene.panels.size(), 1U);
  std::vector<Colour> shades;
  size_t cells = 0;
  for (const Layer& layer : scene.panels[0].layers) {
    if (layer.kind != LayerKind::kBoxes) continue;
    shades.push_back(layer.colour);
    cells += layer.rows.size();
  }
  EXPECT_EQ(cells, 10U);
  ASSERT_EQ(shades.size(), kShades) << "1, 2, 4 ... 128, and two beyond the last";
  EXPECT_EQ(shades.front(), Shade(0, Theme::kLight));
  EXPECT_EQ(shades.back(), Shade(kShades - 1, Theme::kLight));
  EXPECT_EQ(std::count_if(scene.panels[0].layers.begin(), scene.panels[0].layers.end(),
                          [](const Layer& layer) { return layer.kind == LayerKind::kSegments; }),
            2);
}

TEST(Palette, ShadesCanBeOrderedInGreyPrint) {
  for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kPaper}) {
    for (size_t shade = 0; shade + 1 < kShades; ++shade) {
      const double here = Luminance(Shade(shade, theme));
      const double next = Luminance(Shade(shade + 1, theme));
      EXPECT_TRUE(theme == Theme::kDark ? next > 1.1 * here : next < here / 1.1) << shade;
    }
  }
}

TEST(Layout, FortyContendersAndLongLabelsHaveRoom) {
  for (const RenderOptions& options : AllSizes()) {
    ExpectReadable(LayOut(ManyLines(1), options));
    ExpectReadable(LayOut(ManyLines(6), options));
    ExpectReadable(LayOut(ManyLines(40), options));
  }
}

TEST(Layout, TwoHundredCellsHaveRoom) {
  for (const RenderOptions& options : AllSizes()) {
    ExpectReadable(LayOut(ManyRows(200, ChartKind::kBars), options));
    ExpectReadable(LayOut(ManyRows(200, ChartKind::kDots), options));
    ExpectReadable(LayOut(WithCells(ManyRows(40, ChartKind::kHeat)), options));
    ExpectReadable(LayOut(WithCells(ManyRows(40, ChartKind::kShape)), options));
  }
}

TEST(Layout, MoreThanSixLinesBecomeAPanelForEachFamilyOverGrey) {
  const Scene few = LayOut(ManyLines(6), {});
  EXPECT_EQ(few.panels.size(), 1U);
  const Scene many = LayOut(ManyLines(10), {});
  ASSERT_EQ(many.panels.size(), 5U);
  for (const Panel& panel : many.panels) {
    const auto coloured =
        std::count_if(panel.layers.begin(), panel.layers.end(), [](const Layer& layer) {
          return layer.kind == LayerKind::kLine && layer.colour != ColoursOf(Theme::kLight).grid;
        });
    EXPECT_EQ(coloured, 2);
    EXPECT_EQ(std::count_if(panel.layers.begin(), panel.layers.end(),
                            [](const Layer& layer) { return layer.kind == LayerKind::kLine; }),
              10);
  }
}

TEST(Layout, WhatFlattensTheOthersHasAPanelOfItsOwn) {
  EXPECT_EQ(LayOut(ManyRows(10, ChartKind::kBars), {}).panels.size(), 2U);
  Chart even = ManyRows(10, ChartKind::kBars);
  even.bars.pop_back();
  EXPECT_EQ(LayOut(even, {}).panels.size(), 1U);
}

TEST(Layout, AWantedHeightIsKept) {
  RenderOptions options;
  options.height_px = 700;
  const Scene scene = LayOut(ManyLines(3), options);
  EXPECT_NEAR(scene.height_px, 700, 60);
}

TEST(Svg, GroupsGetTheirContendersAndValues) {
  const std::string svg =
      "<svg><g id=\"gnuplot_plot_1a\" ><title>gnuplot_plot_1a</title>x</g>"
      "<g id=\"gnuplot_plot_2a\" ><title>gnuplot_plot_2a</title>y</g></svg>";
  EXPECT_EQ(WithContenders(svg, {{"a<b", "a<b: 5 ms"}, {}}),
            "<svg><g data-contender=\"a&lt;b\"><title>a&lt;b: 5 ms</title>x</g><g>y</g></svg>");
  EXPECT_EQ(WithContenders(svg, {{"one", ""}}), svg) << "not the script's picture";
}

TEST(Svg, GroupsThatDrawNothingAreLeftOut) {
  EXPECT_EQ(WithContenders("<svg><g a=\"1\">\n</g>\n<g b=\"2\"><path/></g><g>\n\t</g></svg>", {}),
            "<svg><g b=\"2\"><path/></g><g>\n\t</g></svg>");
}

TEST(Svg, ThemeColoursBecomeVariablesForAPage) {
  const std::string svg =
      "<rect fill=\"#ffffff\"/><g fill=\"rgb(34,36,40)\" stroke='rgb( 64, 136, 199)'/>"
      "<g color=\"#FFFFFF\"/>";
  EXPECT_EQ(WithCssColours(svg, Theme::kLight),
            "<rect fill=\"var(--chart-background, #ffffff)\"/><g fill=\"var(--chart-text, "
            "#222428)\" stroke='var(--chart-process, #4088c7)'/>"
            "<g color=\"var(--chart-background, #ffffff)\"/>");
}

}  // namespace
}  // namespace connbench::plots
