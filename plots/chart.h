// What a chart is, before anything is drawn: data, words and units. charts.h makes charts from
// results; render.h draws them. Nothing here knows gnuplot, pixels or colours.
//
// Safety: plain values in private memory; any thread. There are no errors.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace connbench::plots {

// What a contender staffs its connections with. A family has one hue in all charts.
enum class Family : uint8_t { kProcess, kThread, kPool, kLoop, kForeign };
inline constexpr Family kFamilies[] = {Family::kProcess, Family::kThread, Family::kPool,
                                       Family::kLoop, Family::kForeign};
std::string_view FamilyName(Family family);  // "process", "thread", "pool", "loop", "foreign"
// Of a contender's name as in the CSV. Whatever is no model of ours is foreign.
Family FamilyOf(std::string_view contender);

inline constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

struct Point {
  double x = 0;
  double y = 0;
  double low = 0;  // the interval of y; equal to y where there is none
  double high = 0;
  std::vector<double> repetitions = {};  // what y is the middle of; may be empty
};

// A line.
struct Series {
  std::string label;
  std::vector<Point> points;   // in the order of x
  std::string contender = {};  // as in the CSV
  Family family = Family::kForeign;
  double knee = kNoValue;  // the x of a point that is ringed
};

// A stretch of a row's axis, and what is so large there.
struct Cell {
  double low = 0;
  double high = 0;
  double value = 0;
};

// A row with a name: a stack of parts, a dot for each part, or cells.
struct Bar {
  std::string group;  // rows with the same group stand together
  std::string label;
  std::vector<double> parts;  // one value for each Chart::parts; kNoValue: not measured
  double low = 0;             // the interval of the whole; equal where there is none
  double high = 0;
  std::string contender = {};  // as in the CSV
  Family family = Family::kForeign;
  std::vector<double> repetitions = {};  // of the whole; may be empty
  std::string remark = {};               // printed after the value
  std::vector<Cell> cells = {};          // kHeat, kShape: in the order of their stretches
};

struct Tick {
  double at = 0;
  std::string label;
};

enum class ChartKind : uint8_t {
  kLines,  // series over a numeric axis
  kSteps,  // the same; a value holds until the next
  kBars,   // a stack of parts for each row, from 0
  kDots,   // a dot for each part of each row, with interval and repetitions
  kHeat,   // cells shaded by their values, on a logarithmic scale
  kShape,  // cells as high as their values, of each row by its own scale; dots for the parts
};
inline bool HasRows(ChartKind kind) {
  return kind != ChartKind::kLines && kind != ChartKind::kSteps;
}

// How many shades a heat map has.
inline constexpr size_t kShades = 8;

// A range of x that is shaded, with a line where it is most likely; all 0: none.
struct XBand {
  double low = 0;
  double at = 0;
  double high = 0;
};

struct Chart {
  ChartKind kind = ChartKind::kLines;
  std::string name;      // unique among the charts of a run, stable; file name without suffix
  std::string title;     // what is shown
  std::string subtitle;  // under which conditions
  std::string caption;   // what to look for
  std::string x_label;   // with the unit
  std::string y_label;
  XBand x_band = {};                 // kLines
  std::vector<double> x_lines = {};  // kLines, kHeat: dashed, from top to bottom
  double shade_low = 0;              // kHeat: values of the first and the last shade
  double shade_high = 0;
  bool log_x = false;
  bool log_y = false;
  std::vector<Tick> x_ticks = {};       // empty: chosen by the renderer
  std::vector<Series> series = {};      // kLines, kSteps
  std::vector<std::string> parts = {};  // of rows: what the parts of each row are
  std::vector<Bar> bars = {};           // of rows: in drawing order

  std::string topic = {};     // what `connbench plot` calls it: "memory", "throughput"
  std::string question = {};  // one line: what the picture answers
  std::string metric = {};    // a column of trials.csv; empty where it shows several
  std::string pattern = {};   // that it belongs to, as in the CSV; empty: to the run
  std::string workload = {};
  std::string better = {};  // "lower is better", "higher is better", or empty
  std::string x_unit = {};  // of the values, as in the schema: "us", "kB", "tx/s", ""
  std::string y_unit = {};
  std::vector<std::string> notes = {};  // what is not shown, and why
  std::string source = {};              // run, machine, date
};

}  // namespace connbench::plots
