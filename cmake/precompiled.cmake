# Headers of the standard library, of fmt and of GoogleTest are most of what each source includes.
# They are compiled once for each kind of option. Sources include what they use all the same: the
# fuzz build and clang-tidy read them without this.
option(CONNBENCH_PCH "compile the headers that most sources include once" ON)
set(precompiled_headers <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring>
    <functional> <map> <memory> <optional> <set> <span> <string> <string_view> <unordered_map>
    <utility> <variant> <vector> <fmt/format.h>)

# connbench_precompile(TARGET FIRST header...): the target uses what FIRST has compiled; FIRST
# itself compiles the headers. All that name one FIRST must have the same options.
function(connbench_precompile target first)
  if(NOT CONNBENCH_PCH OR CONNBENCH_BUILD MATCHES "^(fuzz|lint)$")
    return()
  endif()
  if(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE ${precompiled_headers} ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()
