// Names of relations in texts: see relation_name.h.
#include "engine/sql/relation_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"
#include "engine/sql/table_definition.h"

namespace connbench::engine {
namespace {

// At most so many bytes, cut between characters.
std::string_view CutUtf8(std::string_view text, size_t bytes) {
  while (bytes < text.size() && bytes > 0 &&
         (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) {
    --bytes;
  }
  return text.substr(0, bytes);
}

constexpr size_t kMaxNameParts = 16;  // one more than any name that means something would do

constexpr std::string_view kSqlBlanks = " \t\n\r\f\v";

Status InvalidSyntax() { return Status::Error(sqlstate::kInvalidName, "invalid name syntax"); }

size_t SkipBlanks(std::string_view text, size_t at) {
  return std::min(text.find_first_not_of(kSqlBlanks, at), text.size());
}

// One identifier from at on, which is moved behind it. False if there is none.
bool TakeIdentifier(std::string_view text, size_t& at, std::string& name) {
  // The name is cut anyway: a character more than it may have is enough.
  constexpr size_t kKeptBytes = kNameBytes + 4;
  const auto keep = [&name](char c) {
    if (name.size() < kKeptBytes) name += c;
  };
  name.clear();
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size(); ++at) {
      if (text[at] == '"') {
        const bool doubled = at + 1 < text.size() && text[at + 1] == '"';
        if (!doubled) {
          ++at;
          return true;
        }
        ++at;
      }
      keep(text[at]);
    }
    return false;  // no closing quote
  }
  while (at < text.size() && text[at] != '.' &&
         kSqlBlanks.find(text[at]) == std::string_view::npos) {
    keep(AsciiLower(text[at++]));
  }
  return !name.empty();
}

}  // namespace

Result<std::vector<std::string>> SplitQualifiedName(std::string_view text) {
  std::vector<std::string> parts;
  size_t at = SkipBlanks(text, 0);
  while (true) {
    std::string name;
    if (!TakeIdentifier(text, at, name)) return InvalidSyntax();
    parts.push_back(TruncateName(name));
    at = SkipBlanks(text, at);
    if (at == text.size()) return parts;
    if (text[at] != '.') return InvalidSyntax();
    if (parts.size() == kMaxNameParts) {
      return Status::Error(
          sqlstate::kSyntaxError,
          fmt::format("improper relation name (too many dotted names): {}", Excerpt(text)));
    }
    at = SkipBlanks(text, at + 1);
  }
}

Result<std::string> RelationNameOf(std::string_view text, std::string_view database) {
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<std::string> parts, SplitQualifiedName(text));
  if (parts.size() > 3) {
    return Status::Error(
        sqlstate::kSyntaxError,
        fmt::format("improper relation name (too many dotted names): {}", fmt::join(parts, ".")));
  }
  if (parts.size() == 3 && parts[0] != database) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("cross-database references are not implemented: \"{}\"",
                                     fmt::join(parts, ".")));
  }
  if (parts.size() > 1) {
    const std::string& schema = parts[parts.size() - 2];
    if (schema != "public" && schema != "pg_catalog") {
      return Status::Error(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist", schema));
    }
  }
  return std::move(parts.back());
}

Result<std::string> ChooseObjectName(
    std::string_view table, std::string_view columns, std::string_view label,
    const std::function<Result<bool>(std::string_view name)>& is_taken) {
  for (int number = 0;; ++number) {
    const std::string end =
        number == 0 ? fmt::format("_{}", label) : fmt::format("_{}{}", label, number);
    const size_t room = kMaxNameLength - end.size() - (columns.empty() ? 0 : 1);
    size_t first = table.size();
    size_t second = columns.size();
    while (first + second > room) --(first > second ? first : second);
    std::string name(CutUtf8(table, first));
    if (!columns.empty()) name += fmt::format("_{}", CutUtf8(columns, second));
    name += end;
    CONNBENCH_ASSIGN_OR_RETURN(const bool taken, is_taken(name));
    if (!taken) return name;
  }
}

std::string QuoteIdentifier(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace connbench::engine
