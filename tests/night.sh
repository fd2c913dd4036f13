#!/usr/bin/env bash
# What takes longer than ./connbench test, one after the other, for a night: lint, unit tests as
# optimised as a release, mutate, torture, fuzz. tests/night.sh LOG_FOLDER. Each part runs even if
# an earlier one failed; the summary says which did.
set -uo pipefail
logs=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p "$logs"
failed=0

part() {
  local name=$1 began=$SECONDS
  shift
  echo "night: $name: running, its log is $logs/$name.log"
  if "$@" >"$logs/$name.log" 2>&1; then
    echo "night: $name: passed in $((SECONDS - began)) s"
  else
    echo "night: $name: FAILED in $((SECONDS - began)) s"
    failed=$((failed + 1))
  fi
}

part lint ./connbench lint
part unit ./connbench test unit
part mutate ./connbench mutate
part torture ./connbench torture
part fuzz ./connbench fuzz
[ "$failed" -eq 0 ]
