// The one line that a server prints to stdout when it accepts connections.
#include "models/ready_line.h"

#include <charconv>

namespace connbench::models {
namespace {

constexpr std::string_view kProgram = "connbench: ";
constexpr std::string_view kReadyOn = " ready on ";
constexpr std::string_view kPort = " port ";
constexpr std::string_view kSocket = "socket ";
constexpr std::string_view kSegment = " (segment ";
constexpr std::string_view kNoSegment = "unnamed";

// Takes the text up to separator off line, and the separator.
std::optional<std::string_view> TakeUpTo(std::string_view& line, std::string_view separator) {
  const size_t at = line.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = line.substr(0, at);
  line.remove_prefix(at + separator.size());
  return part;
}

}  // namespace

std::string FormatReadyLine(const ReadyLine& ready) {
  std::string line(kProgram);
  line.append(ready.model).append(kReadyOn);
  if (!ready.host.empty()) {
    line.append(ready.host).append(kPort).append(std::to_string(ready.port));
    if (!ready.socket_path.empty()) line.append(", ");
  }
  if (!ready.socket_path.empty()) line.append(kSocket).append(ready.socket_path);
  line.append(kSegment);
  line.append(ready.segment.empty() ? kNoSegment : std::string_view(ready.segment));
  return line + ")";
}

std::optional<ReadyLine> ParseReadyLine(std::string_view line) {
  if (!line.starts_with(kProgram)) return std::nullopt;
  line.remove_prefix(kProgram.size());
  const auto model = TakeUpTo(line, kReadyOn);
  if (!model) return std::nullopt;
  auto where = TakeUpTo(line, kSegment);
  const auto segment = TakeUpTo(line, ")");
  if (!where || !segment) return std::nullopt;

  ReadyLine ready;
  ready.model = *model;
  if (*segment != kNoSegment) ready.segment = *segment;
  if (!where->starts_with(kSocket)) {
    const auto host = TakeUpTo(*where, kPort);
    if (!host) return std::nullopt;
    ready.host = *host;
    const auto [end, error] =
        std::from_chars(where->data(), where->data() + where->size(), ready.port);
    if (error != std::errc()) return std::nullopt;
    where->remove_prefix(static_cast<size_t>(end - where->data()));
    if (where->empty()) return ready;
    if (!where->starts_with(", ")) return std::nullopt;
    where->remove_prefix(2);
  }
  if (!where->starts_with(kSocket)) return std::nullopt;
  where->remove_prefix(kSocket.size());
  ready.socket_path = *where;
  return ready;
}

}  // namespace connbench::models
