// PostgreSQL's statistics of its log and its checkpoints: pg_stat_wal and pg_stat_bgwriter. All
// count since the server's start. Data that live in memory only have no log: zeros.
#include <array>
#include <optional>

#include "base/clock.h"
#include "engine/executor/types/calendar.h"
#include "engine/sql/system_view_fields.h"
#include "engine/sql/system_views.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

namespace t = type_oid;

// With what no log has.
struct LogFigures : LogUsage {
  std::optional<int64_t> reset_at;  // SQL's time of the server's start
};

template <int64_t LogUsage::*ns>
Value Milliseconds(const LogFigures& figures, ViewRows&) {
  return Value::Real(static_cast<double>(figures.*ns) / kNanosecondsPerMillisecond);
}

template <int64_t LogUsage::*number>
Value NumericOf(const LogFigures& figures, ViewRows& rows) {
  return rows.Numeric(figures.*number);
}

constexpr auto kWalFields = std::to_array<ViewField<LogFigures>>({
    {{"wal_records", t::kInt8}, field::Number<&LogFigures::records>},
    // Pages stand in the checkpoint, never in the log.
    {{"wal_fpi", t::kInt8}, field::Constant<0>},
    {{"wal_bytes", t::kNumeric}, NumericOf<&LogUsage::bytes>},
    {{"wal_buffers_full", t::kInt8}, field::Number<&LogFigures::buffers_full>},
    {{"wal_write", t::kInt8}, field::Number<&LogFigures::writes>},
    {{"wal_sync", t::kInt8}, field::Number<&LogFigures::syncs>},
    {{"wal_write_time", t::kFloat8}, Milliseconds<&LogUsage::write_ns>},
    {{"wal_sync_time", t::kFloat8}, Milliseconds<&LogUsage::sync_ns>},
    {{"stats_reset", t::kTimestamptz}, field::NumberIfAny<&LogFigures::reset_at>},
});

constexpr auto kBgwriterFields = std::to_array<ViewField<LogFigures>>({
    {{"checkpoints_timed", t::kInt8}, field::Number<&LogFigures::checkpoints_timed>},
    {{"checkpoints_req", t::kInt8}, field::Number<&LogFigures::checkpoints_requested>},
    {{"checkpoint_write_time", t::kFloat8}, Milliseconds<&LogUsage::checkpoint_write_ns>},
    {{"checkpoint_sync_time", t::kFloat8}, Milliseconds<&LogUsage::checkpoint_sync_ns>},
    {{"buffers_checkpoint", t::kInt8}, field::Number<&LogFigures::checkpoint_pages>},
    // What writes pages between checkpoints, and who takes frames, is not counted.
    {{"buffers_clean", t::kInt8}, field::Null},
    {{"maxwritten_clean", t::kInt8}, field::Null},
    {{"buffers_backend", t::kInt8}, field::Null},
    {{"buffers_backend_fsync", t::kInt8}, field::Null},
    {{"buffers_alloc", t::kInt8}, field::Null},
    {{"stats_reset", t::kTimestamptz}, field::NumberIfAny<&LogFigures::reset_at>},
});

template <const auto& kFields>
Status ReadLogFigures(const SystemViewInput& input, ViewRows& rows) {
  LogFigures figures;
  const auto* log = input.segment.Find<LogHeader>(SegmentPart::kLog);
  if (log != nullptr) {
    static_cast<LogUsage&>(figures) = ReadLogUsage(*log);
    figures.reset_at = log->tallies.started_us.load(std::memory_order_relaxed) - kUnixEpochShiftUs;
  }
  AppendViewRow<kFields>(figures, rows);
  return {};
}

constexpr SystemView kLogViews[] = {
    {"pg_stat_wal", 12016, false, ViewColumnsOf<kWalFields>, &ReadLogFigures<kWalFields>},
    {"pg_stat_bgwriter", 12017, false, ViewColumnsOf<kBgwriterFields>,
     &ReadLogFigures<kBgwriterFields>},
};

}  // namespace

std::span<const SystemView> LogViews() { return kLogViews; }

}  // namespace connbench::engine
