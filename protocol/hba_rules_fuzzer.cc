// Rules files from hostile hands: any bytes give rules or an error with a place, and rules can be
// asked about anybody.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/hba_rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace connbench::protocol;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rules = HbaRules::Parse(text, "f");
  if (!rules.ok()) {
    if (rules.status().error().message.compare(0, 2, "f:") != 0) std::abort();
    return 0;
  }
  rules->TrustBeyondLoopback();
  for (const char* address : {"127.0.0.1", "10.1.2.3", "::1", ""}) {
    for (const bool encrypted : {false, true}) {
      const HbaRule* rule = rules->Find({.address = IpAddress::Parse(address),
                                         .encrypted = encrypted,
                                         .database = "d",
                                         .user = "u"});
      if (rule != nullptr && rule->line < 1) std::abort();
    }
  }
  return 0;
}
