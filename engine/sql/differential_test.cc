// The statements of testdata/queries.sql must be answered as PostgreSQL 15 answered them.

#include <fmt/format.h>

#include <cctype>
#include <fstream>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using DifferentialTest = SqlTest;

struct Case {
  std::string sql;
  std::string answer;  // the lines "R ...", "T ...", "E ..." that follow
};

std::vector<Case> ReadCases() {
  std::ifstream file(CONNBENCH_TESTDATA "/postgres15.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Q ")) {
      cases.push_back({line.substr(2), ""});
    } else {
      cases.back().answer += line + "\n";
    }
  }
  return cases;
}

std::string Answer(TestSession& client, const std::string& sql) {
  client.Run(sql);
  std::string answer;
  const CollectingSink& sink = client.last();
  std::string last = sink.lines.empty() ? "" : sink.lines.back();
  if (last.starts_with("ERROR ")) return "E " + last.substr(6) + "\n";
  for (std::string row : sink.rows) {
    for (size_t at = 0; (at = row.find('\n', at)) != std::string::npos;) row.replace(at, 1, "\\n");
    answer += "R " + row + "\n";
  }
  return answer + "T " + last + "\n";
}

TEST_F(DifferentialTest, AnswersAsPostgres15) {
  const std::vector<Case> cases = ReadCases();
  ASSERT_GT(cases.size(), 100u);
  for (const Case& test : cases) {
    EXPECT_EQ(Answer(*a_, test.sql), test.answer) << test.sql;
  }
}

// A statement with some of its tokens dropped, doubled, exchanged or taken from another one.
std::string Mutate(const std::string& a, const std::string& b, uint32_t& random) {
  const auto next = [&random](size_t count) {
    random = random * 1664525u + 1013904223u;
    return (random >> 8) % count;
  };
  const auto split = [](const std::string& text) {
    std::vector<std::string> tokens(1);
    for (char c : text) {
      const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
      const bool was_word = !tokens.back().empty() &&
                            (std::isalnum(static_cast<unsigned char>(tokens.back().back())) != 0 ||
                             tokens.back().back() == '_');
      if (!tokens.back().empty() && !(word && was_word)) tokens.emplace_back();
      tokens.back() += c;
    }
    return tokens;
  };
  std::vector<std::string> tokens = split(a);
  const std::vector<std::string> others = split(b);
  for (size_t changes = 1 + next(3); changes > 0; --changes) {
    const size_t at = next(tokens.size());
    switch (next(4)) {
      case 0:
        tokens[at].clear();
        break;
      case 1:
        tokens[at] += " " + tokens[next(tokens.size())];
        break;
      case 2:
        std::swap(tokens[at], tokens[next(tokens.size())]);
        break;
      default:
        tokens[at] = others[next(others.size())];
    }
  }
  std::string mutated;
  for (const std::string& token : tokens) mutated += token;
  return mutated;
}

TEST_F(DifferentialTest, SurvivesMutatedStatements) {
  const std::vector<Case> cases = ReadCases();
  constexpr int kStatements = 4000;
  uint32_t random = 2024;
  for (int i = 0; i < kStatements; ++i) {
    random = random * 1664525u + 1013904223u;
    const std::string& a = cases[(random >> 8) % cases.size()].sql;
    random = random * 1664525u + 1013904223u;
    const std::string& b = cases[(random >> 8) % cases.size()].sql;
    // Big generate_series and repeated doubling must not make the test slow.
    if (i % 100 == 0) a_->Run("rollback; set statement_timeout = 100; drop table if exists t, u");
    if (i % 100 == 0) a_->Run(cases[0].sql + "; " + cases[1].sql);
    const std::string sql = Mutate(a, b, random);
    SCOPED_TRACE(sql);
    const std::string answer = a_->Run(sql);
    EXPECT_EQ(answer.find("XX000"), std::string::npos) << sql << "\n" << answer;
  }
  a_->Run("rollback");
  EXPECT_EQ(a_->Rows("select 1"), "1");
}

}  // namespace
}  // namespace connbench::engine
