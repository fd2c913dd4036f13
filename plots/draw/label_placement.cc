// Where the labels of lines go.
#include "plots/draw/label_placement.h"

#include <algorithm>
#include <numeric>

namespace connbench::plots {
namespace {

// Labels that touch each other and move as one.
struct Block {
  double wanted_sum = 0;  // of where each label wants the block to begin
  size_t labels = 0;
  double height = 0;

  double Begin(double low, double high) const {
    const double wanted = wanted_sum / static_cast<double>(labels);
    return std::max(low, std::min(wanted, high - height));
  }
};

}  // namespace

std::vector<double> PlaceLabels(std::span<const WantedLabel> labels, double low, double high) {
  std::vector<size_t> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return labels[a].centre < labels[b].centre; });
  // Neighbours that would overlap are joined until none do.
  std::vector<Block> blocks;
  for (const size_t index : order) {
    const WantedLabel& label = labels[index];
    Block block{label.centre - label.height / 2, 1, label.height};
    while (!blocks.empty() &&
           blocks.back().Begin(low, high) + blocks.back().height > block.Begin(low, high)) {
      const Block& above = blocks.back();
      block = {
          above.wanted_sum + block.wanted_sum - static_cast<double>(block.labels) * above.height,
          above.labels + block.labels, above.height + block.height};
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  std::vector<double> centres(labels.size());
  size_t next = 0;
  for (const Block& block : blocks) {
    double at = block.Begin(low, high);
    for (size_t i = 0; i < block.labels; ++i) {
      const size_t index = order[next++];
      centres[index] = at + labels[index].height / 2;
      at += labels[index].height;
    }
  }
  return centres;
}

}  // namespace connbench::plots
