// The parse tree of a query string, made by libpg_query (PostgreSQL 15's own grammar).
#include "engine/sql/parse_tree.h"

#include <fmt/format.h>
#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/executor/types/string_type.h"
#include "engine/sql/misplaced_parameter.h"
#include "engine/sql/nesting.h"
#include "engine/sql/parser_memory.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kStatementBlanks = " \t\n\r\f\v";

// The SQLSTATE that goes with a message of the raw parser: libpg_query does not pass it on.
std::string_view CodeOf(std::string_view message, std::string_view at) {
  const size_t quoted = message.find(" at or near \"");
  const bool has_quote = quoted != std::string_view::npos;
  message = message.substr(0, quoted);
  // Of E'\u'; what U& has is a syntax error.
  if (message == "invalid Unicode escape" && !has_quote &&
      (at.starts_with("\\u") || at.starts_with("\\U"))) {
    return sqlstate::kInvalidEscapeSequence;
  }
  if (message.find("not implemented") != std::string_view::npos ||
      message.find("not yet implemented") != std::string_view::npos ||
      message.find("constraints cannot be marked") != std::string_view::npos ||
      message.find("not supported") != std::string_view::npos ||
      message.find("only supported for") != std::string_view::npos) {
    return sqlstate::kFeatureNotSupported;
  }
  constexpr std::pair<std::string_view, std::string_view> kCodes[] = {
      {"invalid byte sequence", sqlstate::kCharacterNotInRepertoire},
      {"out of memory", sqlstate::kOutOfMemory},
      {"memory exhausted", sqlstate::kStatementTooComplex},
      {"precision for type float must be", sqlstate::kInvalidParameterValue},
      {"interval(", sqlstate::kInvalidParameterValue},
      {"frame start", sqlstate::kWindowingError},
      {"frame end", sqlstate::kWindowingError},
      {"role name ", sqlstate::kReservedName},
      {"CURRENT_USER cannot be used as a role name", sqlstate::kReservedName},
      {"CURRENT_ROLE cannot be used as a role name", sqlstate::kReservedName},
      {"SESSION_USER cannot be used as a role name", sqlstate::kReservedName}};
  for (const auto& [beginning, code] : kCodes) {
    if (message.starts_with(beginning)) return code;
  }
  return sqlstate::kSyntaxError;
}

// A parameter that only libpg_query's grammar takes.
Status CheckParameters(std::string_view sql, const PgQuery__ParseResult& tree) {
  if (sql.find('$') == std::string_view::npos) return {};
  const PgQuery__ParamRef* parameter = FindMisplacedParameter(tree);
  if (parameter == nullptr) return {};
  return Status::Error(sqlstate::kSyntaxError,
                       fmt::format("syntax error at or near \"${}\"", parameter->number),
                       CharacterPosition(sql, parameter->location));
}

}  // namespace

int CharacterPosition(std::string_view sql, int byte_offset) {
  if (byte_offset < 0) return 0;
  int characters = 1;
  const size_t end = std::min(sql.size(), static_cast<size_t>(byte_offset));
  for (size_t i = 0; i < end; ++i) {
    if ((static_cast<unsigned char>(sql[i]) & 0xC0) != 0x80) ++characters;
  }
  return characters;
}

Result<ParseTree> ParseTree::Parse(std::string_view sql, Interrupts* interrupts) {
  // A step takes at least some 10 ns for a byte.
  constexpr int64_t kStepsPerByte = 10;
  const int64_t steps = static_cast<int64_t>(sql.size()) * kStepsPerByte;
  WorkMeter meter(interrupts);
  CONNBENCH_RETURN_IF_ERROR(CheckNesting(sql));
  CONNBENCH_RETURN_IF_ERROR(meter.Spend(steps));
  ParseTree tree;
  tree.sql_ = std::make_unique<std::string>(sql);
  PgQueryProtobufParseResult parsed;
  if (!ParseWithinMemory(tree.sql_->c_str(), parsed)) {
    return Status::Error(sqlstate::kOutOfMemory, "out of memory");
  }
  Status status = meter.Spend(steps);
  if (!status.ok()) {
    // The tree is not read.
  } else if (parsed.error != nullptr) {
    const std::string_view message = parsed.error->message;
    // The parser counts characters from 1 already.
    const int position = parsed.error->cursorpos;
    const size_t at = ByteOffsetOf(sql, std::max(position - 1, 0));
    status = Status::Error(CodeOf(message, sql.substr(at)), Excerpt(message), position);
  } else {
    tree.tree_.reset(pg_query__parse_result__unpack(
        nullptr, parsed.parse_tree.len, reinterpret_cast<const uint8_t*>(parsed.parse_tree.data)));
    if (tree.tree_ == nullptr) {
      // It was written a moment ago: nothing else can be wrong with it.
      status = Status::Error(sqlstate::kOutOfMemory, "out of memory");
    } else {
      status = CheckParameters(*tree.sql_, *tree.tree_);
    }
  }
  pg_query_free_protobuf_parse_result(parsed);
  if (status.ok()) status = meter.Spend(steps);
  if (!status.ok()) return status;
  return tree;
}

ParseTree::ParseTree(ParseTree&&) noexcept = default;
ParseTree& ParseTree::operator=(ParseTree&&) noexcept = default;
ParseTree::~ParseTree() = default;

void ParseTree::Free::operator()(PgQuery__ParseResult* tree) const {
  pg_query__parse_result__free_unpacked(tree, nullptr);
}

int ParseTree::statement_count() const { return static_cast<int>(tree_->n_stmts); }

const PgQuery__RawStmt& ParseTree::raw(int index) const { return *tree_->stmts[index]; }

const PgQuery__Node& ParseTree::statement(int index) const { return *raw(index).stmt; }

std::string_view ParseTree::statement_text(int index) const {
  const PgQuery__RawStmt& statement = raw(index);
  std::string_view text = *sql_;
  text.remove_prefix(std::min(text.size(), static_cast<size_t>(statement.stmt_location)));
  if (statement.stmt_len > 0) text = text.substr(0, static_cast<size_t>(statement.stmt_len));
  const size_t begin = text.find_first_not_of(kStatementBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kStatementBlanks) + 1 - begin);
}

Status ParseTree::WithStatementPosition(Status error, int index) const {
  if (error.ok() || error.code() != sqlstate::kFeatureNotSupported || error.error().position != 0) {
    return error;
  }
  const auto begin = static_cast<int>(statement_text(index).data() - sql_->data());
  return std::move(error).WithPosition(CharacterPosition(*sql_, begin));
}

}  // namespace connbench::engine
