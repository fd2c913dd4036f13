#include "engine/sql/parse_tree.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <cstring>

#include "engine/sql/nesting.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

// The SQLSTATE that goes with a message of the raw parser: libpg_query does not pass it on.
std::string_view CodeOf(std::string_view message) {
  if (message.find("not implemented") != std::string_view::npos ||
      message.find("not supported") != std::string_view::npos) {
    return sqlstate::kFeatureNotSupported;
  }
  if (message.starts_with("invalid byte sequence")) return sqlstate::kCharacterNotInRepertoire;
  if (message.starts_with("memory exhausted")) return sqlstate::kStatementTooComplex;
  return sqlstate::kSyntaxError;
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

Result<ParseTree> ParseTree::Parse(std::string_view sql) {
  CONNBENCH_RETURN_IF_ERROR(CheckNesting(sql));
  ParseTree tree;
  tree.sql_ = std::make_unique<std::string>(sql);
  PgQueryProtobufParseResult parsed = pg_query_parse_protobuf(tree.sql_->c_str());
  Status status;
  if (parsed.error != nullptr) {
    const std::string_view message = parsed.error->message;
    // The parser counts characters from 1 already.
    status = Status::Error(CodeOf(message), std::string(message), parsed.error->cursorpos);
  } else {
    tree.tree_.reset(pg_query__parse_result__unpack(
        nullptr, parsed.parse_tree.len, reinterpret_cast<const uint8_t*>(parsed.parse_tree.data)));
    if (tree.tree_ == nullptr) {
      status = Status::Error(sqlstate::kInternalError, "the parse tree could not be read back");
    }
  }
  pg_query_free_protobuf_parse_result(parsed);
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
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace connbench::engine
