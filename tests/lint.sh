#!/usr/bin/env bash
# clang-tidy over every source of ours: tests/lint.sh BUILD_FOLDER (with compile_commands.json).
set -euo pipefail
build=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tests/style.sh

# tidy [OPTION...]: over the files that are named on standard input.
tidy() {
  xargs -P "$(nproc)" -n 4 clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option "$@"
}

tests='_\(test\|testing\|benchmark\)\.cc$'
status=0
git ls-files '*.cc' | grep -v -e _fuzzer.cc -e "$tests" | tidy || status=1
# In a test a copy too many costs nobody anything.
git ls-files '*.cc' | grep -e "$tests" | tidy '--checks=-performance-*' || status=1
exit "$status"
