// What one client thread counts.
#include "harness/load/recorder.h"

#include <algorithm>
#include <map>
#include <utility>

namespace connbench::load {
namespace {

constexpr double kNsPerUs = 1000.0;

// A slice beyond this is a clock that jumped, not a run that lasted.
constexpr int64_t kMaxSlices = int64_t{7} * 24 * 3600 * 10;

void Count(std::map<std::string, uint64_t, std::less<>>& counts, std::string_view key) {
  const auto known = counts.find(key);
  if (known != counts.end()) {
    ++known->second;
  } else {
    counts.emplace(key, 1);
  }
}

void AddCounts(const std::map<std::string, uint64_t, std::less<>>& from,
               std::map<std::string, uint64_t>& into) {
  for (const auto& [key, count] : from) into[key] += count;
}

// The earlier of two stamps of which 0 means none.
MonotonicNs EarlierOf(MonotonicNs a, MonotonicNs b) {
  if (a == 0) return b;
  return b == 0 ? a : std::min(a, b);
}

}  // namespace

Recorder::Recorder(MonotonicNs origin, size_t max_phases, int64_t latency_limit_ns)
    : max_phases_(max_phases), latency_limit_ns_(latency_limit_ns), grid_(origin) {
  StartSlice(origin);
}

void Recorder::BeginPhase(bool record, MonotonicNs window_begin, MonotonicNs window_end) {
  FinishSlices();
  recording_ = record;
  in_window_ = window_begin != 0;
  window_end_ = window_end;
  if (in_window_) grid_ = window_begin;
  StartSlice(std::max(MonotonicNow(), grid_));
}

void Recorder::NoteError(std::string_view reason) {
  if (first_error_.empty()) first_error_ = reason;
}

void Recorder::TransactionSent(MonotonicNs sent) {
  if (recording_ && sent < window_end_) ++sent_in_window_;
}

void Recorder::TransactionOk(const TransactionStamps& stamps, MonotonicNs end) {
  Roll(end);
  ++slice_.ok;
  const int64_t latency_ns = end - stamps.intended;
  slice_latency_.Record(latency_ns);
  last_end_ = std::max(last_end_, end);
  if (!recording_) {
    ++warmup_ok_;
    return;
  }
  ++ok_;
  const MonotonicNs asked = stamps.request_begin();
  request_.Record(end - asked);
  requests_in_window_ns_ += InWindow(asked, end);
  if (end < window_end_) {
    ++ok_in_window_;
  } else {
    // Of what was under way when the window closed, the part before that counts for throughput.
    const MonotonicNs begin = stamps.sent != 0 ? stamps.sent : asked;
    if (begin < window_end_) {
      ok_share_at_end_ +=
          static_cast<double>(window_end_ - begin) / static_cast<double>(end - begin);
    }
  }
  latency_.Record(latency_ns);
  if (latency_limit_ns_ > 0 && latency_ns > latency_limit_ns_) ++late_;
  if (stamps.sent == 0) return;
  service_.Record(end - stamps.sent);
  schedule_lag_.Record(stamps.sent - stamps.intended);
  client_lag_.Record(stamps.client_lag_ns);
}

Recorder::ClientCount& Recorder::CountOf(size_t client) {
  if (client >= clients_.size()) clients_.resize(client + 1);
  return clients_[client];
}

int64_t Recorder::InWindow(MonotonicNs begin, MonotonicNs end) const {
  return std::max<int64_t>(std::min(end, window_end_) - begin, 0);
}

void Recorder::ClientBegun(size_t client) {
  ClientCount& count = CountOf(client);
  if (recording_) count.begun = true;
}

void Recorder::ClientOk(size_t client, MonotonicNs end) {
  if (!recording_) return;
  ClientCount& count = CountOf(client);
  if (end < window_end_) ++count.ok;
  count.served = std::min(end, window_end_);
}

void Recorder::ClientAsks(size_t client, MonotonicNs when) {
  if (!recording_) return;
  ClientCount& count = CountOf(client);
  if (count.asks == 0) count.asks = when;
}

void Recorder::RequestUnserved(size_t client, MonotonicNs wanted, MonotonicNs end) {
  if (!recording_) return;
  unserved_in_window_ns_ += InWindow(wanted, end);
  CountOf(client).served = std::min(end, window_end_);
}

void Recorder::TransactionFailed(MonotonicNs end, std::string_view code, std::string_view reason) {
  Roll(end);
  ++slice_.failed;
  last_end_ = std::max(last_end_, end);
  NoteError(reason);
  if (!recording_) {
    ++warmup_failed_;
    return;
  }
  ++failed_;
  Count(errors_, code);
}

void Recorder::TransactionSkipped(SkipReason reason) {
  if (recording_) ++skipped_[static_cast<size_t>(reason)];
}

void Recorder::ConnectBegun(MonotonicNs intended, MonotonicNs now, bool again) {
  if (!recording_) return;
  ++connects_all_;
  if (intended != kUnscheduled) schedule_lag_.Record(now - intended);
  if (first_connect_ == 0) first_connect_ = now;
  if (!again) last_connect_ = now;
}

void Recorder::ConnectNotBegun() {
  if (!recording_) return;
  ++connects_all_;
  ++outcomes_[static_cast<size_t>(ConnectOutcome::kNotBegun)];
}

void Recorder::ConnectEnded(const ConnectionPhases& phases, std::string_view sqlstate,
                            std::string_view reason, MonotonicNs now) {
  Roll(now);
  const bool ok = phases.outcome == ConnectOutcome::kOk;
  ++(ok ? slice_.connects_ok : slice_.connects_failed);
  if (!ok) NoteError(reason);
  if (!phases.in_window) return;
  ++outcomes_[static_cast<size_t>(phases.outcome)];
  syn_retries_ += phases.syn_retries;
  if (ok && phases.syn_retries > 0) ++connects_retried_;
  if (!sqlstate.empty()) Count(connect_errors_, sqlstate);
  if (!ok) return;
  const int64_t latency = phases.ready_ns - phases.due_ns();
  connect_latency_.Record(latency);
  if (phases.syn_retries == 0) unretried_latency_.Record(latency);
  last_ready_ = std::max(last_ready_, phases.ready_ns);
  if (phases.ready_ns < window_end_) ++connects_ok_in_window_;
}

void Recorder::FirstRow(const ConnectionPhases& phases) {
  if (phases.in_window) first_row_latency_.Record(phases.first_row_ns - phases.due_ns());
}

void Recorder::ConnectionLost(std::string_view reason, MonotonicNs now) {
  Roll(now);
  ++lost_;
  NoteError(reason);
}

void Recorder::KeepPhases(const ConnectionPhases& phases) {
  if (phases_.size() < max_phases_) {
    phases_.push_back(phases);
  } else {
    ++phases_dropped_;
  }
}

uint64_t Recorder::connects_ok() const {
  return outcomes_[static_cast<size_t>(ConnectOutcome::kOk)];
}

void Recorder::StartSlice(MonotonicNs now) {
  if (slice_end_ != 0) FinishSlices();
  if (in_window_ && now >= window_end_) {  // what is drained after the window has a grid of its own
    in_window_ = false;
    grid_ = window_end_;
  }
  const int64_t number = std::clamp<int64_t>((now - grid_) / kSliceNs, 0, kMaxSlices);
  slice_ = {};
  slice_.begin = grid_ + number * kSliceNs;
  slice_.in_window = in_window_;
  slice_end_ = slice_.begin + kSliceNs;
  if (in_window_) slice_end_ = std::min(slice_end_, window_end_);
}

void Recorder::FinishSlices() {
  slice_.open = open_;
  slice_latency_.ForEach(
      [&](int64_t value, uint64_t count) { slice_.latencies.emplace_back(value, count); });
  slice_latency_.Clear();
  SliceCounts next;
  next.begin = slice_.begin;
  next.in_window = slice_.in_window;
  slices_.push_back(std::exchange(slice_, std::move(next)));
}

void Recorder::AddTo(LoadResult& result) const {
  result.transactions_all += all_;
  result.transactions_ok += ok_;
  result.transactions_failed += failed_;
  for (size_t i = 0; i < kSkipReasons; ++i) {
    result.transactions_skipped += skipped_[i];
    result.skipped_by_reason[i] += skipped_[i];
  }
  result.transactions_sent_in_window += sent_in_window_;
  result.transactions_late += late_;
  result.waiting_max += waiting_max_;
  result.transactions_ok_in_window += ok_in_window_;
  result.transactions_ok_share_at_end += ok_share_at_end_;
  for (const ClientCount& client : clients_) {
    result.clients_begun += client.begun ? 1 : 0;
    result.clients_ok_squared += static_cast<double>(client.ok) * static_cast<double>(client.ok);
    if (client.asks != 0) {
      result.clients_present_ns += std::max<int64_t>(client.served - client.asks, 0);
    }
  }
  result.requests_in_window_ns += requests_in_window_ns_;
  result.unserved_in_window_ns += unserved_in_window_ns_;
  result.request_time.Merge(request_);
  AddCounts(errors_, result.transaction_errors);
  result.transaction_latency.Merge(latency_);
  result.service_time.Merge(service_);
  result.schedule_lag.Merge(schedule_lag_);
  result.client_lag.Merge(client_lag_);
  result.warmup_transactions += warmup_ok_ + warmup_failed_;
  result.connects_all += connects_all_;
  for (size_t i = 0; i < kConnectOutcomes; ++i) result.connects_by_outcome[i] += outcomes_[i];
  AddCounts(connect_errors_, result.connect_errors);
  result.connect_latency.Merge(connect_latency_);
  result.unretried_connect_latency.Merge(unretried_latency_);
  result.first_row_latency.Merge(first_row_latency_);
  result.first_connect_ns = EarlierOf(result.first_connect_ns, first_connect_);
  result.last_release_ns = std::max(result.last_release_ns, last_connect_);
  result.last_ready_ns = std::max(result.last_ready_ns, last_ready_);
  result.connects_ok_in_window += connects_ok_in_window_;
  result.last_transaction_end_ns = std::max(result.last_transaction_end_ns, last_end_);
  result.syn_retries += syn_retries_;
  result.connects_retried += connects_retried_;
  result.connections_lost += lost_;
  result.phases.insert(result.phases.end(), phases_.begin(), phases_.end());
  result.phases_dropped += phases_dropped_;
  if (result.first_error.empty()) result.first_error = first_error_;
}

std::vector<Slice> MergeSlices(const std::vector<const Recorder*>& recorders, MonotonicNs origin,
                               MonotonicNs window_begin) {
  // By their begin; of two with the same one, what was outside of the window comes last.
  using Key = std::pair<MonotonicNs, bool>;
  const auto key_of = [](const Recorder::SliceCounts& slice) {
    return Key(slice.begin, !slice.in_window);
  };
  std::map<Key, Slice> slices;
  MonotonicNs last_in_window = window_begin;
  for (const Recorder* recorder : recorders) {
    for (const auto& slice : recorder->slices()) {
      slices.try_emplace(key_of(slice));
      if (slice.in_window) last_in_window = std::max(last_in_window, slice.begin);
    }
  }
  if (window_begin != 0) {
    for (MonotonicNs at = origin; at < window_begin; at += kSliceNs) slices.try_emplace({at, true});
    for (MonotonicNs at = window_begin; at <= last_in_window; at += kSliceNs) {
      slices.try_emplace({at, false});
    }
  }
  std::vector<Slice> merged;
  std::vector<size_t> at(recorders.size(), 0);
  std::vector<int64_t> open(recorders.size(), 0);
  stats::Histogram latency;
  for (auto& [key, slice] : slices) {
    slice.begin_ns = key.first;
    slice.in_window = !key.second;
    latency.Clear();
    for (size_t i = 0; i < recorders.size(); ++i) {
      const auto& theirs = recorders[i]->slices();
      for (; at[i] < theirs.size() && key_of(theirs[at[i]]) <= key; ++at[i]) {
        const Recorder::SliceCounts& part = theirs[at[i]];
        slice.transactions_ok += part.ok;
        slice.transactions_failed += part.failed;
        slice.connects_ok += part.connects_ok;
        slice.connects_failed += part.connects_failed;
        open[i] = part.open;
        for (const auto& [value, count] : part.latencies) latency.RecordMany(value, count);
      }
      slice.connections_open += open[i];
    }
    slice.latency_us_p50 = static_cast<double>(latency.ValueAtPercentile(50)) / kNsPerUs;
    slice.latency_us_p99 = static_cast<double>(latency.ValueAtPercentile(99)) / kNsPerUs;
    slice.latency_us_max = static_cast<double>(latency.max()) / kNsPerUs;
    merged.push_back(slice);
  }
  return merged;
}

}  // namespace connbench::load
