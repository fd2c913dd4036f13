// Numbers as people write them in flags, settings and files. Decimal (010 is ten), the whole text,
// finite, and within bounds; nothing else is taken for a number.
//
// Safety: pure functions; any thread. Errors: 22023, with what was given and what is accepted.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace connbench {

Result<int64_t> ParseWholeNumber(std::string_view text, int64_t low, int64_t high);
Result<uint64_t> ParseUnsigned(std::string_view text);
Result<double> ParseReal(std::string_view text, double low, double high);

}  // namespace connbench
