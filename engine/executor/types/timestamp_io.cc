// Dates, timestamps and times as text, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/timestamp_reader.h"

namespace connbench::engine {
namespace {

// Nothing is looked for in a text whose fields have more bytes, blanks left out: PostgreSQL's
// MAXDATELEN + MAXDATEFIELDS.
constexpr int64_t kMaxFieldBytes = 128 + 25;

bool IsTooLong(std::string_view text) {
  int64_t bytes = 0;
  for (const char c : text) {
    if (!IsAsciiSpace(c) && ++bytes > kMaxFieldBytes) return true;
  }
  return false;
}

// now: as the session's clock reads.
Status ReadFields(std::string_view text, std::string_view type_name, int64_t local_now,
                  TimestampReader& reader) {
  switch (IsTooLong(text) ? TimestampReader::Problem::kSyntax : reader.Read()) {
    case TimestampReader::Problem::kNone:
      break;
    case TimestampReader::Problem::kSyntax:
      return Status::Error(
          sqlstate::kInvalidDatetimeFormat,
          fmt::format("invalid input syntax for type {}: \"{}\"", type_name, Excerpt(text)));
    case TimestampReader::Problem::kField:
      return Status::Error(
          sqlstate::kDatetimeFieldOverflow,
          fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)));
    case TimestampReader::Problem::kMonthOrDay:
      return Status::Error(sqlstate::kDatetimeFieldOverflow,
                           fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)))
          .WithHint("Perhaps you need a different \"datestyle\" setting.");
    case TimestampReader::Problem::kZoneDisplacement:
      return Status::Error(
          sqlstate::kInvalidTimeZoneDisplacementValue,
          fmt::format("time zone displacement out of range: \"{}\"", Excerpt(text)));
    case TimestampReader::Problem::kUnknownZone:
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("time zone \"{}\" not recognized", AsciiLower(reader.zone_name)));
  }
  if (!reader.day_word) return {};
  const CalendarTime day = FromDays(FloorDivide(local_now, kUsPerDay) + *reader.day_word);
  reader.time.year = day.year;
  reader.time.month = day.month;
  reader.time.day = day.day;
  return {};
}

const TimeZone& SessionZone(const IoContext& io) {
  return io.time_zone != nullptr ? *io.time_zone : TimeZone::Utc();
}

int64_t LocalNow(const IoContext& io) {
  return io.now + int64_t{SessionZone(io).OffsetAt(io.now)} * kUsPerSecond;
}

// 1: "infinity", -1: "-infinity", 0: another text.
int InfinityWord(std::string_view text) {
  const bool minus = text.starts_with('-');
  const std::string_view word = text.substr(minus || text.starts_with('+') ? 1 : 0);
  if (!EqualIgnoringCase(word, "infinity")) return 0;
  return minus ? -1 : 1;
}

// With zeros in front, up to the width.
void PutDigits(int64_t number, int width, char*& to) {
  char reversed[20];
  int count = 0;
  for (; number > 0 || count < width; number /= 10) {
    reversed[count++] = static_cast<char>('0' + number % 10);
  }
  while (count > 0) *to++ = reversed[--count];
}

// Those before year 1 count backwards.
void PutDate(const CalendarTime& time, char*& to) {
  PutDigits(time.year > 0 ? time.year : 1 - time.year, 4, to);
  *to++ = '-';
  PutDigits(time.month, 2, to);
  *to++ = '-';
  PutDigits(time.day, 2, to);
}

// A time of the day, up to 24:00:00, with as many digits of the second as it needs.
void PutTime(int64_t time_us, char*& to) {
  PutDigits(time_us / kUsPerHour, 2, to);
  *to++ = ':';
  PutDigits(time_us / kUsPerMinute % 60, 2, to);
  *to++ = ':';
  PutDigits(time_us / kUsPerSecond % 60, 2, to);
  if (time_us % kUsPerSecond == 0) return;
  *to++ = '.';
  PutDigits(time_us % kUsPerSecond, 6, to);
  while (to[-1] == '0') --to;
}

size_t PutWord(std::string_view word, char* to) {
  std::memcpy(to, word.data(), word.size());
  return word.size();
}

}  // namespace

Status ParseTimestamp(std::string_view text, bool with_zone, const IoContext& io, int64_t& out) {
  const TimeZone& session_zone = SessionZone(io);
  const std::string_view trimmed = TrimSpaces(text);
  const int64_t local_now = LocalNow(io);
  if (EqualIgnoringCase(trimmed, "now")) {
    out = with_zone ? io.now : local_now;
    return Status::Ok();
  }
  if (EqualIgnoringCase(trimmed, "epoch")) {
    out = -kUnixDaysTo2000 * kUsPerDay;
    return Status::Ok();
  }
  if (const int infinity = InfinityWord(trimmed); infinity != 0) {
    out = infinity < 0 ? kTimestampMinusInfinity : kTimestampInfinity;
    return Status::Ok();
  }
  const auto out_of_range = [&] {
    return Status::Error(sqlstate::kDatetimeFieldOverflow,
                         fmt::format("timestamp out of range: \"{}\"", Excerpt(text)));
  };
  TimestampReader reader(trimmed);
  CONNBENCH_RETURN_IF_ERROR(
      ReadFields(text, with_zone ? "timestamp with time zone" : "timestamp", local_now, reader));
  int64_t local = 0;
  if (!FromCalendar(reader.time, local)) return out_of_range();
  if (with_zone) {
    const TimeZone& zone = reader.zone != nullptr ? *reader.zone : session_zone;
    const int32_t offset = reader.offset_s ? *reader.offset_s : zone.OffsetForLocal(local);
    if (__builtin_sub_overflow(local, int64_t{offset} * kUsPerSecond, &local)) {
      return out_of_range();
    }
  }
  if (!InTimestampRange(local)) return out_of_range();
  out = local;
  return Status::Ok();
}

Status ParseDate(std::string_view text, const IoContext& io, int64_t& days_since_2000) {
  const std::string_view trimmed = TrimSpaces(text);
  const int64_t local_now = LocalNow(io);
  if (EqualIgnoringCase(trimmed, "now")) {
    days_since_2000 = FloorDivide(local_now, kUsPerDay);
    return Status::Ok();
  }
  if (EqualIgnoringCase(trimmed, "epoch")) {
    days_since_2000 = -kUnixDaysTo2000;
    return Status::Ok();
  }
  if (const int infinity = InfinityWord(trimmed); infinity != 0) {
    days_since_2000 = infinity < 0 ? kDateMinusInfinity : kDateInfinity;
    return Status::Ok();
  }
  TimestampReader reader(trimmed);
  CONNBENCH_RETURN_IF_ERROR(ReadFields(text, "date", local_now, reader));
  days_since_2000 = DaysSince2000(reader.time.year, reader.time.month, reader.time.day);
  if (InDateRange(days_since_2000)) return Status::Ok();
  return Status::Error(sqlstate::kDatetimeFieldOverflow,
                       fmt::format("date out of range: \"{}\"", Excerpt(text)));
}

size_t FormatDate(int64_t days_since_2000, char* out) {
  if (days_since_2000 == kDateInfinity) return PutWord("infinity", out);
  if (days_since_2000 == kDateMinusInfinity) return PutWord("-infinity", out);
  const CalendarTime time = FromDays(days_since_2000);
  char* to = out;
  PutDate(time, to);
  if (time.year <= 0) to += PutWord(" BC", to);
  return static_cast<size_t>(to - out);
}

size_t FormatTimestamp(int64_t timestamp, const TimeZone* zone, char* out) {
  if (timestamp == kTimestampInfinity) return PutWord("infinity", out);
  if (timestamp == kTimestampMinusInfinity) return PutWord("-infinity", out);
  const int32_t offset = zone != nullptr ? zone->OffsetAt(timestamp) : 0;
  const CalendarTime time = ToCalendar(timestamp + int64_t{offset} * kUsPerSecond);
  char* to = out;
  const auto digits = [&](int64_t number, int width) { PutDigits(number, width, to); };
  const auto put = [&](char c) { *to++ = c; };
  PutDate(time, to);
  put(' ');
  PutTime(TimeOfDay(time), to);
  if (zone != nullptr) {
    const int32_t magnitude = std::abs(offset);
    put(offset < 0 ? '-' : '+');
    digits(magnitude / 3600, 2);
    if (magnitude % 3600 != 0) {
      put(':');
      digits(magnitude / 60 % 60, 2);
    }
    if (magnitude % 60 != 0) {
      put(':');
      digits(magnitude % 60, 2);
    }
  }
  if (time.year <= 0) to += PutWord(" BC", to);
  return static_cast<size_t>(to - out);
}

Status ParseTime(std::string_view text, const IoContext& io, int64_t& out) {
  const std::string_view trimmed = TrimSpaces(text);
  const int64_t local_now = LocalNow(io);
  if (EqualIgnoringCase(trimmed, "now")) {
    out = local_now - FloorDivide(local_now, kUsPerDay) * kUsPerDay;
    return Status::Ok();
  }
  TimestampReader reader(trimmed, /*time_only=*/true);
  CONNBENCH_RETURN_IF_ERROR(ReadFields(text, "time", local_now, reader));
  out = TimeOfDay(reader.time);
  if (InTimeRange(out)) return Status::Ok();
  return Status::Error(sqlstate::kDatetimeFieldOverflow,
                       fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)));
}

size_t FormatTime(int64_t time_us, char* out) {
  char* to = out;
  PutTime(time_us, to);
  return static_cast<size_t>(to - out);
}

int64_t RoundTimestamp(int64_t timestamp, int32_t precision) {
  if (!IsFinite(timestamp) || precision < 0 || precision >= 6) return timestamp;
  int64_t unit = 1;
  for (int i = precision; i < 6; ++i) unit *= 10;
  const int64_t half = timestamp >= 0 ? unit / 2 : -unit / 2;
  return (timestamp + half) / unit * unit;
}

}  // namespace connbench::engine
