// What the layouts of lines and of rows have in common: the words above and below, the legend of
// parts, tick labels.
//
// Safety: one thread at a time for each scene. There are no errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plots/draw/scene.h"

namespace connbench::plots {

// Adds wrapped lines below *top, which then is their end.
void AddParagraph(Scene& scene, const Style& style, std::string_view text, double font_px,
                  const Colour& colour, double* top, bool bold = false);

// Title, conditions, what is measured and which way is better, and the legend of parts.
void AddHeader(Scene& scene, const Style& style, const Chart& chart, double* top);
// What is not shown, and where the figures come from. Ends the picture.
void AddFooter(Scene& scene, const Style& style, const Chart& chart, double* top);

// The labels of ticks below the panel as far as they have room, and the grid.
void AddXTicks(Scene& scene, const Style& style, const std::vector<Tick>& ticks, Panel& panel);
// Beside it on the left.
void AddYTicks(Scene& scene, const Style& style, const std::vector<Tick>& ticks, Panel& panel);

double PixelOfX(const Panel& panel, double x);
double PixelOfY(const Panel& panel, double y);

// Of a heat map: from light to dark, or the reverse on a dark page.
Colour Shade(size_t shade, Theme theme);
// How parts are told apart: the fill of a stack's part, the mark of a dot's.
Colour FillOfPart(size_t part, Theme theme);
int MarkerOf(size_t member);

void LayOutLines(const Chart& chart, const Style& style, const RenderOptions& options,
                 Scene& scene);
void LayOutRows(const Chart& chart, const Style& style, Scene& scene);

}  // namespace connbench::plots
