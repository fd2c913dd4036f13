// Rows that are stored to be read again.
#include "engine/executor/nodes/row_store.h"

#include <algorithm>
#include <cstring>

namespace connbench::engine {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;  // of what is written and of what is read at once

}  // namespace

int64_t RowStore::bytes_held() const {
  return arena_.bytes_held() + static_cast<int64_t>(memory_.capacity() * sizeof(memory_[0]));
}

void RowStore::Clear() {
  rows_ = 0;
  std::vector<std::string_view>().swap(memory_);
  arena_.Release();
  file_.Close();
  std::vector<char>().swap(unwritten_);
  std::vector<int64_t>().swap(places_);
}

void RowStore::Reset() {
  if (!in_memory()) return Clear();
  rows_ = 0;
  memory_.clear();
  arena_.Reset();
}

Status RowStore::Add(std::string_view row) {
  if (in_memory() && bytes_held() <= limit_bytes_) {
    const std::string_view copy = arena_.Copy(row);
    if (copy.data() != nullptr) {
      memory_.push_back(copy);
      ++rows_;
      return {};
    }
  }
  if (!file_.is_open()) CONNBENCH_RETURN_IF_ERROR(file_.Open());
  if ((rows_ - memory_.size()) % kRowsPerPlace == 0) places_.push_back(spilled_bytes());
  const auto length = static_cast<uint32_t>(row.size());
  const char* header = reinterpret_cast<const char*>(&length);
  unwritten_.insert(unwritten_.end(), header, header + sizeof length);
  unwritten_.insert(unwritten_.end(), row.begin(), row.end());
  ++rows_;
  if (unwritten_.size() < kBufferBytes) return {};
  CONNBENCH_RETURN_IF_ERROR(file_.Append(unwritten_.data(), unwritten_.size()));
  unwritten_.clear();
  return {};
}

Status RowStore::CopyOut(Position& position, int64_t offset, char* bytes, size_t count) const {
  while (count > 0) {
    if (offset >= file_.size()) {
      std::memcpy(bytes, unwritten_.data() + (offset - file_.size()), count);
      return {};
    }
    const auto chunk_end = position.chunk_offset + static_cast<int64_t>(position.chunk.size());
    if (offset < position.chunk_offset || offset >= chunk_end) {
      const auto left = static_cast<size_t>(file_.size() - offset);
      position.chunk.resize(std::min(left, kBufferBytes));
      CONNBENCH_ASSIGN_OR_RETURN(const size_t got,
                                 file_.Read(offset, position.chunk.data(), position.chunk.size()));
      position.chunk.resize(got);
      position.chunk_offset = offset;
      continue;
    }
    const auto part = std::min(count, static_cast<size_t>(chunk_end - offset));
    std::memcpy(bytes, position.chunk.data() + (offset - position.chunk_offset), part);
    bytes += part;
    offset += static_cast<int64_t>(part);
    count -= part;
  }
  return {};
}

Result<bool> RowStore::Read(Position& position, std::string_view& row) {
  if (position.row >= rows_) return false;
  if (position.row < memory_.size()) {
    row = memory_[position.row++];
    return true;
  }
  uint32_t length = 0;
  CONNBENCH_RETURN_IF_ERROR(
      CopyOut(position, position.offset, reinterpret_cast<char*>(&length), sizeof length));
  position.bytes.resize(length);
  CONNBENCH_RETURN_IF_ERROR(CopyOut(position, position.offset + static_cast<int64_t>(sizeof length),
                                    position.bytes.data(), length));
  position.offset += static_cast<int64_t>(sizeof length + length);
  ++position.row;
  row = {position.bytes.data(), position.bytes.size()};
  return true;
}

Status RowStore::Seek(Position& position, size_t row) const {
  if (row < memory_.size()) {
    position.row = row;
    position.offset = 0;
    return {};
  }
  const size_t place = (row - memory_.size()) / kRowsPerPlace;
  const size_t first = memory_.size() + place * kRowsPerPlace;
  if (position.row > row || position.row < first) {
    position.row = first;
    position.offset = places_[place];
  }
  for (; position.row < row; ++position.row) {
    uint32_t length = 0;
    CONNBENCH_RETURN_IF_ERROR(
        CopyOut(position, position.offset, reinterpret_cast<char*>(&length), sizeof length));
    position.offset += static_cast<int64_t>(sizeof length + length);
  }
  return {};
}

void RowStore::MoveToEnd(Position& position) const {
  position.row = rows_;
  position.offset = spilled_bytes();
}

}  // namespace connbench::engine
