// The colours of charts.
#include "plots/palette.h"

#include <fmt/format.h>

namespace connbench::plots {

std::string HexOf(const Colour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

ThemeColours ColoursOf(Theme theme) {
  switch (theme) {
    case Theme::kLight:
      return {{255, 255, 255}, {34, 36, 40}, {118, 122, 128}, {222, 224, 228}};
    case Theme::kDark:
      return {{21, 24, 28}, {230, 232, 235}, {139, 144, 151}, {52, 57, 64}};
    case Theme::kPaper:
      return {{255, 255, 254}, {0, 0, 0}, {110, 110, 110}, {210, 210, 210}};
  }
  return {};
}

// Searched for the largest least distance under normal and colour-blind sight.
Colour HueOf(Family family) {
  switch (family) {
    case Family::kProcess:
      return {64, 136, 199};
    case Family::kThread:
      return {130, 99, 52};
    case Family::kPool:
      return {98, 153, 147};
    case Family::kLoop:
      return {162, 20, 245};
    case Family::kForeign:
      return {184, 141, 0};
  }
  return {};
}

}  // namespace connbench::plots
