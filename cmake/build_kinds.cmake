# The kinds of build, chosen by -DCONNBENCH_BUILD=...: what each is for stands beside it.
set(CONNBENCH_BUILD "release" CACHE STRING "release, asan-ubsan, tsan or fuzz")
set_property(CACHE CONNBENCH_BUILD PROPERTY STRINGS release asan-ubsan tsan fuzz)
option(CONNBENCH_TESTS "build the tests, too" OFF)
option(CONNBENCH_WERROR "treat warnings as errors" ON)

set(common_flags -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -fno-omit-frame-pointer -g1)
if(CONNBENCH_WERROR)
  list(APPEND common_flags -Werror)
endif()

# The sanitizer builds are compiled more often than run: -Og compiles in two thirds of -O1's time.
# g++'s -Wmaybe-uninitialized is right only with -O2, and the release build has it.
set(quick_flags -Wno-maybe-uninitialized)

if(CONNBENCH_BUILD STREQUAL "release")        # the one that is measured
  add_compile_options(-O2 ${common_flags})
  # Symbols are bound when the program starts, as in Debian's PostgreSQL: bound lazily, every forked
  # backend would look all of them up again, and the process model would pay for the linker.
  add_link_options(-Wl,-z,now)
elseif(CONNBENCH_BUILD STREQUAL "asan-ubsan") # memory errors and undefined behaviour
  add_compile_options(-Og ${common_flags} ${quick_flags} -fsanitize=address,undefined
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(CONNBENCH_BUILD STREQUAL "tsan")       # races, where threads share the engine
  # g++ 12 warns of fences that TSan does not model; we use atomics with orders instead of fences.
  add_compile_options(-Og ${common_flags} ${quick_flags} -fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(CONNBENCH_BUILD STREQUAL "fuzz")       # libFuzzer; needs clang as the compiler
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CONNBENCH_BUILD=fuzz needs -DCMAKE_CXX_COMPILER=clang++")
  endif()
  add_compile_options(-O1 ${common_flags} -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
else()
  message(FATAL_ERROR "CONNBENCH_BUILD is \"${CONNBENCH_BUILD}\"; "
                      "choose release, asan-ubsan, tsan or fuzz")
endif()
add_compile_definitions(CONNBENCH_BUILD_KIND="${CONNBENCH_BUILD}")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
