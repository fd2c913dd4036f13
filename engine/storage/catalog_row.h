// The bytes of a catalog row: a RelationInfo written down. Used by catalog.cc only.
//
// Safety: pure functions on private memory.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/storage/catalog.h"

namespace connbench::engine {

std::string EncodeCatalogRow(const RelationInfo& relation);
// XX000 if the bytes are not what EncodeCatalogRow writes.
Result<RelationInfo> DecodeCatalogRow(std::string_view row);

}  // namespace connbench::engine
