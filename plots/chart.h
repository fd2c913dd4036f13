// What a chart is, before anything is drawn: data, words and units. charts.cc builds charts from
// results; render.cc draws them. Nothing here knows gnuplot.
//
// Safety: plain values in private memory.
#pragma once

#include <string>
#include <vector>

namespace connbench::plots {

struct Point {
  double x = 0;
  double y = 0;
  double low = 0;  // the interval of y; equal to y where there is none
  double high = 0;
};

struct Series {
  std::string label;
  std::vector<Point> points;  // in the order of x
};

// One bar: a stack of parts (a single part makes a plain bar).
struct Bar {
  std::string group;  // bars with the same group stand together
  std::string label;
  std::vector<double> parts;  // one value for each Chart::parts
  double low = 0;             // the interval of the whole bar; both 0 where there is none
  double high = 0;
};

struct Tick {
  double at = 0;
  std::string label;
};

enum class ChartKind { kLines, kBars };

// A range of x that is shaded, with a line where it is most likely; all 0: none.
struct XBand {
  double low = 0;
  double at = 0;
  double high = 0;
};

struct Chart {
  ChartKind kind = ChartKind::kLines;
  std::string name;      // file name without suffix
  std::string title;     // what is shown
  std::string subtitle;  // under which conditions
  std::string caption;   // how to read it, for the report
  std::string x_label;   // with the unit
  std::string y_label;
  XBand x_band;  // kLines
  bool log_x = false;
  bool log_y = false;
  std::vector<Tick> x_ticks;       // empty: chosen by the renderer
  std::vector<Series> series;      // kLines
  std::vector<std::string> parts;  // kBars: what the parts of each bar are
  std::vector<Bar> bars;           // kBars, in drawing order
};

}  // namespace connbench::plots
