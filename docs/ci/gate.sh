#!/usr/bin/env bash
# Gates the tree in which it runs against a base, and hands the verdict to a CI service.
#   docs/ci/gate.sh base REVISION   checks the base out beside this tree and builds it
#   docs/ci/gate.sh candidate       builds this tree
#   docs/ci/gate.sh gate            holds one against the other
#   docs/ci/gate.sh all REVISION    the three of them
# Its exit code is that of connbench gate: 0 nothing is worse, 4 worse, 5 not decided, 3 INVALID,
# 2 errors, 1 usage. What may be set in the environment:
#   CONNBENCH_MODEL     thread-pool   the model on both sides
#   CONNBENCH_BASE_DIR  ../base       where the base is checked out and built
#   CONNBENCH_BUDGET    10min         time for measuring
#   CONNBENCH_OUTPUT    gate-output   folder of run, verdict.md, verdict.xml
#   CONNBENCH_GATE_FLAGS              more flags of connbench gate, divided by blanks
#   CONNBENCH_PROGRAM   ./connbench   the candidate's program
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

model=${CONNBENCH_MODEL:-thread-pool}
base=${CONNBENCH_BASE_DIR:-../base}
budget=${CONNBENCH_BUDGET:-10min}
output=${CONNBENCH_OUTPUT:-gate-output}
program=${CONNBENCH_PROGRAM:-./connbench}
read -ra flags <<<"${CONNBENCH_GATE_FLAGS:-}"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
  exit 1
}

build_base() {
  [[ $# == 1 && -n $1 ]] || usage
  local wanted found
  wanted=$(git rev-parse --verify --quiet "$1^{commit}") ||
    { echo "gate.sh: there is no revision $1: fetch it" >&2; exit 1; }
  # A folder that somebody removed is still known as a worktree, and would be refused.
  git worktree prune
  if [[ ! -e $base ]]; then git worktree add --detach "$base" "$wanted"; fi
  # What an earlier gate left there is another base.
  found=$(git -C "$base" rev-parse --show-toplevel 2>&1) && [[ $found -ef $base ]] ||
    { echo "gate.sh: $base is no checkout: remove it, or set CONNBENCH_BASE_DIR" >&2; exit 1; }
  if [[ $(git -C "$base" rev-parse HEAD) != "$wanted" ]]; then
    git -C "$base" checkout --quiet --detach "$wanted"
  fi
  if [[ -n $(git -C "$base" status --porcelain --untracked-files=no) ]]; then
    echo "gate.sh: $base has changes that $1 does not have: remove it, or undo them" >&2
    exit 1
  fi
  echo "gate.sh: the base is $wanted"
  (cd "$base" && ./connbench build)
}

build_candidate() { ./connbench build; }

# One measurement, three forms: what the service shows comes from the files of the run.
gate() {
  mkdir -p "$output"
  local code=0
  "$program" gate "build:$base/$model" "$model" --budget "$budget" --format markdown \
    -o "$output/run" "${flags[@]}" >"$output/verdict.md" || code=$?
  cat "$output/verdict.md"
  if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then cat "$output/verdict.md" >>"$GITHUB_STEP_SUMMARY"; fi
  if [[ -n ${GITHUB_OUTPUT:-} ]]; then printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"; fi
  # A test report for services that show those: one case, which says what the code means. What is
  # a warning (docs/ci.md) is a test that could not be made, not one that failed.
  local outcome=''
  case $code in
    0) ;;
    3 | 5) outcome="<skipped message=\"exit code $code: warning\"/>" ;;
    *) outcome="<failure message=\"exit code $code\"/>" ;;
  esac
  {
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="connbench gate" tests="1" '
    printf 'failures="%d" skipped="%d">\n<testcase name="%s">%s</testcase>\n</testsuite>\n' \
      "$([[ $outcome == '<failure'* ]] && echo 1 || echo 0)" \
      "$([[ $outcome == '<skipped'* ]] && echo 1 || echo 0)" "$model" "$outcome"
  } >"$output/verdict.xml"
  return "$code"
}

case ${1:-} in
  base) build_base "${@:2}" ;;
  candidate) build_candidate ;;
  gate) gate ;;
  all)
    build_base "${@:2}"
    build_candidate
    gate
    ;;
  *) usage ;;
esac
