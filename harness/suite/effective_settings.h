// How a running contender is really configured: what differs from the defaults of its programs, as
// they say it themselves.
//
// Called by rehearsal. One thread. No errors: a server that does not say it has no rows.
#pragma once

#include <string>
#include <vector>

#include "harness/targets/target.h"

namespace connbench::suite {

struct EffectiveSetting;

// built_in: the server is one of our models. pooled: PgBouncer stands in front of it.
std::vector<EffectiveSetting> ReadEffectiveSettings(const targets::Target& target, bool built_in,
                                                    bool pooled);

}  // namespace connbench::suite
