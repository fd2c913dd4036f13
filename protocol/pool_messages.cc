// The messages between a pooler and its backends.
#include "protocol/pool_messages.h"

#include <algorithm>

#include "protocol/codec.h"

namespace connbench::protocol::pool {
namespace {

constexpr char kNewClient = 'N';
constexpr char kResumedClient = 'R';

void AppendList(MessageWriter& writer, const std::vector<engine::StartupParameter>& list) {
  writer.Int32(static_cast<int32_t>(list.size()));
  for (const engine::StartupParameter& entry : list) writer.String(entry.name).String(entry.value);
}

void ReadList(MessageReader& reader, std::vector<engine::StartupParameter>& list) {
  for (int32_t left = reader.Int32(); left > 0 && reader.ok(); --left) {
    const std::string_view name = reader.String();
    const std::string_view value = reader.String();
    list.push_back({std::string(name), std::string(value)});
  }
}

int32_t Bounded(int64_t number) {
  return static_cast<int32_t>(std::clamp<int64_t>(number, 0, INT32_MAX));
}

}  // namespace

void AppendNewClient(std::string& out, const std::vector<engine::StartupParameter>& parameters) {
  MessageWriter writer(out, kClient);
  writer.Byte(kNewClient);
  AppendList(writer, parameters);
  writer.Finish();
}

void AppendResumedClient(std::string& out, std::string_view settings) {
  MessageWriter writer(out, kClient);
  writer.Byte(kResumedClient).Bytes(settings).Finish();
}

bool ReadClient(std::string_view body, bool& is_new, engine::ClientState& state) {
  MessageReader reader(body);
  const char kind = static_cast<char>(reader.Byte());
  is_new = kind == kNewClient;
  ReadList(reader, state.startup);
  if (!is_new) ReadList(reader, state.settings);
  return reader.Finished() && (is_new || kind == kResumedClient);
}

void AppendClientState(std::string& out, const engine::ClientState& state, int64_t took_ns) {
  MessageWriter writer(out, kClientState);
  writer.Byte(state.touched ? 1 : 0)
      .Int32(Bounded(state.idle_session_timeout_ms))
      .Int32(Bounded(took_ns))
      .String(state.time_zone);
  AppendList(writer, state.startup);
  AppendList(writer, state.settings);
  writer.Finish();
}

bool ReadClientState(std::string_view body, ClientReport& report) {
  MessageReader reader(body);
  report.touched = reader.Byte() != 0;
  report.idle_session_timeout_ms = reader.Int32();
  report.took_ns = reader.Int32();
  report.time_zone = reader.String();
  report.settings = reader.Rest();
  return reader.Finished();
}

}  // namespace connbench::protocol::pool
