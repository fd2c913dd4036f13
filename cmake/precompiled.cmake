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

# connbench_unite(TARGET PART): compiles several sources of the target at a time, as one. Headers
# are read and templates instantiated once for all of them, which takes half the time or less. So a
# name in an unnamed namespace is unique in its target. The sanitizer builds do so; a release does
# with -DCONNBENCH_UNITY=ON, but only where neither a server nor a load generator runs: in a batch
# g++ inlines otherwise, and the engine takes some 5 % more instructions.
set(unite_by_default OFF)
if(CONNBENCH_BUILD MATCHES "^(asan-ubsan|tsan)$")
  set(unite_by_default ON)
endif()
option(CONNBENCH_UNITY "compile the sources of a target in batches" ${unite_by_default})
function(connbench_unite target part)
  set(batch 8)
  if(CONNBENCH_BUILD STREQUAL "release")
    set(batch 16)
    if(NOT part MATCHES "^(results|plots|harness)" OR part MATCHES "^harness/(load|script)$")
      return()
    endif()
  endif()
  if(NOT CONNBENCH_UNITY OR CONNBENCH_BUILD MATCHES "^(fuzz|lint)$")
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  # Of a header's type that holds one of an unnamed namespace: g++ means headers, and sees sources.
  target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
endfunction()
