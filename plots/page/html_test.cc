// Tests: small pieces of HTML for the page: text, tables, the frame around them.
#include "plots/page/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesWhatAPageCouldTakeForMarkup) {
  HtmlTable table;
  table.header = {"<b>", "n"};
  HtmlRow row{{{"<script>"}, {"1", "\"&", 1.5}}};
  row.contender = "\"><img>";
  table.rows = {row};
  table.footer = {"</table>"};
  const std::string html = RenderTable(table);
  EXPECT_THAT(html, HasSubstr("<tr data-contender=\"&quot;&gt;&lt;img&gt;\">"));
  EXPECT_THAT(html, HasSubstr("<td class=\"w\">&lt;script&gt;</td>"
                              "<td data-v=\"1.5\">1 <small>&quot;&amp;</small></td>"));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(html, HasSubstr("&lt;/table&gt;"));
}

TEST(Html, ControlCharactersAreShownButInListingsLineEndsStay) {
  EXPECT_EQ(Text("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(Code("a\n\tb<\n"), "<pre><code>a\n\tb&lt;\n</code></pre>\n");
}

TEST(Html, DataOfTheScriptCannotEndIt) {
  const std::string page = RenderPage("t", "", "", R"({"a":"</script><!--"})");
  EXPECT_THAT(page, HasSubstr(R"({"a":"\u003c/script>\u003c!--"})"));
}

TEST(Html, InlinedChartsDoNotShareIdsAndAreOneImageToAReader) {
  const std::string svg =
      "<?xml version=\"1.0\"?>\n<svg width=\"1\"><title>Gnuplot</title>\n<desc>by</desc><path "
      "id='p1'/><use xlink:href='#p1'/><g clip-path=\"url(#c)\"><title>5 ms</title></g></svg>";
  EXPECT_EQ(InlineSvg(svg, "x-", "a<b"),
            "<svg role=\"img\" aria-label=\"a&lt;b\" width=\"1\"><path id='x-p1'/>"
            "<use xlink:href='#x-p1'/><g clip-path=\"url(#x-c)\"><title>5 ms</title></g></svg>");
}

TEST(Html, OpacityOfAnInlinedChartMakesNoGroup) {
  EXPECT_THAT(InlineSvg("<svg><use opacity='0.45'/><use opacity=\"0.7\"/></svg>", "", ""),
              HasSubstr("<use fill-opacity='0.45' stroke-opacity='0.45'/>"
                        "<use fill-opacity=\"0.7\" stroke-opacity=\"0.7\"/>"));
}

TEST(Html, ThePageLoadsNothingFromElsewhere) {
  const std::string page = RenderPage("<t>", ":root{}", "<p>b</p>", "{}");
  EXPECT_THAT(page, Not(HasSubstr("http:")));
  EXPECT_THAT(page, Not(HasSubstr("https:")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("<p>b</p>"));
  EXPECT_THAT(page, HasSubstr("<title>&lt;t&gt;</title>"));
}

}  // namespace
}  // namespace connbench::plots
