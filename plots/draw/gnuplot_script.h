// A scene as a gnuplot script with its data in it. Values stay in the axes' units, so that the
// script can be restyled by hand; only the words and leaders of the last panel are in pixels.
//
// Safety: pure functions; any thread. There are no errors.
#pragma once

#include <string>
#include <vector>

#include "plots/draw/scene.h"
#include "plots/render.h"

namespace connbench::plots {

struct GnuplotScript {
  std::string text;
  // Of each plot in the order of drawing, which is that of the SVG's groups.
  struct Plot {
    std::string contender;
    std::string title;
  };
  std::vector<Plot> plots;
};

// Writes NAME.svg, NAME.png or NAME.pdf into the folder that gnuplot runs in, by its variable
// `format` ("svg" where that is not set).
GnuplotScript ScriptOf(const Scene& scene, const RenderOptions& options);

}  // namespace connbench::plots
