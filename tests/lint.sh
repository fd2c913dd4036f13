#!/usr/bin/env bash
# clang-tidy over every source of ours: tests/lint.sh BUILD_FOLDER (with compile_commands.json).
# With --changed, over the sources that differ from CONNBENCH_LINT_BASE (the commit before the last
# one, unless set) or are not committed; at most most_changed of them, so that a large change stays
# a short check.
set -euo pipefail
build=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
most_changed=12

# tidy [OPTION...]: over the files that are named on standard input.
tidy() {
  xargs -r -P "$(nproc)" -n 4 \
    clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option "$@"
}

sources() { git ls-files '*.cc' | grep -v _fuzzer.cc; }
changed() {
  local base=${CONNBENCH_LINT_BASE:-HEAD~1}
  git rev-parse -q --verify "$base^{commit}" >/dev/null || base=HEAD
  { git diff --name-only --diff-filter=d "$base" -- '*.cc'
    git ls-files --others --exclude-standard -- '*.cc'; } | sort -u | grep -v _fuzzer.cc || true
}

if [ "${2:-}" = --changed ]; then
  mapfile -t files < <(changed)
  if [ ${#files[@]} -gt $most_changed ]; then
    echo "lint: the first $most_changed of ${#files[@]} changed sources; ./connbench lint has all"
    files=("${files[@]:0:$most_changed}")
  fi
else
  tests/style.sh
  mapfile -t files < <(sources)
fi

# Either kind may be missing among what changed: no line is no failure.
tests='_\(test\|testing\|benchmark\)\.cc$'
status=0
printf '%s\n' "${files[@]}" | { grep -v -e "$tests" | grep . || true; } | tidy || status=1
# In a test a copy too many costs nobody anything.
printf '%s\n' "${files[@]}" | { grep -e "$tests" || true; } | tidy '--checks=-performance-*' ||
  status=1
exit "$status"
