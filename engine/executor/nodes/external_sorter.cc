// Sorts (key, payload) records by the bytes of their keys, in memory up to a limit.
#include "engine/executor/nodes/external_sorter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "engine/executor/interruptible_sort.h"

namespace connbench::engine {
namespace {

constexpr size_t kWriteBufferBytes = 64 * 1024;
constexpr size_t kSmallestReadBuffer = 8 * 1024;
constexpr size_t kLargestReadBuffer = 256 * 1024;

uint64_t PrefixOf(std::string_view key) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), std::min(key.size(), sizeof prefix));
  static_assert(std::endian::native == std::endian::little);
  return __builtin_bswap64(prefix);
}

}  // namespace

std::string_view ExternalSorter::KeyOf(const char* record) {
  Record header;
  std::memcpy(&header, record, sizeof header);
  return {record + sizeof header, header.key_bytes};
}

bool ExternalSorter::Before(const Entry& a, const Entry& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  return KeyOf(a.record) < KeyOf(b.record);
}

// Sorting needs the entries twice.
int64_t ExternalSorter::EntriesBytes() const {
  return static_cast<int64_t>(2 * entries_.capacity() * sizeof(Entry));
}

Status ExternalSorter::Add(std::string_view key, std::string_view payload) {
  // A full list doubles, and keeps its size when the run is spilled: one that took the whole limit
  // would leave room for one record a run.
  const bool grows = entries_.size() == entries_.capacity();
  const int64_t wanted = BytesHeld() + (grows ? EntriesBytes() : 0);
  if (wanted >= limit_bytes_ && !entries_.empty()) CONNBENCH_RETURN_IF_ERROR(SpillRun());
  const Record header{static_cast<uint32_t>(key.size()), static_cast<uint32_t>(payload.size())};
  char* record = arena_.AllocateBytes(sizeof header + key.size() + payload.size());
  if (record == nullptr) return arena_.OutOfMemory();
  std::memcpy(record, &header, sizeof header);
  if (!key.empty()) std::memcpy(record + sizeof header, key.data(), key.size());
  if (!payload.empty()) {
    std::memcpy(record + sizeof header + key.size(), payload.data(), payload.size());
  }
  entries_.push_back({PrefixOf(key), record});
  ++records_;
  peak_bytes_ = std::max(peak_bytes_, BytesHeld());
  return {};
}

Status ExternalSorter::SortEntries() {
  WorkMeter meter = arena_.Meter();
  return SortInterruptibly(entries_, Before, meter);
}

Status ExternalSorter::SpillRun() {
  if (!file_.is_open()) CONNBENCH_RETURN_IF_ERROR(file_.Open());
  CONNBENCH_RETURN_IF_ERROR(SortEntries());
  const int64_t begin = file_.size();
  std::string buffer;
  buffer.reserve(kWriteBufferBytes);
  for (const Entry& entry : entries_) {
    Record header;
    std::memcpy(&header, entry.record, sizeof header);
    const size_t bytes = sizeof header + header.key_bytes + header.payload_bytes;
    CONNBENCH_RETURN_IF_ERROR(Append(buffer, {entry.record, bytes}));
  }
  CONNBENCH_RETURN_IF_ERROR(Write(buffer.data(), buffer.size()));
  runs_.push_back({begin, file_.size(), {}, 0, 0});
  entries_.clear();
  arena_.Reset();
  return {};
}

Status ExternalSorter::Append(std::string& buffer, std::string_view record) {
  if (!buffer.empty() && buffer.size() + record.size() > kWriteBufferBytes) {
    CONNBENCH_RETURN_IF_ERROR(Write(buffer.data(), buffer.size()));
    buffer.clear();
  }
  buffer.append(record);
  return {};
}

Status ExternalSorter::Write(const char* bytes, size_t count) {
  CONNBENCH_RETURN_IF_ERROR(file_.Append(bytes, count));
  peak_file_bytes_ = std::max(peak_file_bytes_, file_.size() - given_back_);
  return {};
}

Status ExternalSorter::Finish() {
  if (runs_.empty()) {
    CONNBENCH_RETURN_IF_ERROR(SortEntries());
    next_entry_ = 0;
    return {};
  }
  if (!entries_.empty()) CONNBENCH_RETURN_IF_ERROR(SpillRun());
  entries_ = {};
  arena_.Release();
  CONNBENCH_RETURN_IF_ERROR(MergeDown());
  return BeginMerge();
}

size_t ExternalSorter::MostRuns() const {
  constexpr int64_t kFewest = 2;
  constexpr int64_t kMost = 4096;
  return static_cast<size_t>(
      std::clamp(limit_bytes_ / static_cast<int64_t>(kSmallestReadBuffer), kFewest, kMost));
}

// Each round makes one run of the oldest ones, so that all runs are merged equally often.
Status ExternalSorter::MergeDown() {
  constexpr int64_t kStepsPerRecord = 200;
  const size_t most = MostRuns();
  WorkMeter meter = arena_.Meter();
  while (runs_.size() > most) {
    const auto middle = runs_.begin() + static_cast<std::ptrdiff_t>(most);
    std::vector<Run> later(std::make_move_iterator(middle), std::make_move_iterator(runs_.end()));
    runs_.erase(middle, runs_.end());
    CONNBENCH_RETURN_IF_ERROR(BeginMerge());
    const int64_t begin = file_.size();
    std::string buffer;
    buffer.reserve(kWriteBufferBytes);
    while (true) {
      CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerRecord));
      std::string_view key;
      std::string_view payload;
      CONNBENCH_ASSIGN_OR_RETURN(const bool found, Next(key, payload));
      if (!found) break;
      // A record is its header, its key and its payload, side by side.
      const char* record = key.data() - sizeof(Record);
      CONNBENCH_RETURN_IF_ERROR(
          Append(buffer, {record, sizeof(Record) + key.size() + payload.size()}));
    }
    CONNBENCH_RETURN_IF_ERROR(Write(buffer.data(), buffer.size()));
    runs_ = std::move(later);
    // Those that were merged stood before all others. Not every file system can.
    const int64_t first = runs_.front().next_offset;
    if (file_.GiveBack(given_back_, first)) given_back_ = first;
    runs_.push_back({begin, file_.size(), {}, 0, 0});
  }
  return {};
}

// Reads each run's first record.
Status ExternalSorter::BeginMerge() {
  const size_t share = static_cast<size_t>(limit_bytes_) / runs_.size();
  const size_t buffer_bytes = std::clamp(share, kSmallestReadBuffer, kLargestReadBuffer);
  heap_.clear();
  for (size_t i = 0; i < runs_.size(); ++i) {
    runs_[i].buffer.resize(buffer_bytes);
    CONNBENCH_ASSIGN_OR_RETURN(const bool has_record, LoadRecord(runs_[i]));
    if (has_record) heap_.push_back(i);
  }
  for (size_t i = heap_.size(); i > 0; --i) SiftDown(i - 1);
  advance_top_ = false;
  return {};
}

// Makes at least needed bytes of the run be in its buffer, from its current record on.
Status ExternalSorter::FillRun(Run& run, size_t needed) {
  std::memmove(run.buffer.data(), run.buffer.data() + run.begin, run.end - run.begin);
  run.end -= run.begin;
  run.begin = 0;
  if (run.buffer.size() < needed) run.buffer.resize(needed);
  while (run.end < needed) {
    const auto left = static_cast<size_t>(run.end_offset - run.next_offset);
    const size_t want = std::min(run.buffer.size() - run.end, left);
    CONNBENCH_ASSIGN_OR_RETURN(const size_t got,
                               file_.Read(run.next_offset, run.buffer.data() + run.end, want));
    run.end += got;
    run.next_offset += static_cast<int64_t>(got);
  }
  return {};
}

// Puts the record at run.begin wholly into the buffer; false at the run's end.
Result<bool> ExternalSorter::LoadRecord(Run& run) {
  if (run.begin == run.end && run.next_offset == run.end_offset) return false;
  if (run.end - run.begin < sizeof(Record)) {
    CONNBENCH_RETURN_IF_ERROR(FillRun(run, sizeof(Record)));
  }
  Record header;
  std::memcpy(&header, run.buffer.data() + run.begin, sizeof header);
  const size_t bytes = sizeof header + header.key_bytes + header.payload_bytes;
  if (run.end - run.begin < bytes) CONNBENCH_RETURN_IF_ERROR(FillRun(run, bytes));
  return true;
}

bool ExternalSorter::RunBefore(size_t a, size_t b) const {
  return KeyOf(runs_[a].buffer.data() + runs_[a].begin) <
         KeyOf(runs_[b].buffer.data() + runs_[b].begin);
}

void ExternalSorter::SiftDown(size_t at) {
  while (true) {
    size_t smallest = at;
    for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child) {
      if (RunBefore(heap_[child], heap_[smallest])) smallest = child;
    }
    if (smallest == at) return;
    std::swap(heap_[at], heap_[smallest]);
    at = smallest;
  }
}

Result<bool> ExternalSorter::Next(std::string_view& key, std::string_view& payload) {
  const char* record = nullptr;
  if (runs_.empty()) {
    if (next_entry_ >= entries_.size()) return false;
    record = entries_[next_entry_++].record;
  } else {
    if (advance_top_) {
      Run& run = runs_[heap_[0]];
      Record header;
      std::memcpy(&header, run.buffer.data() + run.begin, sizeof header);
      run.begin += sizeof header + header.key_bytes + header.payload_bytes;
      CONNBENCH_ASSIGN_OR_RETURN(const bool has_record, LoadRecord(run));
      if (!has_record) {
        heap_[0] = heap_.back();
        heap_.pop_back();
      }
      if (!heap_.empty()) SiftDown(0);
    }
    advance_top_ = !heap_.empty();
    if (heap_.empty()) return false;
    record = runs_[heap_[0]].buffer.data() + runs_[heap_[0]].begin;
  }
  Record header;
  std::memcpy(&header, record, sizeof header);
  key = {record + sizeof header, header.key_bytes};
  payload = {record + sizeof header + header.key_bytes, header.payload_bytes};
  return true;
}

void ExternalSorter::Clear() {
  file_.Close();
  peak_file_bytes_ = 0;
  given_back_ = 0;
  runs_ = {};
  heap_ = {};
  entries_ = {};
  arena_.Release();
  next_entry_ = 0;
  records_ = 0;
  peak_bytes_ = 0;
  advance_top_ = false;
}

}  // namespace connbench::engine
