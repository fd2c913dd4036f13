// Tests: charts as they stand on a page.
#include "plots/page/page_svg.h"

#include <Poco/Base64Decoder.h>
#include <Poco/InflatingStream.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace connbench::plots {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kDefs = "<defs>\n\t<circle id='gpPt5'/>\n</defs>";

std::string Svg(std::string_view inner) {
  return "<svg width=\"1\">\n" + std::string(kDefs) + "\n" + std::string(inner) + "</svg>";
}

TEST(PageSvg, MarksThatThePageHoldsStandInNoChart) {
  const std::string svg = Svg("<use xlink:href='#gpPt5'/>");
  const std::string marks = MarksOf(svg);
  EXPECT_EQ(marks, "<defs>\n<circle id='gpPt5'/>\n</defs>");
  EXPECT_EQ(PageSvg(svg, "x-", "a", marks),
            "<svg role=\"img\" aria-label=\"a\" width=\"1\">\n<use href='#gpPt5'/></svg>");
  EXPECT_THAT(PageSvg(svg, "x-", "a", "<defs>others</defs>"),
              HasSubstr("<circle id='x-gpPt5'/>\n</defs>\n<use href='#x-gpPt5'/>"));
}

TEST(PageSvg, NeighboursOfOneContenderAreOneGroup) {
  const auto group = [](const std::string& title, const std::string& inner) {
    return "<g data-contender=\"a\"><title>" + title + "</title>\n<g class=\"pen\">" + inner +
           "</g>\n</g>\n";
  };
  const std::string other = "<g>\n<g class=\"pen\">o</g>\n</g>\n";
  const std::string svg = PageSvg("<svg>" + group("1", "p") + group("1", "q") + other +
                                      group("1", "r") + group("2", "s") + "</svg>",
                                  "", "", "");
  EXPECT_THAT(svg, HasSubstr("<g data-contender=\"a\"><title>1</title>\n<g class=\"pen\">p</g>\n\n"
                             "<g class=\"pen\">q</g>\n</g>\n<g>\n<g class=\"pen\">o</g>\n</g>\n"
                             "<g data-contender=\"a\"><title>1</title>\n<g class=\"pen\">r</g>\n"
                             "</g>\n<g data-contender=\"a\"><title>2</title>"));
}

TEST(PageSvg, ColoursAreThePagesOwn) {
  EXPECT_THAT(PageSvg("<svg><rect fill=\"#ffffff\"/></svg>", "", "", ""),
              HasSubstr("fill=\"var(--chart-background)\""));
}

TEST(PageSvg, WhatIsNoSvgStaysAsItIs) {
  for (const char* text : {"", "no svg", "<g data-contender=\"a\"><g>",
                           "<g data-contender=", "<defs>", "</defs><defs>", "var(--chart-"}) {
    EXPECT_EQ(PageSvg(text, "", "", ""), text);
  }
}

TEST(PageSvg, WhatIsPackedIsSmallerAndComesBack) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "<use href='#gpPt6'/>";
  const std::string packed = Packed(text);
  EXPECT_LT(packed.size() * 20, text.size());
  EXPECT_THAT(packed, Not(HasSubstr("\n")));
  std::istringstream in(packed);
  Poco::Base64Decoder base64(in);
  Poco::InflatingInputStream gzip(base64, Poco::InflatingStreamBuf::STREAM_GZIP);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(gzip), {}), text);
}

}  // namespace
}  // namespace connbench::plots
