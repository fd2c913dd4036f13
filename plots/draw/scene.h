// A chart laid out: where each panel, mark and text stands, in pixels, before gnuplot draws it.
// Every text is placed here and none by gnuplot, so that no two of them can meet.
//
// Pixels are CSS pixels from the upper left corner. Safety: plain values and pure functions; any
// thread. There are no errors: what has no room makes the picture higher.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "plots/chart.h"
#include "plots/draw/values.h"
#include "plots/palette.h"
#include "plots/render.h"

namespace connbench::plots {

struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

enum class Anchor : uint8_t { kLeft, kCentre, kRight };

// One line of text.
struct Text {
  std::string text;
  double x = 0;
  double y = 0;  // of its middle
  Anchor anchor = Anchor::kLeft;
  double font_px = 0;
  bool bold = false;
  Colour colour = {};
  std::string contender = {};  // whom it belongs to, if anyone
};
Box BoxOf(const Text& text);

enum class LayerKind : uint8_t {
  kLine,      // x, y
  kSteps,     // x, y
  kPoints,    // x, y
  kSegments,  // x, y to x, y
  kBoxes,     // x, y to the opposite corner's x, y
};

// Marks of one look.
struct Layer {
  LayerKind kind = LayerKind::kLine;
  std::vector<std::array<double, 4>> rows;  // never empty
  Colour colour = {};
  double opacity = 1;
  double width_px = 1;
  int dash = 1;    // gnuplot's dashtype
  int marker = 7;  // gnuplot's pointtype
  double marker_px = 6;
  std::string contender = {};
  std::string title = {};  // what it is worth, for whoever points at it
};

struct Panel {
  Box box;
  Range x;
  Range y;
  bool rows_from_above = false;  // y counts downwards
  std::vector<double> x_grid;
  std::vector<double> y_grid;
  std::vector<Layer> layers;
};

struct Scene {
  std::string name;
  double width_px = 0;
  double height_px = 0;
  std::vector<Panel> panels;
  std::vector<Text> texts;
  std::vector<Layer> overlay;  // above all panels, in pixels
};

// What the layouts share: sizes and colours.
struct Style {
  explicit Style(const RenderOptions& options);

  Theme theme;
  ThemeColours colours;
  double width_px;
  double font_px;
  double small_px;
  double line_px;    // width of a line
  double marker_px;  // size of a mark
  double gap_px;     // between things that are not to touch
};

Scene LayOut(const Chart& chart, const RenderOptions& options);

}  // namespace connbench::plots
