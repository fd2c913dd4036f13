// Choosing among overloads as PostgreSQL does (manual, chapter 10, "Type Conversion").
//
// Safety: pure functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/executor/expression/expression.h"
#include "engine/executor/expression/functions.h"

namespace connbench::engine {

struct Resolution {
  const FunctionDescription* function = nullptr;  // null: none or, if ambiguous, several
  bool ambiguous = false;
};

// types has kUnknown for literals and open parameters.
Resolution ResolveOverload(std::span<const FunctionDescription* const> candidates,
                           std::span<const Oid> types, bool is_operator);

// Of a row without an implementation: "function isfinite(interval) is not supported".
std::string NotSupportedMessage(const FunctionDescription& function);

// "integer, text", for error messages.
std::string DescribeTypes(std::span<Expression* const> arguments);

}  // namespace connbench::engine
