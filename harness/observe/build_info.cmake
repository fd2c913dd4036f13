# Writes build_info.h with the commit that is built, at build time and only if it has changed:
# cmake -DSOURCE=... -DOUTPUT=... -DVERSION=... -DFLAGS=... -P build_info.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD
                OUTPUT_VARIABLE sha OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no
                OUTPUT_VARIABLE changes ERROR_QUIET)
if(changes)
  set(dirty true)
else()
  set(dirty false)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT
"// Made at build time.
#pragma once
#define CONNBENCH_VERSION \"@VERSION@\"
#define CONNBENCH_GIT_SHA \"@sha@\"
#define CONNBENCH_GIT_DIRTY @dirty@
#define CONNBENCH_BUILD_FLAGS \"@FLAGS@\"
")
