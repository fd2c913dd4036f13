// Replacing arguments of expressions, with everything a node derives from them.
#include "engine/executor/expression/rewrite.h"

#include <algorithm>

#include "engine/executor/expression/evaluate.h"

namespace connbench::engine {

Expression* WithArguments(const Expression& expression, std::span<Expression* const> arguments,
                          Arena& arena) {
  Expression* copy = arena.New<Expression>(expression);
  const std::span<Expression*> own = arena.NewArray<Expression*>(arguments.size());
  if (copy == nullptr || own.data() == nullptr) return nullptr;
  std::copy(arguments.begin(), arguments.end(), own.begin());
  copy->arguments = own.data();
  copy->argument_count = static_cast<uint32_t>(own.size());
  copy->has_columns = copy->has_parameters = false;
  copy->depth = 1;
  for (const Expression* argument : own) {
    copy->volatility = std::max(copy->volatility, argument->volatility);
    copy->has_columns = copy->has_columns || argument->has_columns;
    copy->has_parameters = copy->has_parameters || argument->has_parameters;
    copy->depth = std::max<uint16_t>(copy->depth, static_cast<uint16_t>(argument->depth + 1));
  }
  copy->evaluate = ChooseEvaluation(*copy);
  return copy;
}

void MakeConstant(Expression& expression, const Value& value) {
  Expression constant;
  constant.kind = ExpressionKind::kConstant;
  constant.type = expression.type;
  constant.location = expression.location;
  constant.constant = value;
  constant.evaluate = ChooseEvaluation(constant);
  expression = constant;
}

}  // namespace connbench::engine
