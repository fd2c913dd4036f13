// The first packet of a connection: what it asks for, checked as PostgreSQL checks it.
#include "protocol/startup.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/bool_text.h"
#include "protocol/limits.h"

namespace connbench::protocol {
namespace {

constexpr size_t kCancelRequestBytes = 12;  // code, connection id, key
constexpr std::string_view kProtocolOptionPrefix = "_pq_.";

// Cut where a character begins.
std::string_view ClipName(std::string_view name) {
  if (name.size() <= kMaxNameBytes) return name;
  size_t end = kMaxNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end);
}

// Splits at white space; a backslash takes the next character as it is (PostgreSQL's
// pg_split_opts).
std::vector<std::string> SplitOptions(std::string_view text) {
  std::vector<std::string> words;
  size_t i = 0;
  while (true) {
    while (i < text.size() && IsAsciiSpace(text[i])) ++i;
    if (i == text.size()) return words;
    std::string word;
    while (i < text.size() && !IsAsciiSpace(text[i])) {
      if (text[i] == '\\') ++i;
      if (i < text.size()) word += text[i++];
    }
    words.push_back(std::move(word));
  }
}

Status BadOption(std::string_view word) {
  return Status::Fatal(sqlstate::kSyntaxError,
                       fmt::format("invalid command-line argument for server process: {}", word))
      .WithHint("Only -c name=value and --name=value are known.");
}

// "-c name=value", "-cname=value" and "--name=value", the forms that set parameters. As getopt
// does, words that are no options are looked at last, and "--" ends the options.
Status ReadOptions(std::string_view text, std::vector<engine::StartupParameter>& settings) {
  const std::vector<std::string> words = SplitOptions(text);
  std::string_view stray;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    std::string_view assignment;
    const bool dashes = word.starts_with("--");
    if (word == "--") {
      if (stray.data() == nullptr && i + 1 < words.size()) stray = words[i + 1];
      break;
    }
    if (dashes) {
      assignment = word.substr(2);
    } else if (word == "-c" && i + 1 < words.size()) {
      assignment = words[++i];
    } else if (word.starts_with("-c") && word.size() > 2) {
      assignment = word.substr(2);
    } else if (word.starts_with('-') && word.size() > 1) {
      return BadOption(word);
    } else {
      if (stray.data() == nullptr) stray = word;
      continue;
    }
    const size_t equals = assignment.find('=');
    if (equals == std::string_view::npos) {
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
  return stray.data() == nullptr ? Status() : BadOption(stray);
}

// There are ordinary sessions only; "replication" may be given as off.
Status CheckReplication(std::string_view value) {
  const std::optional<bool> wanted = ParseBool(value);
  if (wanted == false) return {};
  if (!wanted && value != "database") {
    return Status::Fatal(sqlstate::kInvalidParameterValue,
                         fmt::format("invalid value for parameter \"replication\": \"{}\"", value))
        .WithHint("Valid values are: \"false\", 0, \"true\", 1, \"database\".");
  }
  return Status::Fatal(sqlstate::kFeatureNotSupported, "replication connections are not supported");
}

Result<StartupPacket> ReadSessionPacket(uint32_t version, std::string_view parameters) {
  StartupPacket packet;
  packet.version = version;
  std::vector<engine::StartupParameter> given;
  std::string_view options;  // of several, like of all names but settings, the last counts
  MessageReader reader(parameters);
  while (true) {
    const std::string_view name = reader.String();
    if (!reader.ok() || name.empty()) break;
    const std::string_view value = reader.String();
    if (!reader.ok()) break;
    CONNBENCH_RETURN_IF_ERROR(engine::CheckStartupText(name));
    // In an application's name, what is no ASCII becomes question marks.
    if (name != "application_name") {
      CONNBENCH_RETURN_IF_ERROR(engine::CheckStartupText(value));
    }
    if (name == "user") {
      packet.user = ClipName(value);
    } else if (name == "database") {
      packet.database = ClipName(value);
    } else if (name == "options") {
      options = value;
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
  if (packet.database.empty()) packet.database = packet.user;
  packet.options_error = ReadOptions(options, packet.settings);
  if (!packet.options_error.ok()) return packet;
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
