// Splits a script's text into SQL statements and backslash commands, as psql's lexer does for
// pgbench: quotes, dollar quotes, comments and parentheses hide a ";", and a backslash ends a
// statement.
//
// Safety: pure; any thread. Errors: name file:line:column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace connbench::load {

struct ScriptPart {
  bool is_sql = true;
  std::string text;   // a statement with its ";"; or a command without its backslash
  size_t offset = 0;  // of its first character in the script
};

Result<std::vector<ScriptPart>> SplitScript(std::string_view path, std::string_view script);

// "path:line:column: message"
Status ScriptError(std::string_view path, std::string_view script, size_t offset,
                   std::string_view message, std::string_view hint = {});
int LineOf(std::string_view script, size_t offset);

bool IsVariableStart(char c);
bool IsVariablePart(char c);

}  // namespace connbench::load
