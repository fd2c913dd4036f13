// The colours of charts. The hues of the families are the same in all themes: each is readable on
// white and on black, in grey print, and apart from the others for colour-blind readers, which
// palette_test.cc computes.
//
// Safety: constants and pure functions; any thread. There are no errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plots/chart.h"
#include "plots/render.h"

namespace connbench::plots {

struct Colour {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;

  bool operator==(const Colour&) const = default;
};
std::string HexOf(const Colour& colour);  // "#0072b2"

// What a theme decides.
struct ThemeColours {
  Colour background;
  Colour text;
  Colour faint;  // text of second rank, axes, and series that are not highlighted
  Colour grid;   // lines of the grid, shaded bands
};
ThemeColours ColoursOf(Theme theme);

Colour HueOf(Family family);

}  // namespace connbench::plots
