# The kinds of build, chosen by -DCONNBENCH_BUILD=...: what each is for stands beside it.
set(CONNBENCH_BUILD "release" CACHE STRING "release, debug, asan-ubsan, tsan, fuzz or lint")
set_property(CACHE CONNBENCH_BUILD PROPERTY STRINGS release debug asan-ubsan tsan fuzz lint)
option(CONNBENCH_TESTS "build the tests, too" OFF)
option(CONNBENCH_WERROR "treat warnings as errors" ON)

set(common_flags -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -fno-omit-frame-pointer -g1)
if(CONNBENCH_WERROR)
  list(APPEND common_flags -Werror)
endif()

# The sanitizer builds are compiled more often than run: -Og compiles in two thirds of -O1's time.
# g++'s -Wmaybe-uninitialized is right only with -O2, and the release build has it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(quick_flags -Wno-maybe-uninitialized)
endif()

if(CONNBENCH_BUILD STREQUAL "release")        # the one that is measured
  add_compile_options(-O2 ${common_flags})
  # Symbols are bound when the program starts, as in Debian's PostgreSQL: bound lazily, every forked
  # backend would look all of them up again, and the process model would pay for the linker.
  add_link_options(-Wl,-z,now)
elseif(CONNBENCH_BUILD STREQUAL "debug")          # for a debugger
  add_compile_options(-Og -g ${common_flags} ${quick_flags})
elseif(CONNBENCH_BUILD STREQUAL "asan-ubsan") # memory errors and undefined behaviour
  # Null pointers and objects that are too small are found by AddressSanitizer already. Looking for
  # them twice takes a tenth of the time to compile, looking for wrong virtual tables and misaligned
  # pointers a sixth: that is left to the fuzz build, which runs the same code.
  add_compile_options(-Og ${common_flags} ${quick_flags} -fsanitize=address,undefined
    -fno-sanitize=null,object-size,vptr,alignment -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(CONNBENCH_BUILD STREQUAL "tsan")       # races, where threads share the engine
  # g++ 12 warns of fences that TSan does not model; we use atomics with orders instead of fences.
  add_compile_options(-Og ${common_flags} ${quick_flags} -fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(CONNBENCH_BUILD STREQUAL "fuzz")       # libFuzzer; needs clang as the compiler
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "CONNBENCH_BUILD=fuzz needs -DCMAKE_CXX_COMPILER=clang++")
  endif()
  # Only clang knows which lock guards what (base/thread_annotations.h).
  add_compile_options(-Wthread-safety)
  add_compile_options(-O1 ${common_flags} -fsanitize=fuzzer-no-link,address,undefined
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(CONNBENCH_BUILD STREQUAL "lint")       # for clang-tidy, which reads how sources are compiled
  add_compile_options(-O2 ${common_flags})
else()
  message(FATAL_ERROR "CONNBENCH_BUILD is \"${CONNBENCH_BUILD}\"; "
                      "choose release, debug, asan-ubsan, tsan, fuzz or lint")
endif()
# What Poco defines for those that use it; the same everywhere, because it is part of the
# precompiled headers. On 64 bits, and with the GNU extensions that g++ turns on, it changes
# nothing.
add_compile_definitions(_FILE_OFFSET_BITS=64 _LARGEFILE64_SOURCE _REENTRANT _THREAD_SAFE
  _XOPEN_SOURCE=500)

# Preconditions are checked everywhere but in what is measured (base/assert.h).
if(NOT CONNBENCH_BUILD STREQUAL "release")
  add_compile_definitions(CONNBENCH_ASSERTIONS)
endif()
add_compile_definitions(CONNBENCH_BUILD_KIND="${CONNBENCH_BUILD}")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # What ccache must overlook to work with precompiled headers: its manual, "Precompiled headers".
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    ${CCACHE_PROGRAM})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()
