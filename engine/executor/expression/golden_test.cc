// Every expression of golden/*.tsv gives what PostgreSQL 15 gave: type, text, binary form; or
// SQLSTATE, position, message, detail, hint. The files are made by golden/record.py; the variable
// CONNBENCH_GOLDEN_FILE names another one, for a wider comparison by hand.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/test_environment.h"
#include "engine/sql/ast.h"
#include "engine/sql/expression_analyzer.h"
#include "engine/sql/parse_tree.h"

namespace connbench::engine {
namespace {

constexpr std::string_view kPrefix = "select ";

std::string Escape(std::string_view text) {
  std::string escaped;
  for (char c : text) {
    if (c == '\\') {
      escaped += "\\\\";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (unsigned char c : bytes) {
    hex += "0123456789abcdef"[c >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  return hex;
}

Result<Expression*> Analyze(const ParseTree& tree, ExpressionBuilder& builder) {
  const Scope scope;
  ExpressionAnalyzer analyzer(builder, tree.sql(), scope);
  const auto& select = *tree.statement(0).select_stmt;
  CONNBENCH_ASSIGN_OR_RETURN(Expression * expression,
                             analyzer.Analyze(*select.target_list[0]->res_target->val, "SELECT"));
  return builder.ResolveUnknown(expression);
}

std::string DescribeError(const Status& status) {
  const ErrorInfo& error = status.error();
  const int position = std::max(0, error.position - static_cast<int>(kPrefix.size()));
  return "ERROR\t" + error.code + '\t' + std::to_string(position) + '\t' + Escape(error.message) +
         '\t' + Escape(error.detail) + '\t' + Escape(error.hint);
}

// What the golden file holds after the expression.
std::string Answer(const std::string& expression, EvalEnvironment& environment) {
  const std::string sql = std::string(kPrefix) + expression;
  auto tree = ParseTree::Parse(sql, nullptr);
  if (!tree.ok()) return DescribeError(tree.status());
  Arena arena(int64_t{1} << 30);
  ParameterTypes parameters;
  ExpressionBuilder builder(arena, parameters, tree->sql());
  auto root = Analyze(*tree, builder);
  if (!root.ok()) return DescribeError(root.status());
  EvalContext context;
  context.arena = &arena;
  context.environment = &environment;
  Value value;
  if (!Evaluate(**root, context, value)) return DescribeError(context.status);
  const Oid oid = (*root)->type.oid;
  if (value.null) return std::to_string(oid) + "\t\\N\t\\N";
  std::string_view text;
  std::string_view binary;
  Status status = FormatText(oid, value, context.io(), text);
  if (status.ok()) status = FormatBinary(oid, value, context.io(), binary);
  if (!status.ok()) return DescribeError(status);
  return std::to_string(oid) + '\t' + Escape(text) + '\t' + Hex(binary);
}

void CheckGoldenFile(const std::string& path) {
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  TestEnvironment environment;
  std::string line;
  int checked = 0;
  while (std::getline(file, line)) {
    const std::string_view zone_command = "\\timezone ";
    if (line.starts_with(zone_command)) {
      auto zone = TimeZone::FindSetting(std::string_view(line).substr(zone_command.size()));
      ASSERT_TRUE(zone.ok()) << line;
      environment.zone = *zone;
      continue;
    }
    const size_t tab = line.find('\t');
    ASSERT_NE(tab, std::string::npos) << line;
    const std::string expression = line.substr(0, tab);
    EXPECT_EQ(Answer(expression, environment), line.substr(tab + 1)) << "select " << expression;
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

TEST(Golden, AnswersAsPostgresqlDoes) {
  if (const char* other = std::getenv("CONNBENCH_GOLDEN_FILE")) return CheckGoldenFile(other);
  const std::string folder = CONNBENCH_GOLDEN_FOLDER;
  CheckGoldenFile(folder + "/expressions.tsv");
  CheckGoldenFile(folder + "/functions.tsv");
}

}  // namespace
}  // namespace connbench::engine
