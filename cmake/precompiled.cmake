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

# connbench_unite(TARGET): eight sources of a target are compiled as one, in all builds but those
# that need them apart. Headers are read and templates instantiated once for all of them, which
# takes half the time or less. So a name in an unnamed namespace is unique in its target, which
# tests/style/unnamed.py checks.
function(connbench_unite target)
  if(NOT CONNBENCH_BUILD MATCHES "^(asan-ubsan|tsan|release)$")
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  # Of a header's type that holds one of an unnamed namespace: g++ means headers, and sees sources.
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  if(CONNBENCH_BUILD STREQUAL "release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ bounds how much a source may grow by inlining, and a batch would share the bound of one:
    # a statement would take some 5 % more instructions.
    target_compile_options(${target} PRIVATE --param=large-unit-insns=200000)
  endif()
endfunction()
