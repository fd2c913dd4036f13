// A scene as a gnuplot script.
#include "plots/draw/gnuplot_script.h"

#include <fmt/format.h>

#include <utility>

namespace connbench::plots {
namespace {

constexpr double kPointsPerPixel = 0.75;
constexpr double kPixelsPerInch = 96;
constexpr double kPngScale = 2;
// Marks of the SVG terminal are larger than those of the others.
constexpr double kSvgMarkScale = 0.72;
// pdfcairo takes a font's size for points of which 96 are an inch.
constexpr double kPdfFontScale = kPointsPerPixel * kPointsPerPixel;

// A double-quoted gnuplot string; enhanced text is off, so only quotes, backslashes and control
// characters need care, and backquotes: gnuplot would run what stands in them as a shell command,
// and words come from files of results that somebody else may have made.
std::string Quoted(std::string_view text) {
  constexpr std::string_view kSpecial = "\"\\`";
  std::string out = "\"";
  for (const char c : text) {
    if (kSpecial.find(c) != std::string_view::npos) out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + "\"";
}

// Colour with gnuplot's alpha: 0 is opaque.
std::string ColourOf(const Colour& colour, double opacity = 1) {
  constexpr double kMost = 255;
  const auto alpha = static_cast<int>((1 - opacity) * kMost);
  return fmt::format("'#{:02x}{:02x}{:02x}{:02x}'", alpha, colour.red, colour.green, colour.blue);
}

class ScriptWriter {
 public:
  ScriptWriter(const Scene& scene, const RenderOptions& options)
      : scene_(scene), options_(options) {}

  GnuplotScript Write() {
    Terminals();
    out_ += "unset key\nunset border\nunset tics\nset multiplot\n";
    for (const Panel& panel : scene_.panels) WritePanel(panel);
    WriteOverlay();
    out_ += "unset multiplot\nunset output\n";
    script_.text = std::move(out_);
    return std::move(script_);
  }

 private:
  void Terminals() {
    const ThemeColours colours = ColoursOf(options_.theme);
    const std::string background = HexOf(colours.background);
    const std::string font = Quoted(options_.font + ",12");
    out_ += fmt::format("# Draw it again: gnuplot -e 'format=\"pdf\"' {}.gp\n", scene_.name);
    out_ += "if (!exists(\"format\")) format = \"svg\"\n";
    out_ += fmt::format(
        "if (format eq \"svg\") {{ set terminal svg size {:.0f},{:.0f} dynamic noenhanced font {} "
        "background '{}'; scale = 1.0; mark = {} }}\n",
        scene_.width_px, scene_.height_px, font, background, kSvgMarkScale);
    out_ += fmt::format(
        "if (format eq \"png\") {{ set terminal pngcairo size {:.0f},{:.0f} noenhanced font {} "
        "background '{}' linewidth {} pointscale {} fontscale 1; scale = {}; mark = 1.0 }}\n",
        kPngScale * scene_.width_px, kPngScale * scene_.height_px, font, background, kPngScale,
        kPngScale, kPngScale * kPointsPerPixel);
    out_ += fmt::format(
        "if (format eq \"pdf\") {{ set terminal pdfcairo size {:.4f}in,{:.4f}in noenhanced font {} "
        "background '{}' linewidth {} pointscale {} fontscale 1; scale = {}; mark = 1.0 }}\n",
        scene_.width_px / kPixelsPerInch, scene_.height_px / kPixelsPerInch, font, background,
        kPointsPerPixel, kPointsPerPixel, kPdfFontScale);
    out_ += fmt::format("set output {}.\".\".format\n", Quoted(scene_.name));
    out_ += fmt::format("plain(px) = {}.sprintf(\",%.2f\", px * scale)\n", Quoted(options_.font));
    out_ += fmt::format("bold(px) = {}.sprintf(\",%.2f\", px * scale)\n",
                        Quoted(options_.font + " Bold"));
  }

  void SetBox(const Box& box) {
    out_ += fmt::format(
        "set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\nset tmargin at screen "
        "{:.6f}\nset bmargin at screen {:.6f}\n",
        box.left / scene_.width_px, box.right / scene_.width_px, 1 - box.top / scene_.height_px,
        1 - box.bottom / scene_.height_px);
  }

  void SetAxis(char axis, const Range& range, bool backwards) {
    out_ += fmt::format("{} logscale {}\n", range.log ? "set" : "unset", axis);
    out_ += fmt::format("set {}range [{}:{}]\n", axis, backwards ? range.high : range.low,
                        backwards ? range.low : range.high);
  }

  // gnuplot's own would draw a tick and a label of no words for each line.
  Layer GridOf(const Panel& panel) const {
    Layer grid;
    grid.kind = LayerKind::kSegments;
    grid.colour = ColoursOf(options_.theme).grid;
    for (const double x : panel.x_grid) grid.rows.push_back({x, panel.y.low, x, panel.y.high});
    for (const double y : panel.y_grid) grid.rows.push_back({panel.x.low, y, panel.x.high, y});
    return grid;
  }

  void WritePanel(const Panel& panel) {
    out_ += "\n";
    SetBox(panel.box);
    SetAxis('x', panel.x, false);
    SetAxis('y', panel.y, panel.rows_from_above);
    std::vector<Layer> layers = {GridOf(panel)};
    if (layers.front().rows.empty()) layers.clear();
    layers.insert(layers.end(), panel.layers.begin(), panel.layers.end());
    WriteLayers(layers, {});
  }

  void WriteOverlay() {
    out_ += "\n# Words and leaders, in pixels.\n";
    SetBox({0, 0, scene_.width_px, scene_.height_px});
    SetAxis('x', {0, scene_.width_px, false}, false);
    SetAxis('y', {0, scene_.height_px, false}, true);
    std::vector<const Text*> owned;
    int label = 0;
    for (const Text& text : scene_.texts) {
      if (text.text.empty()) continue;
      if (!text.contender.empty()) {
        owned.push_back(&text);
        continue;
      }
      out_ += fmt::format("set label {} {} at {:.2f},{:.2f} {}\n", ++label, Quoted(text.text),
                          text.x, text.y, LooksOf(text));
    }
    WriteLayers(scene_.overlay, owned);
  }

  static std::string LooksOf(const Text& text) {
    const char* anchor = text.anchor == Anchor::kLeft    ? "left"
                         : text.anchor == Anchor::kRight ? "right"
                                                         : "center";
    return fmt::format("{} font {}({:.2f}) tc rgb {}", anchor, text.bold ? "bold" : "plain",
                       text.font_px, ColourOf(text.colour));
  }

  void WriteLayers(const std::vector<Layer>& layers, const std::vector<const Text*>& texts) {
    std::string plot;
    const auto add = [&](std::string element, std::string contender, std::string title) {
      plot += (plot.empty() ? "plot " : ", \\\n  ") + std::move(element);
      script_.plots.push_back({std::move(contender), std::move(title)});
    };
    for (const Layer& layer : layers) {
      const std::string block = fmt::format("$data{}", ++blocks_);
      out_ += block + " << EOD\n";
      for (const auto& row : layer.rows) {
        out_ += fmt::format("{} {} {} {}\n", row[0], row[1], row[2], row[3]);
      }
      out_ += "EOD\n";
      add(ElementOf(layer, block), layer.contender, layer.title);
    }
    for (const Text* text : texts) {
      const std::string block = fmt::format("$data{}", ++blocks_);
      out_ += fmt::format("{} << EOD\n{:.2f} {:.2f}\nEOD\n", block, text->x, text->y);
      add(fmt::format("{} using 1:2:({}) with labels {}", block, Quoted(text->text),
                      LooksOf(*text)),
          text->contender, text->contender);
    }
    // A panel is drawn by its plot, even if there is nothing in it.
    out_ += plot.empty() ? std::string("plot NaN\n") : plot + "\n";
    if (plot.empty()) script_.plots.emplace_back();
  }

  static std::string ElementOf(const Layer& layer, const std::string& block) {
    const std::string colour = ColourOf(layer.colour, layer.opacity);
    // At size 1.
    constexpr double kMarkPixels = 9;
    switch (layer.kind) {
      case LayerKind::kLine:
      case LayerKind::kSteps:
        return fmt::format("{} using 1:2 with {} lc rgb {} lw {} dt {}", block,
                           layer.kind == LayerKind::kLine ? "lines" : "steps", colour,
                           layer.width_px, layer.dash);
      case LayerKind::kPoints:
        return fmt::format("{} using 1:2 with points lc rgb {} pt {} ps {:.2f}*mark", block, colour,
                           layer.marker, layer.marker_px / kMarkPixels);
      case LayerKind::kSegments:
        return fmt::format("{} using 1:2:($3-$1):($4-$2) with vectors nohead lc rgb {} lw {} dt {}",
                           block, colour, layer.width_px, layer.dash);
      case LayerKind::kBoxes:
        return fmt::format(
            "{} using (($1+$3)/2):(($2+$4)/2):1:3:2:4 with boxxyerror fs solid noborder fc rgb {}",
            block, colour);
    }
    return "";
  }

  const Scene& scene_;
  const RenderOptions& options_;
  std::string out_;
  int blocks_ = 0;
  GnuplotScript script_;
};

}  // namespace

GnuplotScript ScriptOf(const Scene& scene, const RenderOptions& options) {
  return ScriptWriter(scene, options).Write();
}

}  // namespace connbench::plots
