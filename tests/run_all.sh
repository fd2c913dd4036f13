# Sourced by ./connbench test: builds and runs every test, stage by stage, and ends with one line
# "N passed, N failed" that counts test programs and system tests.
#
#   ./connbench test                  all stages
#   ./connbench test STAGE...         style, unit, system, asan-ubsan, tsan
#
# Each stage's full output goes to <build root>/test-logs/STAGE.log; what failed is shown.

passed=0
failed=0

# The tests that ctest and pytest counted in a log.
count_tests() {
  local log=$1 line total bad word
  line=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$log" | tail -n 1 || true)
  if [ -n "$line" ]; then
    total=$(sed -n 's/.*out of \([0-9]*\).*/\1/p' <<<"$line")
    bad=$(sed -n 's/.*, \([0-9]*\) tests failed.*/\1/p' <<<"$line")
    passed=$((passed + total - bad))
    failed=$((failed + bad))
  fi
  line=$(grep -E '^(=+ )?[0-9]+ (passed|failed|error).* in [0-9.]+s' "$log" | tail -n 1 || true)
  for word in passed failed error; do
    total=$(grep -oE "[0-9]+ $word" <<<"$line" | cut -d' ' -f1 || true)
    if [ "$word" = passed ]; then
      passed=$((passed + ${total:-0}))
    else
      failed=$((failed + ${total:-0}))
    fi
  done
}

# stage NAME COMMAND...: runs it with its output in a log, counts its tests; a failure is shown. A
# stage that fails without a failed test (a build, a missing tool) counts as one failure.
stage() {
  local name=$1 log=$build_root/test-logs/$1.log began=$SECONDS status=0 failed_before=$failed
  shift
  mkdir -p "$build_root/test-logs"
  say "test stage $name: running"
  ("$@") >"$log" 2>&1 || status=$?
  count_tests "$log"
  if [ "$status" -eq 0 ]; then
    say "test stage $name: passed in $((SECONDS - began)) s"
    return
  fi
  [ "$failed" -gt "$failed_before" ] || failed=$((failed + 1))
  say "test stage $name: FAILED in $((SECONDS - began)) s, the log is $log"
  grep -E -A25 'FAILED|\*\*\*|^E  |error:|runtime error|WARNING: ThreadSanitizer|ERROR:' "$log" |
    tail -n 150 >&2 || true
  tail -n 5 "$log" >&2
}

stage_style() { "$root/tests/style.sh"; }

stage_unit() {
  build release -DCONNBENCH_TESTS=ON
  ctest --test-dir "$build_root/release" -j "$(nproc)" --output-on-failure
}

stage_system() {
  build release -DCONNBENCH_TESTS=ON
  # Debian's own python3: the packages python3-pytest and python3-psycopg belong to it.
  /usr/bin/python3 -m pytest -p no:cacheprovider -q -rfE "$root/tests/system" \
    --connbench "$build_root/release/harness/connbench"
}

# Under AddressSanitizer and UndefinedBehaviorSanitizer every unit test runs again, under
# ThreadSanitizer those whose threads share something (cmake/parts.cmake lists them).
stage_sanitizer() {
  local build_target=""
  [ "$1" = tsan ] && build_target=threaded_tests
  build "$1" -DCONNBENCH_TESTS=ON
  ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    TSAN_OPTIONS="second_deadlock_stack=1:suppressions=$root/tests/tsan.supp" \
    ctest --test-dir "$build_root/$1" -j "$(nproc)" --output-on-failure
}

run_all_tests() {
  local stages=("$@") name
  [ ${#stages[@]} -gt 0 ] || stages=(style unit system asan-ubsan tsan)
  for name in "${stages[@]}"; do
    case "$name" in
      style) stage style stage_style ;;
      unit) stage unit stage_unit ;;
      system) stage system stage_system ;;
      asan-ubsan | tsan) stage "$name" stage_sanitizer "$name" ;;
      *) die "unknown test stage \"$name\"; choose style, unit, system, asan-ubsan or tsan" ;;
    esac
  done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
