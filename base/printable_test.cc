// Tests: text of a peer as it may be shown: in a terminal, a report, a log.
#include "base/printable.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(Printable, ShowsControlCharactersAndKeepsText) {
  EXPECT_EQ(Printable("relation \"größe\" fehlt, 表"), "relation \"größe\" fehlt, 表");
  EXPECT_EQ(Printable("\033]0;owned\007"), "\\x1b]0;owned\\x07");
  EXPECT_EQ(Printable("a\nb\tc\rd"), "a\\x0ab\\x09c\\x0dd");
  EXPECT_EQ(Printable("\x7f"), "\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // C1's CSI
  EXPECT_EQ(Printable("\xe2\x80\xae"
                      "gnp"),
            "\\xe2\\x80\\xaegnp");  // right-to-left override
  EXPECT_EQ(Printable(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(Printable, ShowsWhatIsNotUtf8ByteByByte) {
  EXPECT_EQ(Printable("\xff"), "\\xff");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");                    // cut off
  EXPECT_EQ(Printable("\xc0\x9b"), "\\xc0\\x9b");           // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(Printable("\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(Printable, NothingLooksEscapedThatIsNot) {
  EXPECT_EQ(Printable("\\x1b"), "\\x5cx1b");
  EXPECT_EQ(Printable("\\n"), "\\n");
}

TEST(Printable, MarkdownCellsCannotEnd) { EXPECT_EQ(MarkdownCell("a|b\n"), "a\\|b\\x0a"); }

TEST(Printable, EscapesWhatCouldBeTakenForMarkup) {
  EXPECT_EQ(EscapeMarkup("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
}

}  // namespace
}  // namespace connbench
