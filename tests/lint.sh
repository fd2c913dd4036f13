#!/usr/bin/env bash
# clang-tidy over every source of ours: tests/lint.sh BUILD_FOLDER (with compile_commands.json).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tests/style.sh
git ls-files '*.cc' | grep -v _fuzzer.cc |
  xargs -P "$(nproc)" -n 4 clang-tidy -p "$1" --quiet --extra-arg=-Wno-unknown-warning-option
