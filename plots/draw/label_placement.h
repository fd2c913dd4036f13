// Where the labels of lines go, which all want to stand beside the end of their line: as near to it
// as they can without covering each other.
//
// Safety: pure functions; any thread. There are no errors.
#pragma once

#include <span>
#include <vector>

namespace connbench::plots {

struct WantedLabel {
  double centre = 0;
  double height = 0;
};

// The labels' centres, in the order of `labels`: none covers another, all lie between low and high,
// and the sum of the squared distances to where they want to be is the least. Labels that are
// higher together than high - low overlap in no order but begin at low.
std::vector<double> PlaceLabels(std::span<const WantedLabel> labels, double low, double high);

}  // namespace connbench::plots
