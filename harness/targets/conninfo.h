// libpq's connection strings and URIs, read by libpq itself: "host=db1 user=app dbname=shop",
// "postgresql://app@db1/shop". What they leave open comes from the environment (PGHOST, PGUSER,
// ...).
//
// libpq is loaded when the first string is read, not linked: it brings some twenty libraries along,
// and this program is also the server of the process models, where every fork would copy their
// mappings.
//
// Safety: one thread. Errors: libpq's own words, or the part that a target cannot honour.
#pragma once

#include <string>

#include "base/status.h"
#include "harness/load/endpoint.h"

namespace connbench::targets {

Result<load::Endpoint> ParseConninfo(const std::string& conninfo);

}  // namespace connbench::targets
