// The parse tree of a query string, made by libpg_query (PostgreSQL 15's own grammar).
//
// Safety: private memory; a ParseTree may move between threads but is used by one at a time.
// Ownership: the tree is freed with the ParseTree; every pointer into it dies then.
// Errors: 42601 and friends as PostgreSQL's parser words them, with the position in characters;
// 54001 for a text nested too deeply; 22021 for a text that is not UTF-8; interrupts.
// Cost: about 20 us for a short statement, most of it the way through protobuf; prepared statements
// keep what they need of the tree and pay this once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/interrupts.h"
#include "engine/sql/pg_query_types.h"

namespace connbench::engine {

// The 1-based character position of a byte offset, as error positions count; 0 for an offset < 0.
int CharacterPosition(std::string_view sql, int byte_offset);

class ParseTree {
 public:
  // Looks for interrupts between its steps, of which none can be interrupted, where sql is long.
  static Result<ParseTree> Parse(std::string_view sql, Interrupts* interrupts);

  ParseTree(ParseTree&&) noexcept;
  ParseTree& operator=(ParseTree&&) noexcept;
  ~ParseTree();

  const std::string& sql() const { return *sql_; }
  int statement_count() const;
  const PgQuery__RawStmt& raw(int index) const;
  const PgQuery__Node& statement(int index) const;
  // The text of one statement, without the semicolon and the space around it.
  std::string_view statement_text(int index) const;
  // The error with the statement's beginning as its position, if it says that something is not
  // supported (0A000) and not where: some nodes of the tree have no location.
  Status WithStatementPosition(Status error, int index) const;

 private:
  ParseTree() = default;
  // On the heap, so that views of the text survive a move.
  std::unique_ptr<std::string> sql_;
  struct Free {
    void operator()(PgQuery__ParseResult* tree) const;
  };
  std::unique_ptr<PgQuery__ParseResult, Free> tree_;
};

}  // namespace connbench::engine
