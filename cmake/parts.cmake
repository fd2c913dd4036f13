# The helpers every part's CMakeLists.txt uses.

# Compiles a target's own sources as its kind says. UNMEASURED: they run before or after trials, so
# that no figure depends on how they are compiled, and in a release -O1 does, in two thirds of the
# time.
function(connbench_compile name unmeasured)
  if(unmeasured AND CONNBENCH_BUILD STREQUAL "release")
    target_compile_options(${name} PRIVATE -O1)
    connbench_precompile(${name} connbench_unmeasured_headers)
  else()
    connbench_precompile(${name} connbench_base)
  endif()
  connbench_unite(${name})
endfunction()

# connbench_library(NAME SOURCES a.cc ... USES other_part library ...
#                   [TESTING] [UNMEASURED] [APART])
# The folder that calls it is a part of cmake/arrows.txt, and its sources see only what that part
# may include. TESTING: test support, which may include everything. APART: in a release its sources
# are compiled one by one, because a program that is measured uses some of them alone. It would have
# to load what the others need, too: connbench-backend, which fork-exec starts for each connection,
# three more shared libraries.
function(connbench_library name)
  cmake_parse_arguments(PART "TESTING;UNMEASURED;APART" "" "SOURCES;USES" ${ARGN})
  add_library(${name} STATIC ${PART_SOURCES})
  target_link_libraries(${name} PUBLIC ${PART_USES})
  if(PART_TESTING)
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  else()
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
      OUTPUT_VARIABLE part)
    connbench_include_path(${name} ${part})
  endif()
  connbench_compile(${name} ${PART_UNMEASURED})
  if(PART_APART AND CONNBENCH_BUILD STREQUAL "release")
    set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
  endif()
endfunction()

# connbench_program(NAME SOURCES a.cc ... USES part library ... [PART part] [UNMEASURED]):
# a program. PART: its row of cmake/arrows.txt; without one it may include everything.
function(connbench_program name)
  cmake_parse_arguments(PROGRAM "UNMEASURED" "PART" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE ${PROGRAM_USES})
  if(PROGRAM_PART)
    connbench_include_path(${name} ${PROGRAM_PART})
  else()
    target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  endif()
  connbench_compile(${name} ${PROGRAM_UNMEASURED})
endfunction()

# The tests that say something of their own about the optimised programs: servers, with their
# processes and memory. All others say the same under AddressSanitizer, and more.
set(release_tests
    models_conformance_test
    models_memory_test
    models_page_test
    models_silence_test
    models_storm_test
    models_stray_exit_test)

# A test that runs longer hangs. Sanitizers make it up to ten times as slow.
set(test_timeout_s 300)
if(NOT CONNBENCH_BUILD STREQUAL "release")
  set(test_timeout_s 900)
endif()

# connbench_test(NAME SOURCES a_test.cc ... THREADED b_test.cc ... USES part ... [SHARDS n]): one
# GoogleTest program, run by ctest. Unit tests are short; one that runs longer than the limit hangs.
# THREADED: the sources whose tests have threads that share something, and what these sources need.
# A tsan build has only these: of a test with one thread ThreadSanitizer has nothing to say.
# SHARDS: a program that takes long is run as n ctest tests, each with its share of the cases, so
# that all CPUs have work.
# The sources of a test are compiled without optimisation, which takes half the time; what they
# test is in libraries that are built as the build kind says.
function(connbench_test name)
  cmake_parse_arguments(PART "" "SHARDS" "SOURCES;THREADED;USES" ${ARGN})
  if(CONNBENCH_BUILD STREQUAL "tsan")
    set(PART_SOURCES "")
  endif()
  list(APPEND PART_SOURCES ${PART_THREADED})
  if(NOT CONNBENCH_TESTS OR NOT PART_SOURCES)
    return()
  endif()
  add_executable(${name} ${PART_SOURCES})
  target_compile_options(${name} PRIVATE -O0)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${PART_USES} GTest::gmock GTest::gtest_main)
  connbench_precompile(${name} connbench_test_headers)
  connbench_unite(${name})
  if(CONNBENCH_BUILD STREQUAL "tsan")
    set_property(GLOBAL APPEND PROPERTY CONNBENCH_THREADED_TESTS ${name})
  endif()
  set(labels unit)
  if(name IN_LIST release_tests)
    list(APPEND labels release)
    set_property(GLOBAL APPEND PROPERTY CONNBENCH_RELEASE_TESTS ${name})
  endif()
  if(NOT PART_SHARDS)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${test_timeout_s} LABELS "${labels}")
    return()
  endif()
  foreach(shard RANGE 1 ${PART_SHARDS})
    math(EXPR index "${shard} - 1")
    add_test(NAME ${name}.${shard} COMMAND ${name})
    # COST: the long ones begin first.
    set_tests_properties(${name}.${shard} PROPERTIES TIMEOUT ${test_timeout_s} LABELS "${labels}"
      COST 100
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${PART_SHARDS};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# connbench_benchmark(NAME SOURCES a_benchmark.cc ... USES part ...): one Google Benchmark program.
# In the release build ctest runs each once at its smallest size, so that a benchmark cannot rot;
# figures come from a run by hand.
function(connbench_benchmark name)
  if(NOT CONNBENCH_TESTS OR NOT CONNBENCH_BUILD STREQUAL "release")
    return()
  endif()
  cmake_parse_arguments(PART "" "" "SOURCES;USES" ${ARGN})
  connbench_program(${name} SOURCES ${PART_SOURCES} USES ${PART_USES} benchmark::benchmark_main)
  add_test(NAME ${name}.smoke COMMAND ${name} --benchmark_min_time=0.001)
  set_tests_properties(${name}.smoke PROPERTIES TIMEOUT 120 LABELS "benchmark;release")
  set_property(GLOBAL APPEND PROPERTY CONNBENCH_RELEASE_TESTS ${name})
endfunction()

# connbench_fuzzer(NAME SOURCE x_fuzzer.cc USES part ...): with CONNBENCH_BUILD=fuzz a libFuzzer
# program; otherwise a test that replays the corpus folder through the same entry point.
function(connbench_fuzzer name)
  cmake_parse_arguments(PART "" "SOURCE;CORPUS" "USES" ${ARGN})
  if(CONNBENCH_BUILD STREQUAL "fuzz")
    connbench_program(${name} SOURCES ${PART_SOURCE} USES ${PART_USES} -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
    set_property(GLOBAL APPEND PROPERTY CONNBENCH_FUZZERS ${name})
  elseif(CONNBENCH_TESTS AND NOT CONNBENCH_BUILD STREQUAL "tsan")
    connbench_program(${name} SOURCES ${PART_SOURCE} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cc
      USES ${PART_USES})
    add_test(NAME ${name}.replay COMMAND ${name} ${PART_CORPUS})
    set_tests_properties(${name}.replay PROPERTIES TIMEOUT 120 LABELS fuzz)
  endif()
endfunction()
