// The texts and files of arrivals.h.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <numbers>
#include <optional>
#include <sstream>
#include <utility>

#include "base/clock.h"
#include "base/near_names.h"
#include "base/number.h"
#include "base/read_file.h"
#include "base/units.h"
#include "harness/workload/arrivals.h"

namespace connbench::load {
namespace {

// A sine is drawn in so many straight lines: nowhere off by more than 0.0003 of its amplitude.
constexpr int kSinePieces = 128;
// A schedule that repeats more often than this is a rate of its own.
constexpr int64_t kMinPeriodNs = kNanosecondsPerMillisecond;

struct Shape {
  std::string_view name;
  std::string_view arguments;  // for people
  std::string_view example;
};
constexpr std::array<Shape, 6> kShapes = {{
    {"steps", "RATE, TIME, RATE, TIME, ...", "steps(500, 2s, 1000, 2s)"},
    {"ramp", "FROM, TO, TIME", "ramp(100, 2000, 10s)"},
    {"spike", "BASE, PEAK, WHEN, TIME", "spike(500, 5000, 3s, 1s)"},
    {"sine", "MEAN, AMPLITUDE, PERIOD", "sine(1000, 800, 10s)"},
    {"sawtooth", "FROM, TO, PERIOD", "sawtooth(100, 2000, 10s)"},
    {"file", "PATH", "file(rates.txt)"},
}};

Status Bad(std::string message, size_t position, std::string hint = {}) {
  Status status = Status::Error(sqlstate::kInvalidParameterValue, std::move(message),
                                static_cast<int>(position));
  return hint.empty() ? std::move(status) : Status(std::move(status).WithHint(std::move(hint)));
}

// A part of a text that knows where it stands in it.
struct Piece {
  std::string_view text;
  size_t position = 1;  // of its first character
};

Piece Trim(Piece piece) {
  while (!piece.text.empty() && (piece.text.front() == ' ' || piece.text.front() == '\t')) {
    piece.text.remove_prefix(1);
    ++piece.position;
  }
  while (!piece.text.empty() && (piece.text.back() == ' ' || piece.text.back() == '\t')) {
    piece.text.remove_suffix(1);
  }
  return piece;
}

Result<double> ParseRate(Piece piece) {
  std::string_view text = piece.text;
  if (text.ends_with("/s")) text.remove_suffix(2);
  double factor = 1;
  if (text.ends_with('k')) factor = 1e3;
  if (text.ends_with('M')) factor = 1e6;
  if (factor > 1) text.remove_suffix(1);
  const auto read = ParseReal(text, 0, std::numeric_limits<double>::max());
  if (!read.ok()) {
    return Bad(fmt::format("\"{}\" is not a rate", piece.text), piece.position,
               "Write arrivals per second, for example 1000 or 1.5k.");
  }
  const double value = *read * factor;
  if (value > kMaxRate) {
    return Bad(fmt::format("a rate of {} is above {:.0f} per second", piece.text, kMaxRate),
               piece.position);
  }
  return value;
}

Result<int64_t> ParseTime(Piece piece) {
  auto parsed = ParseDurationNs(piece.text);
  if (parsed.ok()) return *parsed;
  return Bad(parsed.status().error().message, piece.position, parsed.status().error().hint);
}

// "name(a, b)" or "name".
struct Call {
  Piece name;
  bool has_arguments = false;
  std::vector<Piece> arguments;
  size_t end = 0;  // position of the closing parenthesis
};

Result<Call> ParseCall(Piece piece) {
  Call call;
  const size_t open = piece.text.find('(');
  call.name = Trim({piece.text.substr(0, open), piece.position});
  if (open == std::string_view::npos) return call;
  if (piece.text.back() != ')') {
    return Bad("the closing parenthesis is missing", piece.position + piece.text.size());
  }
  call.has_arguments = true;
  call.end = piece.position + piece.text.size() - 1;
  size_t begin = open + 1;
  const std::string_view inside = piece.text.substr(0, piece.text.size() - 1);
  while (true) {
    const size_t comma = inside.find(',', begin);
    call.arguments.push_back(Trim({inside.substr(begin, comma - begin), piece.position + begin}));
    if (comma == std::string_view::npos) break;
    begin = comma + 1;
  }
  if (call.arguments.size() == 1 && call.arguments[0].text.empty()) call.arguments.clear();
  return call;
}

// The arguments of a shape: rates and times.
class Arguments {
 public:
  Arguments(const Call& call, const Shape& shape) : call_(call), shape_(shape) {}

  Status Check(size_t count) const {
    if (call_.arguments.size() == count) return Status::Ok();
    return Wrong();
  }
  Status Wrong() const {
    return Bad(fmt::format("{} takes ({})", shape_.name, shape_.arguments), call_.name.position,
               fmt::format("For example {}.", shape_.example));
  }
  double Rate(size_t i) {
    auto value = ParseRate(call_.arguments[i]);
    if (!value.ok() && status_.ok()) status_ = value.TakeStatus();
    return value.ok() ? *value : 0;
  }
  int64_t Time(size_t i, int64_t least = 1) {
    auto value = ParseTime(call_.arguments[i]);
    if (value.ok() && *value < least) {
      value =
          Bad(fmt::format("{} is shorter than {}", call_.arguments[i].text, FormatDuration(least)),
              call_.arguments[i].position);
    }
    if (!value.ok() && status_.ok()) status_ = value.TakeStatus();
    return value.ok() ? *value : 0;
  }
  size_t position(size_t i) const { return call_.arguments[i].position; }
  const Status& status() const { return status_; }

 private:
  const Call& call_;
  const Shape& shape_;
  Status status_;
};

Result<std::vector<RatePiece>> Steps(const Call& call, Arguments& arguments) {
  if (call.arguments.empty() || call.arguments.size() % 2 != 0) return arguments.Wrong();
  std::vector<RatePiece> pieces;
  for (size_t i = 0; i + 1 < call.arguments.size(); i += 2) {
    const double rate = arguments.Rate(i);
    pieces.push_back({arguments.Time(i + 1), rate, rate});
  }
  return pieces;
}

Result<std::vector<RatePiece>> Sine(Arguments& arguments) {
  CONNBENCH_RETURN_IF_ERROR(arguments.Check(3));
  const double mean = arguments.Rate(0);
  const double amplitude = arguments.Rate(1);
  const int64_t period = arguments.Time(2, kMinPeriodNs);
  if (amplitude > mean && arguments.status().ok()) {
    return Bad("the amplitude is above the mean: the rate would be negative",
               arguments.position(1));
  }
  const auto rate_at = [&](int i) {
    return mean + amplitude * std::sin(2 * std::numbers::pi * i / kSinePieces);
  };
  std::vector<RatePiece> pieces;
  for (int i = 0; i < kSinePieces; ++i) {
    // Lengths that add up to the period to the nanosecond.
    const int64_t length = period * (i + 1) / kSinePieces - period * i / kSinePieces;
    pieces.push_back({length, std::max(rate_at(i), 0.0), std::max(rate_at(i + 1), 0.0)});
  }
  return pieces;
}

// One line of a schedule's file, cut into words.
struct Line {
  std::vector<Piece> words;
};

Line SplitWords(std::string_view text) {
  Line line;
  text = text.substr(0, text.find('#'));
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == ' ' || text[at] == '\t' || text[at] == '\r') {
      ++at;
      continue;
    }
    const size_t end = std::min(text.find_first_of(" \t\r", at), text.size());
    line.words.push_back({text.substr(at, end - at), at + 1});
    at = end;
  }
  return line;
}

Status ReadScheduleFile(const std::string& path, ArrivalSpec& spec) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string read,
                             ReadNamedFile("schedule file", path, kMaxScheduleBytes));
  std::istringstream file(read);
  size_t number = 0;
  const auto fail = [&](const Status& status) {
    return Bad(fmt::format("{}:{}:{}: {}", path, number, std::max(status.error().position, 1),
                           status.error().message),
               0, status.error().hint);
  };
  std::vector<std::pair<int64_t, double>> rates;
  int64_t last = -1;
  for (std::string text; std::getline(file, text);) {
    if (++number > kMaxScheduleLines) {
      return fail(Bad(fmt::format("more than {} lines", kMaxScheduleLines), 1));
    }
    const Line line = SplitWords(text);
    if (line.words.empty()) continue;
    if (line.words.size() > 2) {
      return fail(Bad("expected TIME RATE, or TIME alone", line.words[2].position));
    }
    const bool is_rate = line.words.size() == 2;
    if (is_rate ? !spec.instants.empty() : !rates.empty()) {
      return fail(
          Bad("lines with a rate and lines without one do not mix", line.words.back().position));
    }
    const auto at = ParseTime(line.words[0]);
    if (!at.ok()) return fail(at.status());
    if (is_rate ? *at <= last : *at < last) {
      return fail(Bad("it is not after the line before", line.words[0].position));
    }
    last = *at;
    if (!is_rate) {
      spec.instants.push_back(*at);
      continue;
    }
    const auto rate = ParseRate(line.words[1]);
    if (!rate.ok()) return fail(rate.status());
    rates.emplace_back(*at, *rate);
  }
  if (rates.empty() && spec.instants.empty()) {
    number = std::max<size_t>(number, 1);
    return fail(Bad("it holds no schedule", 1, "Write lines \"TIME RATE\", or \"TIME\"."));
  }
  if (!rates.empty() && rates.front().first > 0) spec.pieces.push_back({rates.front().first, 0, 0});
  for (size_t i = 0; i < rates.size(); ++i) {
    const auto [at, rate] = rates[i];
    const int64_t length = i + 1 < rates.size() ? rates[i + 1].first - at : 0;
    spec.pieces.push_back({length, rate, rate});
  }
  return Status::Ok();
}

Status ParseRateText(std::string_view text, const std::string& folder, ArrivalSpec& spec) {
  const Piece whole = Trim({text, 1});
  CONNBENCH_ASSIGN_OR_RETURN(const Call call, ParseCall(whole));
  spec.rate_text = whole.text;
  if (!call.has_arguments && call.name.text.find_first_of("0123456789.") == 0) {
    CONNBENCH_ASSIGN_OR_RETURN(const double rate, ParseRate(call.name));
    spec.pieces = {{0, rate, rate}};
  } else {
    const Shape* shape = nullptr;
    for (const Shape& known : kShapes) {
      if (known.name == call.name.text) shape = &known;
    }
    if (shape == nullptr) {
      std::vector<std::string_view> names;
      names.reserve(std::size(kShapes));
      for (const Shape& known : kShapes) names.push_back(known.name);
      return Bad(fmt::format("\"{}\" is neither a rate nor a shape of one", call.name.text),
                 call.name.position, SuggestNames(call.name.text, names));
    }
    Arguments arguments(call, *shape);
    if (shape->name == "steps") {
      CONNBENCH_ASSIGN_OR_RETURN(spec.pieces, Steps(call, arguments));
    } else if (shape->name == "ramp" || shape->name == "sawtooth") {
      CONNBENCH_RETURN_IF_ERROR(arguments.Check(3));
      spec.repeats = shape->name == "sawtooth";
      const double from = arguments.Rate(0);
      const double to = arguments.Rate(1);
      spec.pieces = {{arguments.Time(2, spec.repeats ? kMinPeriodNs : 1), from, to}};
    } else if (shape->name == "spike") {
      CONNBENCH_RETURN_IF_ERROR(arguments.Check(4));
      const double base = arguments.Rate(0);
      const double peak = arguments.Rate(1);
      spec.pieces = {
          {arguments.Time(2, 0), base, base}, {arguments.Time(3), peak, peak}, {0, base, base}};
    } else if (shape->name == "sine") {
      CONNBENCH_ASSIGN_OR_RETURN(spec.pieces, Sine(arguments));
      spec.repeats = true;
    } else {
      CONNBENCH_RETURN_IF_ERROR(arguments.Check(1));
      spec.file = std::filesystem::absolute(std::filesystem::path(folder) /
                                            std::string(call.arguments[0].text))
                      .string();
      CONNBENCH_RETURN_IF_ERROR(ReadScheduleFile(spec.file, spec));
      if (!spec.instants.empty()) return Status::Ok();
    }
    if (!arguments.status().ok()) return arguments.status();
  }
  double highest = 0;
  for (const RatePiece& piece : spec.pieces) {
    highest = std::max({highest, piece.from, piece.to});
  }
  if (highest <= 0) return Bad("the rate is always 0: nothing would ever begin", whole.position);
  return Status::Ok();
}

Status ParseArrivalText(std::string_view text, ArrivalSpec& spec) {
  const Piece whole = Trim({text, 1});
  CONNBENCH_ASSIGN_OR_RETURN(const Call call, ParseCall(whole));
  const std::string_view name = call.name.text;
  if (name == "burst") {
    int64_t size = 0;
    if (call.arguments.size() == 1) {
      if (const auto read = ParseWholeNumber(call.arguments[0].text, 1, kMaxBurst); read.ok()) {
        size = *read;
      }
    }
    if (size == 0) {
      return Bad(fmt::format("burst takes a size from 1 to {}", kMaxBurst), whole.position,
                 "For example burst(50).");
    }
    spec.spacing = ArrivalSpec::Spacing::kBurst;
    spec.burst = size;
  } else if (name == "constant" || name == "poisson" || name == "at_once") {
    if (call.has_arguments) {
      return Bad(fmt::format("{} takes no arguments", name), call.name.position);
    }
    if (name == "constant") spec.spacing = ArrivalSpec::Spacing::kConstant;
    if (name == "at_once") spec.spacing = ArrivalSpec::Spacing::kAtOnce;
  } else {
    constexpr std::array<std::string_view, 4> kNames = {"constant", "poisson", "burst", "at_once"};
    return Bad(fmt::format("\"{}\" is no way to arrive", name), call.name.position,
               SuggestNames(name, kNames));
  }
  spec.arrival_text = whole.text;
  return Status::Ok();
}

}  // namespace

Result<ArrivalSpec> ParseArrivals(std::string_view rate, std::string_view arrival,
                                  const std::string& folder) {
  ArrivalSpec spec;
  if (!arrival.empty()) CONNBENCH_RETURN_IF_ERROR(ParseArrivalText(arrival, spec));
  const bool at_once = spec.spacing == ArrivalSpec::Spacing::kAtOnce;
  if (!rate.empty() && at_once) return Bad("at_once takes no rate", 1);
  if (rate.empty() && !arrival.empty() && !at_once) {
    return Bad(fmt::format("{} needs a rate", arrival), 1, "For example 1000.");
  }
  if (!rate.empty()) CONNBENCH_RETURN_IF_ERROR(ParseRateText(rate, folder, spec));
  if (!rate.empty() && spec.arrival_text.empty()) spec.arrival_text = "poisson";
  if (!spec.instants.empty()) spec.arrival_text.clear();  // the file says when each is due
  return spec;
}

}  // namespace connbench::load
