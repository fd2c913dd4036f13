// Products and quotients of long integers, in limbs of eight decimal digits.
//
// Safety: pure functions on private memory; any thread. Cost: products by Karatsuba's method,
// quotients by long division. Errors: interrupts, looked for on the way.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

inline constexpr uint32_t kLimbBase = 100'000'000;

// Least significant limb first; each below kLimbBase. Zeros at the upper end are allowed.
using LongNumber = std::vector<uint32_t>;

Status MultiplyLong(const LongNumber& a, const LongNumber& b, WorkMeter& meter,
                    LongNumber& product);
// The whole quotient; dividend is left with the scaled rest. The divisor is not zero.
Status DivideLong(LongNumber& dividend, LongNumber divisor, WorkMeter& meter, LongNumber& quotient);

}  // namespace connbench::engine
