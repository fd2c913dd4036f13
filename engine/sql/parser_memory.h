// libpg_query without memory. It takes a null pointer from malloc() for memory in some places, and
// calls exit() in others; either would end the process, with all its sessions. So it is linked with
// other names for malloc(), realloc(), strdup() and exit() (engine/sql/CMakeLists.txt): instead of
// failing they leave the parser, and the statement fails with 53200.
//
// Safety: any thread; each has a parser state of its own. Between the call and the return there are
// only frames of C, which have nothing to destroy.
#pragma once

#include <pg_query.h>

namespace connbench::engine {

// pg_query_parse_protobuf(). False: memory ran out, or the parser wanted to end the process.
bool ParseWithinMemory(const char* sql, PgQueryProtobufParseResult& result);

}  // namespace connbench::engine
