# Sourced by ./connbench test: builds and runs every test, stage by stage, and ends with one line
# "N passed, N failed" that counts test programs and system tests.
#
#   ./connbench test                  style, release, system, asan-ubsan, tsan
#   ./connbench test STAGE...         of these, or unit: every unit test, as optimised as a release
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
  # "Failure": where GoogleTest says which expectation failed, above its own "FAILED".
  grep -E -A25 \
    ': Failure$|FAILED|\*\*\*|^E  |error:|runtime error|WARNING: ThreadSanitizer|ERROR:' "$log" |
    tail -n 150 >&2 || true
  tail -n 5 "$log" >&2
}

# build_ahead KIND...: builds them one after the other, in the background, while tests run that
# mostly wait. The builds take only CPU time that nothing else wants. They have a session of their
# own, because the kernel deals CPU time to sessions first (sched_autogroup).
declare -A ahead=()
build_ahead() {
  local kind previous=
  mkdir -p "$build_root/test-logs"
  trap stop_building_ahead EXIT
  for kind in "$@"; do
    root=$root build_root=$build_root build_target=$(sanitizer_target "$kind") setsid bash -c '
      chrt --idle --pid 0 $$ || exit 0
      echo 19 >/proc/self/autogroup
      [ -z "$2" ] || tail --pid="$2" -f /dev/null
      build "$1" -DCONNBENCH_TESTS=ON' bash "$kind" "$previous" \
      >"$build_root/test-logs/$kind-build.log" 2>&1 </dev/null &
    previous=$!
    ahead[$kind]=$previous
  done
}
stop_building_ahead() {
  local pid
  for pid in $(jobs -rp); do kill -- "-$pid" 2>/dev/null || true; done
}

# clang-tidy reads the sources as they are written, without precompiled headers: a build folder of
# its own says how, in which nothing is compiled but what makes generated headers.
lint_all_or_changed() {
  local build_target=connbench_build_info
  build lint -DCONNBENCH_TESTS=ON
  "$root/tests/lint.sh" "$build_root/lint" "$@"
}

# The checks themselves are checked first: each finds a violation that is planted.
stage_style() {
  /usr/bin/python3 -m pytest -p no:cacheprovider -q "$root/tests/style" && "$root/tests/style.sh" &&
    lint_all_or_changed --changed
}

# Every unit test runs under AddressSanitizer. Of the release build only those run by default that
# cmake/parts.cmake names: to compile and run all of them once more takes a sixth of the time.
stage_release() {
  local build_target=release_tests
  build release -DCONNBENCH_TESTS=ON
  ctest --test-dir "$build_root/release" -L release -j "$(nproc)" --output-on-failure
}

stage_unit() {
  build release -DCONNBENCH_TESTS=ON
  ctest --test-dir "$build_root/release" -j "$(nproc)" --output-on-failure
}

# system_test_programs: the program, and what else system tests start.
stage_system() {
  local build_target=system_test_programs
  build release -DCONNBENCH_TESTS=ON
  # Debian's own python3: the packages python3-pytest and python3-psycopg belong to it.
  # More at once than there are CPUs: most of their time they wait for a timeout, or a start.
  /usr/bin/python3 -m pytest -p no:cacheprovider -q -rfE --durations=20 \
    -n $(($(nproc) + 2)) --dist loadgroup "$root/tests/system" \
    --connbench "$build_root/release/harness/connbench"
}

# Under AddressSanitizer and UndefinedBehaviorSanitizer every unit test runs again, under
# ThreadSanitizer those whose threads share something (THREADED in the folders' CMakeLists.txt).
sanitizer_target() { [ "$1" != tsan ] || echo threaded_tests; }
stage_sanitizer() {
  local build_target
  build_target=$(sanitizer_target "$1")
  # If it was begun ahead, this ends it, or says again why it failed.
  [ -z "${ahead[$1]:-}" ] || tail --pid="${ahead[$1]}" -f /dev/null
  build "$1" -DCONNBENCH_TESTS=ON
  ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 \
    TSAN_OPTIONS="second_deadlock_stack=1:suppressions=$root/tests/tsan.supp" \
    ctest --test-dir "$build_root/$1" -j "$(nproc)" --output-on-failure
}

run_all_tests() {
  local stages=("$@") name later
  [ ${#stages[@]} -gt 0 ] || stages=(style release system asan-ubsan tsan)
  for name in "${stages[@]}"; do
    if [[ "$name" =~ ^(release|system)$ ]] && [ ${#ahead[@]} -eq 0 ]; then
      mapfile -t later < <(
        printf '%s\n' "${stages[@]}" | sed "0,/^$name\$/d" | grep -xE 'asan-ubsan|tsan')
      build_ahead "${later[@]}"
    fi
    case "$name" in
      style) stage style stage_style ;;
      release | unit | system) stage "$name" "stage_$name" ;;
      asan-ubsan | tsan) stage "$name" stage_sanitizer "$name" ;;
      *)
        die "unknown test stage \"$name\"; choose style, release, unit, system, asan-ubsan or tsan"
        ;;
    esac
  done
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
