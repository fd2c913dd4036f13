// numeric: exact decimals of any practical size, with PostgreSQL's arithmetic and display scales.
//
// A value's bytes: weight (int16), sign (uint16), display scale (uint16), then base-10000 digits
// (int16), most significant first, no zero digit at either end; host byte order, unaligned. The
// value is sum(digit[i] * 10000^(weight - i)). Beside numbers there are NaN (equal to itself, above
// all) and both infinities.
//
// Safety: pure functions on private memory; any thread. Results live in the arena.
// Errors: 22003 "value overflows numeric format" beyond 131072 digits before the point or 16383
// after; 22012; 53200 from the arena; interrupts of the arena's session.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/value.h"

namespace connbench::engine {

class KeyBuffer;

// numeric(precision, scale) as a type modifier, and back.
int32_t MakeNumericModifier(int32_t precision, int32_t scale);
int32_t NumericPrecision(int32_t modifier);
int32_t NumericScale(int32_t modifier);

Status ParseNumeric(std::string_view text, Arena& arena, Value& out);
std::string FormatNumeric(const Value& value);
// The wire's binary form: the same fields with a digit count, big-endian.
Status ReceiveNumeric(std::string_view bytes, Arena& arena, Value& out);
Status SendNumeric(const Value& value, Arena& arena, std::string_view& out);
// Rounds to the modifier's scale; 22003 "numeric field overflow" past its precision.
Status ApplyNumericModifier(int32_t modifier, Arena& arena, Value& value);

int CompareNumeric(const Value& a, const Value& b);
uint64_t HashNumeric(const Value& value);
void AppendNumericKey(const Value& value, KeyBuffer& key);  // see key_codec.h, without its marker
bool IsNumericNan(const Value& value);

Status NumericFromInteger(__int128 integer, Arena& arena, Value& out);
// value / 10^scale, showing scale digits.
Status NumericFromScaled(__int128 value, int scale, Arena& arena, Value& out);
Status NumericFromReal(double real, int digits, Arena& arena, Value& out);  // digits: 15, float4: 6
// Rounds; 22003 "<type_name> out of range", 0A000 for NaN and infinity as PostgreSQL does.
Status NumericToInteger(const Value& value, int64_t low, int64_t high, std::string_view type_name,
                        int64_t& out);
double NumericToReal(const Value& value);

Status AddNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status SubtractNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status MultiplyNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status DivideNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status ModuloNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status SquareRootNumeric(const Value& a, Arena& arena, Value& out);
Status NegateNumeric(const Value& a, Arena& arena, Value& out);
Status AbsoluteNumeric(const Value& a, Arena& arena, Value& out);
// -1, 0, 1 as a numeric.
Status SignNumeric(const Value& a, Arena& arena, Value& out);

// numeric_power.cc
Status ExponentialNumeric(const Value& a, Arena& arena, Value& out);
Status NaturalLogarithmNumeric(const Value& a, Arena& arena, Value& out);
Status LogarithmNumeric(const Value& base, const Value& a, Arena& arena, Value& out);
Status CommonLogarithmNumeric(const Value& a, Arena& arena, Value& out);
Status PowerNumeric(const Value& base, const Value& exponent, Arena& arena, Value& out);
// Cut off at the point.
Status DivideToIntegerNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
// Greatest common divisor and least common multiple, not negative; NaN for NaN and infinities.
Status GcdNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status LcmNumeric(const Value& a, const Value& b, Arena& arena, Value& out);
Status FactorialNumeric(int64_t n, Arena& arena, Value& out);
// Digits shown after the point, and those that are needed; -1 for NaN and infinities.
int32_t NumericDisplayScale(const Value& a);
int32_t NumericMinimalScale(const Value& a);
Status TrimScaleNumeric(const Value& a, Arena& arena, Value& out);

enum class NumericRounding : uint8_t { kHalfAwayFromZero, kTowardsZero, kUp, kDown };
// To scale digits after the point (before it, if negative).
Status RoundNumeric(const Value& a, int32_t scale, NumericRounding rounding, Arena& arena,
                    Value& out);

}  // namespace connbench::engine
