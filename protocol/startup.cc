#include "protocol/startup.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

constexpr size_t kCancelRequestBytes = 12;  // code, connection id, key
constexpr std::string_view kProtocolOptionPrefix = "_pq_.";

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Splits at white space; a backslash takes the next character as it is (PostgreSQL's
// pg_split_opts).
std::vector<std::string> SplitOptions(std::string_view text) {
  std::vector<std::string> words;
  size_t i = 0;
  while (true) {
    while (i < text.size() && IsSpace(text[i])) ++i;
    if (i == text.size()) return words;
    std::string word;
    while (i < text.size() && !IsSpace(text[i])) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      word += text[i++];
    }
    words.push_back(std::move(word));
  }
}

// "-c name=value", "-cname=value" and "--name=value", the forms that set parameters.
Status ReadOptions(std::string_view text, std::vector<engine::StartupParameter>& settings) {
  const std::vector<std::string> words = SplitOptions(text);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view assignment;
    bool dashes = false;
    if (words[i].starts_with("--")) {
      assignment = std::string_view(words[i]).substr(2);
      dashes = true;
    } else if (words[i] == "-c" && i + 1 < words.size()) {
      assignment = words[++i];
    } else if (words[i].starts_with("-c") && words[i].size() > 2) {
      assignment = std::string_view(words[i]).substr(2);
    } else {
      return Status::Fatal(
          sqlstate::kSyntaxError,
          fmt::format("invalid command-line argument for server process: {}", words[i]));
    }
    const size_t equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return Status::Fatal(sqlstate::kSyntaxError,
                           fmt::format("{}{} requires a value", dashes ? "--" : "-c ", assignment));
    }
    // As on PostgreSQL's command line, dashes in a name stand for underscores.
    std::string name(assignment.substr(0, equals));
    for (char& c : name) {
      if (c == '-') c = '_';
    }
    settings.push_back({std::move(name), std::string(assignment.substr(equals + 1))});
  }
  return {};
}

// Ours are ordinary sessions only; "replication" may be given as off.
Status CheckReplication(std::string_view value) {
  for (const std::string_view off : {"false", "off", "no", "0", "f", "n"}) {
    if (value == off) return {};
  }
  return Status::Fatal(sqlstate::kFeatureNotSupported, "replication connections are not supported");
}

Result<StartupPacket> ReadSessionPacket(uint32_t version, std::string_view parameters) {
  StartupPacket packet;
  packet.version = version;
  std::vector<engine::StartupParameter> given;
  MessageReader reader(parameters);
  while (true) {
    const std::string_view name = reader.String();
    if (!reader.ok() || name.empty()) break;
    const std::string_view value = reader.String();
    if (!reader.ok()) break;
    if (name == "user") {
      packet.user = value.substr(0, kMaxNameBytes);
    } else if (name == "database") {
      packet.database = value.substr(0, kMaxNameBytes);
    } else if (name == "options") {
      CONNBENCH_RETURN_IF_ERROR(ReadOptions(value, packet.settings));
    } else if (name == "replication") {
      CONNBENCH_RETURN_IF_ERROR(CheckReplication(value));
    } else if (name.starts_with(kProtocolOptionPrefix)) {
      packet.unknown_protocol_options.emplace_back(name);
    } else {
      given.push_back({std::string(name), std::string(value)});
    }
  }
  if (!reader.Finished()) {
    return Status::Fatal(sqlstate::kProtocolViolation,
                         "invalid startup packet layout: expected terminator as last byte");
  }
  if (packet.user.empty()) {
    return Status::Fatal(sqlstate::kInvalidAuthorizationSpecification,
                         "no PostgreSQL user name specified in startup packet");
  }
  if (packet.database.empty()) packet.database = packet.user;
  for (auto& parameter : given) packet.settings.push_back(std::move(parameter));
  return packet;
}

}  // namespace

Result<StartupPacket> ReadStartupPacket(std::string_view packet, bool ssl_seen, bool gss_seen) {
  MessageReader reader(packet);
  const auto code = static_cast<uint32_t>(reader.Int32());
  if (!reader.ok() || (code == kCancelRequestCode && packet.size() != kCancelRequestBytes)) {
    return Status::Fatal(sqlstate::kProtocolViolation, "invalid length of startup packet");
  }
  StartupPacket result;
  if (code == kCancelRequestCode) {
    result.kind = StartupKind::kCancelRequest;
    result.cancel_connection_id = static_cast<uint32_t>(reader.Int32());
    result.cancel_key = static_cast<uint32_t>(reader.Int32());
    return result;
  }
  if (code == kSslRequestCode && !ssl_seen) {
    result.kind = StartupKind::kSslRequest;
    return result;
  }
  if (code == kGssEncRequestCode && !gss_seen) {
    result.kind = StartupKind::kGssEncRequest;
    return result;
  }
  const uint32_t major = code >> 16;
  if (major != 3) {
    return Status::Fatal(
        sqlstate::kFeatureNotSupported,
        fmt::format("unsupported frontend protocol {}.{}: server supports 3.0 to 3.0", major,
                    code & 0xffff));
  }
  return ReadSessionPacket(code, reader.Rest());
}

}  // namespace connbench::protocol
