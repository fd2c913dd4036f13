// pgbench's expressions.
#include "harness/script/expression.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

#include "harness/script/expression_node.h"

namespace connbench::load {
namespace {

using Type = Value::Type;

Status Wrong(std::string message) {
  return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
}
Status OutOfRange(std::string_view what) {
  return Status::Error(sqlstate::kNumericValueOutOfRange, fmt::format("bigint {}", what));
}

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kNull:
      return "null";
    case Type::kBool:
      return "boolean";
    case Type::kInt:
      return "integer";
    case Type::kDouble:
      return "double";
  }
  return "";
}

Status ToInt(const Value& value, int64_t& integer) {
  if (value.type == Type::kInt) {
    integer = value.integer;
    return Status::Ok();
  }
  if (value.type != Type::kDouble) {
    return Wrong(fmt::format("a {} is not an integer", TypeName(value.type)));
  }
  const double rounded = std::rint(value.real);
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!(rounded >= -kTwoTo63 && rounded < kTwoTo63)) {
    return OutOfRange(fmt::format("cannot hold {}", value.real));
  }
  integer = static_cast<int64_t>(rounded);
  return Status::Ok();
}

Status ToDouble(const Value& value, double& real) {
  if (value.type == Type::kDouble) {
    real = value.real;
  } else if (value.type == Type::kInt) {
    real = static_cast<double>(value.integer);
  } else {
    return Wrong(fmt::format("a {} is not a number", TypeName(value.type)));
  }
  return Status::Ok();
}

Status ToBool(const Value& value, bool& boolean) {
  if (value.type != Type::kBool) {
    return Wrong(fmt::format("a {} is not a boolean", TypeName(value.type)));
  }
  boolean = value.boolean;
  return Status::Ok();
}

class Evaluator {
 public:
  explicit Evaluator(EvaluationContext& context) : context_(context) {}

  Status Eval(const ExpressionNode& node, Value& out) {
    switch (node.operation) {
      case Operation::kConstant:
        out = node.constant;
        return Status::Ok();
      case Operation::kVariable:
        return EvalVariable(node.slot, out);
      case Operation::kCase:
        return EvalCase(node, out);
      case Operation::kAnd:
      case Operation::kOr:
        return EvalLogic(node, out);
      case Operation::kGreatest:
      case Operation::kLeast:
        return EvalExtreme(node, out);
      default:
        break;
    }
    constexpr size_t kMaxArguments = 3;
    Value arguments[kMaxArguments];
    bool has_null = false;
    for (size_t i = 0; i < node.arguments.size(); ++i) {
      CONNBENCH_RETURN_IF_ERROR(Eval(*node.arguments[i], arguments[i]));
      has_null |= arguments[i].type == Type::kNull;
    }
    if (has_null && node.operation != Operation::kIs && node.operation != Operation::kDebug) {
      out = Value::Null();
      return Status::Ok();
    }
    return Apply(node, arguments, out);
  }

 private:
  Status EvalVariable(uint32_t slot, Value& out);
  Status EvalCase(const ExpressionNode& node, Value& out);
  Status EvalLogic(const ExpressionNode& node, Value& out);
  Status EvalExtreme(const ExpressionNode& node, Value& out);
  Status Apply(const ExpressionNode& node, const Value* arguments, Value& out);
  static Status ApplyArithmetic(Operation operation, const Value& left, const Value& right,
                                Value& out);
  static Status ApplyInt(Operation operation, int64_t left, int64_t right, Value& out);
  static void ApplyDouble(Operation operation, double left, double right, Value& out);
  Status ApplyRandom(const ExpressionNode& node, const Value* arguments, Value& out);
  Status ApplyHash(const ExpressionNode& node, const Value* arguments, Value& out);

  EvaluationContext& context_;
};

Status Evaluator::EvalVariable(uint32_t slot, Value& out) {
  const Variable& variable = context_.variables[slot];
  if (!variable.defined) {
    return Wrong(fmt::format("variable \"{}\" has no value", context_.symbols->name(slot)))
        .WithHint("Set it with \\set before it is used, or with -D NAME=VALUE.");
  }
  if (variable.is_text) {
    return Wrong(fmt::format("variable \"{}\" is \"{}\", which is no number",
                             context_.symbols->name(slot), variable.text));
  }
  out = variable.value;
  return Status::Ok();
}

Status Evaluator::EvalCase(const ExpressionNode& node, Value& out) {
  size_t i = 0;
  for (; i + 1 < node.arguments.size(); i += 2) {
    Value condition;
    CONNBENCH_RETURN_IF_ERROR(Eval(*node.arguments[i], condition));
    if (IsTrue(condition)) return Eval(*node.arguments[i + 1], out);
  }
  return Eval(*node.arguments[i], out);
}

// As pgbench: from left to right, and neither what decides nor a NULL lets the right side be looked
// at, so that NULL OR TRUE is NULL.
Status Evaluator::EvalLogic(const ExpressionNode& node, Value& out) {
  const bool decisive = node.operation == Operation::kOr;
  for (const auto& argument : node.arguments) {
    CONNBENCH_RETURN_IF_ERROR(Eval(*argument, out));
    if (out.type == Type::kNull) return Status::Ok();
    bool boolean = false;
    CONNBENCH_RETURN_IF_ERROR(ToBool(out, boolean));
    if (boolean == decisive) return Status::Ok();
  }
  return Status::Ok();
}

Status Evaluator::EvalExtreme(const ExpressionNode& node, Value& out) {
  const bool greatest = node.operation == Operation::kGreatest;
  bool has_null = false;
  bool first = true;
  Value best;
  for (const auto& argument : node.arguments) {
    Value value;
    CONNBENCH_RETURN_IF_ERROR(Eval(*argument, value));
    if (value.type == Type::kNull) {
      has_null = true;
      continue;
    }
    double real = 0;
    CONNBENCH_RETURN_IF_ERROR(ToDouble(value, real));
    if (first) {
      best = value;
      first = false;
      continue;
    }
    // One double makes all of them doubles.
    if (best.type != value.type) {
      double best_real = 0;
      CONNBENCH_RETURN_IF_ERROR(ToDouble(best, best_real));
      best = Value::Double(best_real);
      value = Value::Double(real);
    }
    Value less;
    CONNBENCH_RETURN_IF_ERROR(ApplyArithmetic(Operation::kLess, best, value, less));
    if (less.boolean == greatest) best = value;
  }
  out = has_null ? Value::Null() : best;
  return Status::Ok();
}

Status Evaluator::ApplyInt(Operation operation, int64_t left, int64_t right, Value& out) {
  int64_t result = 0;
  switch (operation) {
    case Operation::kAdd:
      if (__builtin_add_overflow(left, right, &result)) return OutOfRange("add out of range");
      break;
    case Operation::kSubtract:
      if (__builtin_sub_overflow(left, right, &result)) return OutOfRange("sub out of range");
      break;
    case Operation::kMultiply:
      if (__builtin_mul_overflow(left, right, &result)) return OutOfRange("mul out of range");
      break;
    case Operation::kDivide:
    case Operation::kModulo:
      if (right == 0) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
      if (right == -1) {  // the one quotient that may not fit
        if (operation == Operation::kDivide && __builtin_sub_overflow(0, left, &result)) {
          return OutOfRange("div out of range");
        }
      } else {
        result = operation == Operation::kDivide ? left / right : left % right;
      }
      break;
    case Operation::kEqual:
      out = Value::Bool(left == right);
      return Status::Ok();
    case Operation::kNotEqual:
      out = Value::Bool(left != right);
      return Status::Ok();
    case Operation::kLess:
      out = Value::Bool(left < right);
      return Status::Ok();
    default:
      out = Value::Bool(left <= right);
      return Status::Ok();
  }
  out = Value::Int(result);
  return Status::Ok();
}

void Evaluator::ApplyDouble(Operation operation, double left, double right, Value& out) {
  switch (operation) {
    case Operation::kAdd:
      out = Value::Double(left + right);
      return;
    case Operation::kSubtract:
      out = Value::Double(left - right);
      return;
    case Operation::kMultiply:
      out = Value::Double(left * right);
      return;
    case Operation::kDivide:
      out = Value::Double(left / right);
      return;
    case Operation::kEqual:
      out = Value::Bool(left == right);
      return;
    case Operation::kNotEqual:
      out = Value::Bool(left != right);
      return;
    case Operation::kLess:
      out = Value::Bool(left < right);
      return;
    default:
      out = Value::Bool(left <= right);
      return;
  }
}

Status Evaluator::ApplyArithmetic(Operation operation, const Value& left, const Value& right,
                                  Value& out) {
  // As pgbench: a double on either side makes it floating point, except for %.
  if (operation != Operation::kModulo &&
      (left.type == Type::kDouble || right.type == Type::kDouble)) {
    double a = 0;
    double b = 0;
    CONNBENCH_RETURN_IF_ERROR(ToDouble(left, a));
    CONNBENCH_RETURN_IF_ERROR(ToDouble(right, b));
    ApplyDouble(operation, a, b, out);
    return Status::Ok();
  }
  int64_t a = 0;
  int64_t b = 0;
  CONNBENCH_RETURN_IF_ERROR(ToInt(left, a));
  CONNBENCH_RETURN_IF_ERROR(ToInt(right, b));
  return ApplyInt(operation, a, b, out);
}

Status Evaluator::ApplyRandom(const ExpressionNode& node, const Value* arguments, Value& out) {
  int64_t low = 0;
  int64_t high = 0;
  CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[0], low));
  CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[1], high));
  if (low > high) {
    return Wrong(fmt::format("random range from {} to {} is empty", low, high));
  }
  int64_t width = 0;
  if (__builtin_sub_overflow(high, low, &width)) return Wrong("random range is too large");
  Random& random = *context_.random;
  if (node.operation == Operation::kRandom) {
    out = Value::Int(random.Uniform(low, high));
    return Status::Ok();
  }
  double parameter = 0;
  CONNBENCH_RETURN_IF_ERROR(ToDouble(arguments[2], parameter));
  if (node.operation == Operation::kRandomExponential) {
    if (!(parameter > 0)) return Wrong("random_exponential's parameter must be above zero");
    out = Value::Int(random.Exponential(low, high, parameter));
  } else if (node.operation == Operation::kRandomGaussian) {
    if (!(parameter >= kMinGaussianParameter)) {
      return Wrong(
          fmt::format("random_gaussian's parameter must be at least {}", kMinGaussianParameter));
    }
    out = Value::Int(random.Gaussian(low, high, parameter));
  } else {
    if (!(parameter >= kMinZipfianParameter && parameter <= kMaxZipfianParameter)) {
      return Wrong(fmt::format("random_zipfian's parameter must be from {} to {}",
                               kMinZipfianParameter, kMaxZipfianParameter));
    }
    out = Value::Int(random.Zipfian(low, high, parameter));
  }
  return Status::Ok();
}

Status Evaluator::ApplyHash(const ExpressionNode& node, const Value* arguments, Value& out) {
  int64_t value = 0;
  CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[0], value));
  const size_t seed_at = node.operation == Operation::kPermute ? 2 : 1;
  int64_t seed = context_.default_seed;
  if (node.arguments.size() > seed_at) CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[seed_at], seed));
  if (node.operation == Operation::kPermute) {
    int64_t size = 0;
    CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[1], size));
    if (size <= 0) return Wrong("permute's size must be above zero");
    out = Value::Int(Permute(value, size, seed));
  } else if (node.operation == Operation::kHashFnv1a) {
    out = Value::Int(HashFnv1a(value, static_cast<uint64_t>(seed)));
  } else {
    out = Value::Int(HashMurmur2(value, static_cast<uint64_t>(seed)));
  }
  return Status::Ok();
}

Status Evaluator::Apply(const ExpressionNode& node, const Value* arguments, Value& out) {
  switch (node.operation) {
    case Operation::kAdd:
    case Operation::kSubtract:
    case Operation::kMultiply:
    case Operation::kDivide:
    case Operation::kModulo:
    case Operation::kEqual:
    case Operation::kNotEqual:
    case Operation::kLess:
    case Operation::kLessEqual:
      return ApplyArithmetic(node.operation, arguments[0], arguments[1], out);
    case Operation::kBitAnd:
    case Operation::kBitOr:
    case Operation::kBitXor:
    case Operation::kShiftLeft:
    case Operation::kShiftRight: {
      int64_t left = 0;
      int64_t right = 0;
      CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[0], left));
      CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[1], right));
      const auto bits = static_cast<uint64_t>(right) & 63;  // as the machine pgbench runs on does
      switch (node.operation) {
        case Operation::kBitAnd:
          out = Value::Int(left & right);
          break;
        case Operation::kBitOr:
          out = Value::Int(left | right);
          break;
        case Operation::kBitXor:
          out = Value::Int(left ^ right);
          break;
        case Operation::kShiftLeft:
          out = Value::Int(static_cast<int64_t>(static_cast<uint64_t>(left) << bits));
          break;
        default:
          out = Value::Int(left >> bits);
          break;
      }
      return Status::Ok();
    }
    case Operation::kNot: {
      bool boolean = false;
      CONNBENCH_RETURN_IF_ERROR(ToBool(arguments[0], boolean));
      out = Value::Bool(!boolean);
      return Status::Ok();
    }
    case Operation::kIs:
      out = Value::Bool(
          arguments[0].type == arguments[1].type &&
          (arguments[0].type != Type::kBool || arguments[0].boolean == arguments[1].boolean));
      return Status::Ok();
    case Operation::kAbs:
      out = arguments[0];
      if (out.type == Type::kDouble) {
        out.real = std::fabs(out.real);
        return Status::Ok();
      }
      CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[0], out.integer));
      if (out.integer < 0 && __builtin_sub_overflow(0, out.integer, &out.integer)) {
        return OutOfRange("abs out of range");
      }
      return Status::Ok();
    case Operation::kDebug:
      out = arguments[0];
      if (context_.debug != nullptr) {
        fmt::format_to(std::back_inserter(*context_.debug), "debug({}): {}\n", TypeName(out.type),
                       out.ToText());
      }
      return Status::Ok();
    case Operation::kInt: {
      int64_t integer = 0;
      CONNBENCH_RETURN_IF_ERROR(ToInt(arguments[0], integer));
      out = Value::Int(integer);
      return Status::Ok();
    }
    case Operation::kPi:
      out = Value::Double(M_PI);
      return Status::Ok();
    case Operation::kPower: {
      double base = 0;
      double exponent = 0;
      CONNBENCH_RETURN_IF_ERROR(ToDouble(arguments[0], base));
      CONNBENCH_RETURN_IF_ERROR(ToDouble(arguments[1], exponent));
      out = Value::Double(std::pow(base, exponent));
      return Status::Ok();
    }
    case Operation::kDouble:
    case Operation::kExp:
    case Operation::kLn:
    case Operation::kSqrt: {
      double real = 0;
      CONNBENCH_RETURN_IF_ERROR(ToDouble(arguments[0], real));
      out = Value::Double(node.operation == Operation::kExp    ? std::exp(real)
                          : node.operation == Operation::kLn   ? std::log(real)
                          : node.operation == Operation::kSqrt ? std::sqrt(real)
                                                               : real);
      return Status::Ok();
    }
    case Operation::kRandom:
    case Operation::kRandomExponential:
    case Operation::kRandomGaussian:
    case Operation::kRandomZipfian:
      return ApplyRandom(node, arguments, out);
    case Operation::kHashMurmur2:
    case Operation::kHashFnv1a:
    case Operation::kPermute:
      return ApplyHash(node, arguments, out);
    default:
      return Status::Error(sqlstate::kInternalError, "an operation without an evaluation");
  }
}

}  // namespace

Expression::Expression(std::unique_ptr<ExpressionNode> root) : root_(std::move(root)) {}
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;
Expression::~Expression() = default;

Status Expression::Evaluate(EvaluationContext& context, Value& value) const {
  return Evaluator(context).Eval(*root_, value);
}

}  // namespace connbench::load
