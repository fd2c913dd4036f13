// The tree behind an Expression, and the table of functions: shared by its parser and evaluator.
//
// Safety: as expression.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "harness/script/expression.h"

namespace connbench::load {

enum class Operation : uint8_t {
  kConstant,
  kVariable,
  kCase,  // when, then, when, then, ..., else
  kAnd,
  kOr,
  kNot,
  kIs,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kBitAnd,
  kBitOr,
  kBitXor,
  kShiftLeft,
  kShiftRight,
  kAbs,
  kDebug,
  kDouble,
  kExp,
  kGreatest,
  kHashMurmur2,
  kHashFnv1a,
  kInt,
  kLeast,
  kLn,
  kPermute,
  kPi,
  kPower,
  kRandom,
  kRandomExponential,
  kRandomGaussian,
  kRandomZipfian,
  kSqrt,
};

inline constexpr int kAnyArguments = -1;
struct FunctionEntry {
  std::string_view name;
  Operation operation;
  int min_arguments;
  int max_arguments;  // kAnyArguments: no bound
};
// All functions of scripts, also those with an operator's form (mod); by name.
inline constexpr FunctionEntry kFunctions[] = {
    {"abs", Operation::kAbs, 1, 1},
    {"debug", Operation::kDebug, 1, 1},
    {"double", Operation::kDouble, 1, 1},
    {"exp", Operation::kExp, 1, 1},
    {"greatest", Operation::kGreatest, 1, kAnyArguments},
    {"hash", Operation::kHashMurmur2, 1, 2},
    {"hash_fnv1a", Operation::kHashFnv1a, 1, 2},
    {"hash_murmur2", Operation::kHashMurmur2, 1, 2},
    {"int", Operation::kInt, 1, 1},
    {"least", Operation::kLeast, 1, kAnyArguments},
    {"ln", Operation::kLn, 1, 1},
    {"mod", Operation::kModulo, 2, 2},
    {"permute", Operation::kPermute, 2, 3},
    {"pi", Operation::kPi, 0, 0},
    {"pow", Operation::kPower, 2, 2},
    {"power", Operation::kPower, 2, 2},
    {"random", Operation::kRandom, 2, 2},
    {"random_exponential", Operation::kRandomExponential, 3, 3},
    {"random_gaussian", Operation::kRandomGaussian, 3, 3},
    {"random_zipfian", Operation::kRandomZipfian, 3, 3},
    {"sqrt", Operation::kSqrt, 1, 1},
};

struct ExpressionNode {
  Operation operation = Operation::kConstant;
  Value constant;
  uint32_t slot = 0;
  std::vector<std::unique_ptr<ExpressionNode>> arguments;
};

}  // namespace connbench::load
