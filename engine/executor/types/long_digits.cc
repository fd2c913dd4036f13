// Karatsuba's multiplication and Knuth's long division in base 10^8.
#include "engine/executor/types/long_digits.h"

#include <algorithm>
#include <span>

namespace connbench::engine {
namespace {

using Limbs = std::span<const uint32_t>;

// Below this, columns of products are summed up: 64 of them stay below 2^64.
constexpr size_t kSmallLimbs = 64;
static_assert(kSmallLimbs * uint64_t{kLimbBase} * kLimbBase < UINT64_MAX / 2);

void MultiplySmall(Limbs a, Limbs b, uint32_t* out) {
  uint64_t carry = 0;
  for (size_t column = 0; column + 1 < a.size() + b.size(); ++column) {
    uint64_t sum = carry;
    const size_t first = column < b.size() ? 0 : column - b.size() + 1;
    const size_t last = std::min(column, a.size() - 1);
    for (size_t i = first; i <= last; ++i) sum += uint64_t{a[i]} * b[column - i];
    out[column] = static_cast<uint32_t>(sum % kLimbBase);
    carry = sum / kLimbBase;
  }
  out[a.size() + b.size() - 1] = static_cast<uint32_t>(carry);
}

// to += from; to has room for the carry.
void AddTo(uint32_t* to, Limbs from) {
  uint32_t carry = 0;
  size_t i = 0;
  for (; i < from.size(); ++i) {
    uint32_t sum = to[i] + from[i] + carry;
    carry = sum >= kLimbBase ? 1 : 0;
    to[i] = sum - carry * kLimbBase;
  }
  for (; carry != 0; ++i) {
    to[i] += 1;
    carry = to[i] == kLimbBase ? 1 : 0;
    if (carry != 0) to[i] = 0;
  }
}

// to -= from; the difference is not negative.
void SubtractFrom(uint32_t* to, Limbs from) {
  uint32_t borrow = 0;
  size_t i = 0;
  for (; i < from.size(); ++i) {
    const uint32_t subtract = from[i] + borrow;
    borrow = to[i] < subtract ? 1 : 0;
    to[i] += borrow * kLimbBase - subtract;
  }
  for (; borrow != 0; ++i) {
    borrow = to[i] == 0 ? 1 : 0;
    to[i] = borrow != 0 ? kLimbBase - 1 : to[i] - 1;
  }
}

// out = |low - high|, as many limbs as low has; true if high is the larger one.
bool Difference(Limbs low, Limbs high, uint32_t* out) {
  const auto limb = [](Limbs number, size_t i) { return i < number.size() ? number[i] : 0; };
  bool negative = false;
  for (size_t i = low.size(); i-- > 0;) {
    if (limb(low, i) == limb(high, i)) continue;
    negative = limb(low, i) < limb(high, i);
    break;
  }
  const Limbs larger = negative ? high : low;
  const Limbs smaller = negative ? low : high;
  for (size_t i = 0; i < low.size(); ++i) out[i] = limb(larger, i);
  size_t size = smaller.size();
  while (size > 0 && smaller[size - 1] == 0) --size;
  SubtractFrom(out, smaller.first(size));
  return negative;
}

// out has 2n limbs, scratch 4n + what halving rounds up: see kScratchSlack.
constexpr size_t kScratchSlack = 256;

// Both have n limbs. With halves h: z0 = al*bl, z2 = ah*bh, and the middle is
// z0 + z2 - (al - ah)(bl - bh).
Status MultiplyEqual(Limbs a, Limbs b, uint32_t* out, uint32_t* scratch, WorkMeter& meter) {
  const size_t n = a.size();
  if (n <= kSmallLimbs) {
    MultiplySmall(a, b, out);
    return meter.Spend(static_cast<int64_t>(n * n));
  }
  const size_t half = (n + 1) / 2;
  const Limbs a_low = a.first(half);
  const Limbs a_high = a.subspan(half);
  const Limbs b_low = b.first(half);
  const Limbs b_high = b.subspan(half);
  uint32_t* const difference_a = out;  // free until the products are stored there
  uint32_t* const difference_b = out + half;
  uint32_t* const middle = scratch;
  uint32_t* const deeper = scratch + 2 * half;
  const bool negative_a = Difference(a_low, a_high, difference_a);
  const bool negative_b = Difference(b_low, b_high, difference_b);
  CONNBENCH_RETURN_IF_ERROR(
      MultiplyEqual({difference_a, half}, {difference_b, half}, middle, deeper, meter));
  CONNBENCH_RETURN_IF_ERROR(MultiplyEqual(a_low, b_low, out, deeper, meter));
  CONNBENCH_RETURN_IF_ERROR(MultiplyEqual(a_high, b_high, out + 2 * half, deeper, meter));
  // z0 + z2 -+ middle, in scratch with a limb for the carry.
  uint32_t* const sum = deeper;
  std::copy(out, out + 2 * half, sum);
  sum[2 * half] = 0;
  AddTo(sum, Limbs(out + 2 * half, 2 * (n - half)));
  if (negative_a == negative_b) {
    SubtractFrom(sum, Limbs(middle, 2 * half));
  } else {
    AddTo(sum, Limbs(middle, 2 * half));
  }
  size_t size = 2 * half + 1;
  while (size > 0 && sum[size - 1] == 0) --size;
  AddTo(out + half, Limbs(sum, size));
  return Status::Ok();
}

}  // namespace

Status MultiplyLong(const LongNumber& a, const LongNumber& b, WorkMeter& meter,
                    LongNumber& product) {
  const Limbs longer = a.size() >= b.size() ? a : b;
  const Limbs shorter = a.size() >= b.size() ? b : a;
  product.assign(longer.size() + shorter.size(), 0);
  if (shorter.empty()) return Status::Ok();
  // The longer one in pieces of the shorter one's length.
  const size_t n = shorter.size();
  LongNumber piece(n);
  LongNumber part(2 * n);
  LongNumber scratch(4 * n + kScratchSlack);
  for (size_t at = 0; at < longer.size(); at += n) {
    const Limbs taken = longer.subspan(at, std::min(n, longer.size() - at));
    std::fill(std::copy(taken.begin(), taken.end(), piece.begin()), piece.end(), 0);
    CONNBENCH_RETURN_IF_ERROR(MultiplyEqual(piece, shorter, part.data(), scratch.data(), meter));
    AddTo(product.data() + at, Limbs(part).first(taken.size() + n));
  }
  return Status::Ok();
}

// Knuth, volume 2, 4.3.1, algorithm D. The divisor is scaled so that its first limb is at least
// half the base; then a guessed limb is at most two too large.
Status DivideLong(LongNumber& rest, LongNumber divisor, WorkMeter& meter, LongNumber& quotient) {
  constexpr int64_t kStepsPerLimb = 3;
  while (divisor.back() == 0) divisor.pop_back();
  const size_t n = divisor.size();
  const uint64_t factor = kLimbBase / (divisor.back() + 1);
  const auto scale = [&](LongNumber& number) {
    uint64_t carry = 0;
    for (uint32_t& limb : number) {
      const uint64_t product = limb * factor + carry;
      limb = static_cast<uint32_t>(product % kLimbBase);
      carry = product / kLimbBase;
    }
    return static_cast<uint32_t>(carry);
  };
  scale(divisor);
  rest.push_back(scale(rest));
  if (rest.size() <= n) {
    quotient.clear();
    return Status::Ok();
  }
  quotient.assign(rest.size() - n, 0);
  const uint64_t first = divisor[n - 1];
  const uint64_t second = n > 1 ? divisor[n - 2] : 0;
  for (size_t j = quotient.size(); j-- > 0;) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(static_cast<int64_t>(n) * kStepsPerLimb));
    uint32_t* const at = rest.data() + j;
    const uint64_t high = uint64_t{at[n]} * kLimbBase + at[n - 1];
    const uint64_t third = n > 1 ? at[n - 2] : 0;
    uint64_t guess = std::min<uint64_t>(high / first, kLimbBase - 1);
    // While the remainder stays below the base; beyond it the test cannot hold.
    while (high - guess * first < kLimbBase &&
           guess * second > (high - guess * first) * kLimbBase + third) {
      --guess;
    }
    uint64_t carry = 0;
    for (size_t i = 0; i < n; ++i) {
      const uint64_t product = guess * divisor[i] + carry;
      carry = product / kLimbBase;
      const auto low = static_cast<uint32_t>(product - carry * kLimbBase);
      const bool borrow = at[i] < low;
      at[i] += (borrow ? kLimbBase : 0) - low;
      carry += borrow ? 1 : 0;
    }
    const bool too_large = at[n] < carry;
    at[n] = static_cast<uint32_t>(at[n] - carry);
    if (too_large) {  // add the divisor back; the carry out of the last limb ends the borrow
      --guess;
      uint32_t back = 0;
      for (size_t i = 0; i < n; ++i) {
        const uint32_t sum = at[i] + divisor[i] + back;
        back = sum >= kLimbBase ? 1 : 0;
        at[i] = sum - back * kLimbBase;
      }
      at[n] += back;
    }
    quotient[j] = static_cast<uint32_t>(guess);
  }
  return Status::Ok();
}

}  // namespace connbench::engine
