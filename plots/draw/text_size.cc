// How much room a text takes.
#include "plots/draw/text_size.h"

#include <array>
#include <cstdint>

namespace connbench::plots {
namespace {

// Advance widths of DejaVu Sans from ' ' to '~', in thousandths of the font's size.
constexpr std::array<uint16_t, 95> kWidths = {
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361,  318, 337, 636, 636, 636,
    636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632,
    575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635,  611, 732, 684, 989, 685,
    611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352,  635, 634, 278, 278, 579,
    278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592,  525, 636, 337, 636, 838};
constexpr double kThousandths = 1000;
constexpr double kWidthOfOthers = 1.0;  // of a character that is not ASCII
constexpr double kBoldIsWider = 1.12;

// Bytes of the character that begins here.
size_t CharacterBytes(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0U) == 0x80U) ++end;
  return end - at;
}

bool BreaksAfter(char c) { return std::string_view("-+/=,.:_").find(c) != std::string_view::npos; }

}  // namespace

double TextWidthPx(std::string_view text, double font_px, bool bold) {
  double width = 0;
  for (size_t at = 0; at < text.size(); at += CharacterBytes(text, at)) {
    const auto byte = static_cast<uint8_t>(text[at]);
    width += byte >= ' ' && byte <= '~' ? kWidths[byte - ' '] / kThousandths : kWidthOfOthers;
  }
  return width * font_px * (bold ? kBoldIsWider : 1);
}

std::vector<std::string> WrapText(std::string_view text, double max_px, double font_px, bool bold) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t fits = 0;    // bytes that fit
    size_t word = 0;    // bytes up to the last blank among them
    size_t inside = 0;  // bytes up to the last sign that a word may break after
    double width = 0;
    while (fits < text.size()) {
      const size_t bytes = CharacterBytes(text, fits);
      width += TextWidthPx(text.substr(fits, bytes), font_px, bold);
      if (width > max_px && fits > 0) break;
      if (text[fits] == ' ') word = fits;
      fits += bytes;
      if (BreaksAfter(text[fits - 1])) inside = fits;
    }
    size_t end = fits;
    if (fits < text.size() && text[fits] != ' ') end = word > 0 ? word : inside > 0 ? inside : fits;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace connbench::plots
