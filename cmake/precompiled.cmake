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

# connbench_unite(TARGET [UNMEASURED]): the sanitizer builds compile eight sources of a target as
# one. Headers are read and templates instantiated once for all of them, which takes half the time
# or less. So a name in an unnamed namespace is unique in its target, which tests/style/unnamed.py
# checks. In a release this is for what no figure depends on (UNMEASURED): in a batch g++ inlines
# otherwise, and the engine takes some 5 % more instructions.
function(connbench_unite target)
  if(NOT CONNBENCH_BUILD MATCHES "^(asan-ubsan|tsan)$" AND
     NOT (CONNBENCH_BUILD STREQUAL "release" AND "UNMEASURED" IN_LIST ARGN))
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  # Of a header's type that holds one of an unnamed namespace: g++ means headers, and sees sources.
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
endfunction()
