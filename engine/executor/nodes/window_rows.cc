// The rows of a window's partition.
#include "engine/executor/nodes/window_rows.h"

#include <algorithm>
#include <utility>

namespace connbench::engine {

void WindowRows::Clear() {
  if (!stretches_.empty()) {
    spare_ = std::move(stretches_.front());
    spare_->store.Reset();
  }
  stretches_.clear();
  size_ = 0;
  bytes_held_ = 0;
}

void WindowRows::Release() {
  Clear();
  spare_.reset();
}

Status WindowRows::Add(std::string_view row) {
  if (!stretches_.empty()) {
    const RowStore& last = stretches_.back()->store;
    const bool full = last.in_memory() && last.rows() >= static_cast<size_t>(kRowsPerStretch);
    if (full) bytes_held_ += last.bytes_held();
    if (!full) {
      ++size_;
      return stretches_.back()->store.Add(row);
    }
  }
  std::unique_ptr<Stretch> stretch = std::move(spare_);
  if (stretch == nullptr) stretch = std::make_unique<Stretch>();
  stretch->first = size_;
  stretch->store.SetMemoryLimit(std::max<int64_t>(0, limit_bytes_ - bytes_held_));
  stretches_.push_back(std::move(stretch));
  ++size_;
  return stretches_.back()->store.Add(row);
}

Status WindowRows::Read(Reader& reader, int64_t row) const {
  if (reader.row == row) return {};
  const auto number = static_cast<size_t>((row - stretches_.front()->first) / kRowsPerStretch);
  Stretch& stretch = *stretches_[std::min(number, stretches_.size() - 1)];
  if (reader.stretch != stretch.first) {
    reader.stretch = stretch.first;
    reader.position.Rewind();
  }
  const auto place = static_cast<size_t>(row - stretch.first);
  if (reader.position.row != place) {
    CONNBENCH_RETURN_IF_ERROR(stretch.store.Seek(reader.position, place));
  }
  std::string_view bytes;
  CONNBENCH_RETURN_IF_ERROR(stretch.store.Read(reader.position, bytes).status());
  codec_.DecodeAll(bytes, reader.values.data());
  reader.row = row;
  return {};
}

void WindowRows::Trim(int64_t row) {
  while (stretches_.size() > 1 && stretches_[1]->first <= row) {
    bytes_held_ -= stretches_.front()->store.bytes_held();
    spare_ = std::move(stretches_.front());
    spare_->store.Reset();
    stretches_.pop_front();
  }
}

int64_t WindowRows::spilled_bytes() const {
  return stretches_.empty() ? 0 : stretches_.back()->store.spilled_bytes();
}

}  // namespace connbench::engine
