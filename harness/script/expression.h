// pgbench's expressions: integers, doubles, booleans and NULL with its operators and functions,
// compiled once and evaluated per transaction without allocating.
//
// Safety: an Expression is immutable once parsed and may be shared by threads; variables and random
// numbers belong to the client that evaluates. Errors: of parsing, with an offset into the text; of
// evaluation (overflow, division by zero, wrong type), as text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/script/random.h"
#include "harness/script/variable.h"

namespace connbench::load {

// What an evaluation may read and change.
struct EvaluationContext {
  std::span<const Variable> variables;  // by slot
  const SymbolTable* symbols = nullptr;
  Random* random = nullptr;
  int64_t default_seed = 0;      // of hash() and permute()
  std::string* debug = nullptr;  // debug() appends a line here; null: it is silent
};

struct ExpressionNode;

class Expression {
 public:
  // Parses all of text. On an error, error_offset is where in text it is.
  static Result<Expression> Parse(std::string_view text, SymbolTable& symbols,
                                  size_t& error_offset);

  explicit Expression(std::unique_ptr<ExpressionNode> root);
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;
  ~Expression();

  Status Evaluate(EvaluationContext& context, Value& value) const;

  // Fully parenthesised, for tests.
  std::string ToString(const SymbolTable& symbols) const;
  // The slots of the variables it reads.
  void CollectVariables(std::vector<uint32_t>& slots) const;

 private:
  std::unique_ptr<ExpressionNode> root_;
};

}  // namespace connbench::load
