// The table of casts: from which type to which, when, and how.
//
// Safety: constant data; any thread.
#pragma once

#include "engine/executor/expression/builder.h"
#include "engine/executor/expression/functions.h"

namespace connbench::engine {

enum class CastMethod : uint8_t {
  kNone,      // there is no such cast in this context
  kRelabel,   // the bytes are the same
  kFunction,  // function
  kTextInput,
  kTextOutput,
};

struct CastPath {
  CastMethod method = CastMethod::kNone;
  const FunctionDescription* function = nullptr;
  bool of_elements = false;  // an array's, one after the other
};

// How source becomes target in this context; relabel if they are the same. unknown is not handled
// here: literals and parameters take any type.
CastPath FindCast(Oid source, Oid target, CoercionContext context);

// Whether a node with this function is a cast.
bool IsCastFunction(const FunctionDescription& function);

// May a value of type source be passed where target is wanted? True for unknown and for "any".
bool CanCoerce(Oid source, Oid target, CoercionContext context);

}  // namespace connbench::engine
