#!/usr/bin/env bash
# The house rules that a machine can check: formatting, file length, line length, sources that open
# with what is in them, no leftovers, arrows that point one way. Prints each breach as file:line.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
breaches=0
breach() { printf '%s\n' "$*"; breaches=$((breaches + 1)); }

max_file_lines=600  # what one can hold in mind, with some slack for tables

mapfile -t sources < <(git ls-files '*.cc' '*.h')
mapfile -t texts < <(git ls-files | grep -vE '\.(png|svg|csv|json|bin|html|hgrm|patch)$|^tests/fuzz/corpus/|/testdata/|^results/reference/')

while read -r line; do breach "$line (run clang-format -i)"; done < <(
  clang-format --dry-run -Werror "${sources[@]}" 2>&1 | grep 'error:' | cut -d' ' -f1 | sort -u)

for file in "${sources[@]}"; do
  lines=$(wc -l <"$file")
  [ "$lines" -le "$max_file_lines" ] || breach "$file:1: $lines lines; split it by idea"
done
for file in "${sources[@]}"; do
  head -n 1 "$file" | grep -q '^//' || breach "$file:1: a source opens with what is in it"
done
for file in $(git ls-files '*.h'); do
  grep -q '^#pragma once' "$file" || breach "$file:1: no #pragma once"
done
while IFS= read -r line; do breach "$line (leftover)"; done < <(
  grep -nE '(FIXME|TODO|DO NOT COMMIT)' "${sources[@]}" /dev/null | cut -c1-120)
while IFS= read -r line; do breach "$line (trailing blank)"; done < <(
  grep -nE '[[:blank:]]+$' "${texts[@]}" /dev/null | grep -v '\.tsv:' | cut -c1-80)

# A SQLSTATE has its name in base/status.h, and nowhere else a spelling; tests say what clients see.
sqlstate_spelling='(Status::(Error|Fatal)\(|[cC]ode(\(\))? [!=]?= |string_view k[A-Za-z]+ = )'
sqlstate_spelling+='"[0-9A-Z]{5}"'
while IFS= read -r line; do breach "$line (name it in base/status.h: sqlstate::k...)"; done < <(
  git ls-files '*.cc' '*.h' | grep -vE '_test\.cc$|^base/status\.h$' |
    xargs grep -nE "$sqlstate_spelling" /dev/null)

# A clock that somebody sets must not bend a measurement: what measures knows CLOCK_MONOTONIC alone.
jumping_clock='(CLOCK_REALTIME|system_clock|gettimeofday|WallClockUs'
jumping_clock+='|[^_a-z]time\((nullptr|NULL|0)\))'
while IFS= read -r line; do breach "$line (a clock that can jump)"; done < <(
  git ls-files 'harness/load/*' 'harness/script/*' 'harness/workload/*' 'harness/observe/*' \
      'harness/stats/*' 'models/*' |
    grep -E '\.(cc|h)$' | grep -v environment.cc |
    xargs grep -nE "$jumping_clock" /dev/null)

# Arrows: who may include whom is one table, cmake/arrows.txt.
while IFS= read -r line; do breach "$line"; done < <(tests/style/arrows.py)
# Sources that may be compiled as one name things apart.
while IFS= read -r line; do breach "$line"; done < <(tests/style/unnamed.py)
# No line is too long (what may be is said there).
while IFS= read -r line; do breach "$line"; done < <(tests/style/line_length.py "${texts[@]}")
# Each planted mistake can still be planted.
for file in tests/mutations/*.patch; do
  git apply --check "$file" 2>/dev/null || breach "$file:1: does not apply; make it anew"
done
# The walks through the code in docs/architecture.md name what exists.
while IFS= read -r line; do breach "$line"; done < <(tests/style/walks.py)

[ "$breaches" -eq 0 ] && echo "style: no breach in ${#texts[@]} files"
[ "$breaches" -eq 0 ]
