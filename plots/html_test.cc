#include "plots/html.h"

#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

TEST(Html, EscapesWhatAPageCouldTakeForMarkup) {
  EXPECT_EQ(EscapeHtml("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
  const std::string table = RenderTable({{"name", "n"}, {{"<script>", "1"}}, 1});
  EXPECT_EQ(table.find("<script>"), std::string::npos);
  EXPECT_NE(table.find("<td class=\"w\">&lt;script&gt;</td><td>1</td>"), std::string::npos);
}

TEST(Html, InlinedChartsDoNotShareIds) {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg><path id='p1'/><use xlink:href='#p1'/>"
      "<g clip-path=\"url(#c)\"/></svg>";
  const std::string inlined = InlineSvg(svg, "x-");
  EXPECT_EQ(inlined.rfind("<svg", 0), 0U);
  EXPECT_NE(inlined.find("id='x-p1'"), std::string::npos);
  EXPECT_NE(inlined.find("href='#x-p1'"), std::string::npos);
  EXPECT_NE(inlined.find("url(#x-c)"), std::string::npos);
}

TEST(Html, ThePageLoadsNothingFromElsewhere) {
  const std::string page = RenderPage("t", "<p>b</p>");
  EXPECT_EQ(page.find("http"), std::string::npos);
  EXPECT_NE(page.find("<p>b</p>"), std::string::npos);
}

}  // namespace
}  // namespace connbench::plots
