// The options of COPY, read and held against each other.
#include "engine/sql/copy_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "engine/sql/ast.h"
#include "engine/sql/client_encoding.h"

namespace connbench::engine {
namespace {

Status Unavailable(std::string message) {
  return Status::Error(sqlstate::kFeatureNotSupported, std::move(message));
}

Status BadValue(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}

Result<char> OneCharacter(std::string_view name, const std::string& text) {
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return text[0];
  return Unavailable(fmt::format("COPY {} must be a single one-byte character", name));
}

bool Contains(std::string_view text, char c) { return text.find(c) != std::string_view::npos; }

class OptionReader {
 public:
  OptionReader(std::string_view sql, bool from) : sql_(sql), from_(from) {}

  // One option of the list.
  Status Take(const PgQuery__DefElem& element) {
    const std::string_view name = element.defname;
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) {
      return Status::Error(sqlstate::kSyntaxError, "conflicting or redundant options",
                           CharacterPosition(sql_, element.location));
    }
    seen_.emplace_back(name);
    if (name == "format") return TakeFormat(element);
    if (name == "freeze") return ast::DefElemBool(element).TakeStatus();  // nothing to freeze
    if (name == "header") return TakeHeader(element);
    if (name == "delimiter") return TakeText(element, delimiter_);
    if (name == "null") return TakeText(element, null_text_);
    if (name == "quote") return TakeText(element, quote_);
    if (name == "escape") return TakeText(element, escape_);
    if (name == "force_quote") return TakeColumns(element, options_.force_quote, true);
    if (name == "force_not_null") return TakeColumns(element, options_.force_not_null, false);
    if (name == "force_null") return TakeColumns(element, options_.force_null, false);
    if (name == "encoding") return TakeEncoding(element);
    return Status::Error(sqlstate::kSyntaxError, fmt::format("option \"{}\" not recognized", name),
                         CharacterPosition(sql_, element.location));
  }

  // All options together.
  Result<CopyOptions> Finish() {
    const bool csv = options_.csv();
    for (const auto& [given, name] :
         {std::pair(delimiter_.has_value(), "DELIMITER"), std::pair(null_text_.has_value(), "NULL"),
          std::pair(options_.header != CopyHeader::kNone, "HEADER")}) {
      if (!given || !options_.binary()) continue;
      return Status::Error(std::string_view(name) == "HEADER" ? sqlstate::kFeatureNotSupported
                                                              : sqlstate::kSyntaxError,
                           fmt::format("cannot specify {} in BINARY mode", name));
    }
    CONNBENCH_ASSIGN_OR_RETURN(options_.delimiter,
                               OneCharacter("delimiter", delimiter_.value_or(csv ? "," : "\t")));
    options_.null_text = null_text_.value_or(csv ? "" : "\\N");
    if (Contains("\r\n", options_.delimiter)) {
      return BadValue("COPY delimiter cannot be newline or carriage return");
    }
    if (Contains(options_.null_text, '\r') || Contains(options_.null_text, '\n')) {
      return BadValue("COPY null representation cannot use newline or carriage return");
    }
    if (!csv && Contains("\\.abcdefghijklmnopqrstuvwxyz0123456789", options_.delimiter)) {
      return BadValue(fmt::format("COPY delimiter cannot be \"{}\"", options_.delimiter));
    }
    CONNBENCH_RETURN_IF_ERROR(FinishQuotes());
    CONNBENCH_RETURN_IF_ERROR(FinishColumns("force quote", options_.force_quote, from_, "COPY TO"));
    CONNBENCH_RETURN_IF_ERROR(
        FinishColumns("force not null", options_.force_not_null, !from_, "COPY FROM"));
    CONNBENCH_RETURN_IF_ERROR(
        FinishColumns("force null", options_.force_null, !from_, "COPY FROM"));
    if (Contains(options_.null_text, options_.delimiter)) {
      return Unavailable("COPY delimiter must not appear in the NULL specification");
    }
    if (csv && Contains(options_.null_text, options_.quote)) {
      return Unavailable("CSV quote character must not appear in the NULL specification");
    }
    return std::move(options_);
  }

 private:
  Status TakeFormat(const PgQuery__DefElem& element) {
    std::optional<std::string> value;
    CONNBENCH_RETURN_IF_ERROR(TakeText(element, value));
    if (value == "text") {
      options_.format = CopyFormat::kText;
    } else if (value == "csv") {
      options_.format = CopyFormat::kCsv;
    } else if (value == "binary") {
      options_.format = CopyFormat::kBinary;
    } else {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("COPY format \"{}\" not recognized", *value),
                           CharacterPosition(sql_, element.location));
    }
    return {};
  }

  Status TakeHeader(const PgQuery__DefElem& element) {
    const std::string value = ast::DefElemText(element);
    if (EqualIgnoringCase(value, "match")) {
      if (!from_)
        return Unavailable(fmt::format("cannot use \"{}\" with HEADER in COPY TO", value));
      options_.header = CopyHeader::kMatch;
      return {};
    }
    const Result<bool> present = ast::DefElemBool(element);
    if (!present.ok()) {
      return Status::Error(
          sqlstate::kSyntaxError,
          fmt::format("{} requires a Boolean value or \"match\"", element.defname));
    }
    options_.header = *present ? CopyHeader::kPresent : CopyHeader::kNone;
    return {};
  }

  static Status TakeText(const PgQuery__DefElem& element, std::optional<std::string>& text) {
    if (element.arg == nullptr) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("{} requires a parameter", element.defname));
    }
    text = ast::DefElemText(element);
    return {};
  }

  Status TakeColumns(const PgQuery__DefElem& element, CopyColumnNames& columns, bool star) {
    const ast::Node* value = element.arg;
    if (star && value != nullptr && value->node_case == PG_QUERY__NODE__NODE_A_STAR) {
      columns.all = true;
      return {};
    }
    if (value == nullptr || value->node_case != PG_QUERY__NODE__NODE_LIST) {
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("argument to option \"{}\" must be a list of column names", element.defname),
          CharacterPosition(sql_, element.location));
    }
    for (const ast::Node* item : ast::List(value->list->items, value->list->n_items)) {
      columns.names.emplace_back(ast::StringOf(*item));
    }
    return {};
  }

  Status TakeEncoding(const PgQuery__DefElem& element) {
    const Result<std::string_view> known = CanonicalEncoding(ast::DefElemText(element));
    if (known.ok() && *known == "UTF8") return {};
    if (known.ok() || known.status().code() == sqlstate::kFeatureNotSupported) {
      return ast::NotSupported(sql_, "COPY with ENCODING '" + ast::DefElemText(element) + "'",
                               element.location);
    }
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("argument to option \"{}\" must be a valid encoding name", element.defname),
        CharacterPosition(sql_, element.location));
  }

  Status FinishQuotes() {
    const bool csv = options_.csv();
    if (!csv && quote_) return Unavailable("COPY quote available only in CSV mode");
    if (csv) {
      CONNBENCH_ASSIGN_OR_RETURN(options_.quote, OneCharacter("quote", quote_.value_or("\"")));
      if (options_.delimiter == options_.quote) {
        return BadValue("COPY delimiter and quote must be different");
      }
    }
    if (!csv && escape_) return Unavailable("COPY escape available only in CSV mode");
    if (csv) {
      CONNBENCH_ASSIGN_OR_RETURN(
          options_.escape, OneCharacter("escape", escape_.value_or(std::string{options_.quote})));
    }
    return {};
  }

  // wrong_way: the option is for the other direction, which is `way`.
  Status FinishColumns(std::string_view name, const CopyColumnNames& columns, bool wrong_way,
                       std::string_view way) const {
    if (!columns.given()) return {};
    if (!options_.csv())
      return Unavailable(fmt::format("COPY {} available only in CSV mode", name));
    if (wrong_way) return Unavailable(fmt::format("COPY {} only available using {}", name, way));
    return {};
  }

  std::string_view sql_;
  bool from_;
  CopyOptions options_;
  std::vector<std::string> seen_;
  std::optional<std::string> delimiter_;
  std::optional<std::string> null_text_;
  std::optional<std::string> quote_;
  std::optional<std::string> escape_;
};

}  // namespace

Result<CopyOptions> ParseCopyOptions(std::string_view sql, const PgQuery__CopyStmt& statement) {
  OptionReader reader(sql, statement.is_from);
  for (const ast::Node* node : ast::List(statement.options, statement.n_options)) {
    CONNBENCH_RETURN_IF_ERROR(reader.Take(*node->def_elem));
  }
  return reader.Finish();
}

}  // namespace connbench::engine
