#!/usr/bin/env bash
# Runs fuzzers that are built: tests/fuzz/fuzz.sh BUILD_FOLDER [NAME [RUNS]]. Without a name all of
# them, each with a million inputs, from its corpus and from what earlier runs found interesting
# (BUILD_FOLDER/found/NAME). An input that breaks something is kept in BUILD_FOLDER/broken.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
only=${2:-}
runs=${3:-1000000}
max_input_bytes=4096
max_input_seconds=25  # an input that takes longer is a finding
max_memory_mb=2048

broken=0
ran=0
mkdir -p "$build/broken"
for program in "$build"/fuzzers/*_fuzzer; do
  name=$(basename "$program")
  [ -z "$only" ] || [ "$only" = "$name" ] || [ "$only" = "${name%_fuzzer}" ] || continue
  ran=$((ran + 1))
  mkdir -p "$build/found/$name"
  log=$build/found/$name.log
  status=0
  "$program" -runs="$runs" -max_len="$max_input_bytes" -timeout="$max_input_seconds" \
    -rss_limit_mb="$max_memory_mb" -artifact_prefix="$build/broken/$name." -print_final_stats=1 \
    "$build/found/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  if [ "$status" -eq 0 ]; then
    printf '%s: %s inputs, no finding\n' "$name" "$executed"
  else
    broken=$((broken + 1))
    printf '%s: FINDING after %s inputs, see %s\n' "$name" "${executed:-?}" "$log"
    grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" | head -n 5 || true
  fi
done
if [ "$ran" -eq 0 ]; then
  printf 'no fuzzer "%s"; there are: %s\n' "$only" "$(cd "$build/fuzzers" && echo *_fuzzer)" >&2
  exit 1
fi
[ "$broken" -eq 0 ]
