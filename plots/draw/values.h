// How values are written in charts: in the unit that fits (us, ms, s; kB, MB, GB), with thousands
// separators and no more digits than matter; and which values an axis names.
//
// Units are those of the schema: "us", "ms", "s", "kB", "tx/s", "1/s", "" and any other, which is
// printed after the number.
//
// Safety: pure functions; any thread. There are no errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plots/chart.h"

namespace connbench::plots {

// "1,234,567", "12.3", "0.00123": three digits, or all before the point.
std::string PrintNumber(double value);

// "637 ms", "1.2 MB", "12,345 tx/s".
std::string PrintValue(double value, std::string_view unit);

struct Range {
  double low = 0;
  double high = 1;
  bool log = false;

  // Where a value lies, from 0 at low to 1 at high.
  double Share(double value) const;
};

// An axis that holds the values: from 0, or with a little room on both ends if it is logarithmic
// (values must be above 0 then).
Range RangeOf(double least, double most, bool log);

// At most about `wanted` values for the axis to name.
std::vector<Tick> TicksOf(const Range& range, std::string_view unit, int wanted);

}  // namespace connbench::plots
