#!/usr/bin/env bash
# The house rules that a machine can check: formatting, file length, line length, headers that open
# with their mission, no leftovers, arrows that point one way. Prints each breach as file:line.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
breaches=0
breach() { printf '%s\n' "$*"; breaches=$((breaches + 1)); }

max_file_lines=600  # what one can hold in mind, with some slack for tables

mapfile -t sources < <(git ls-files '*.cc' '*.h')
mapfile -t texts < <(git ls-files | grep -vE '\.(png|svg|csv|json|bin|html|hgrm|patch)$|^tests/fuzz/corpus/|/testdata/')

while read -r line; do breach "$line (run clang-format -i)"; done < <(
  clang-format --dry-run -Werror "${sources[@]}" 2>&1 | grep 'error:' | cut -d' ' -f1 | sort -u)

for file in "${sources[@]}"; do
  lines=$(wc -l <"$file")
  [ "$lines" -le "$max_file_lines" ] || breach "$file:1: $lines lines; split it by idea"
done
for file in $(git ls-files '*.h'); do
  head -n 1 "$file" | grep -q '^//' || breach "$file:1: a header opens with its mission"
  grep -q '^#pragma once' "$file" || breach "$file:1: no #pragma once"
done
while IFS= read -r line; do breach "$line (leftover)"; done < <(
  grep -nE '(FIXME|TODO|DO NOT COMMIT)' "${sources[@]}" /dev/null | cut -c1-120)
while IFS= read -r line; do breach "$line (trailing blank)"; done < <(
  grep -nE '[[:blank:]]+$' "${texts[@]}" /dev/null | grep -v '\.tsv:' | cut -c1-80)

# A SQLSTATE has its name in base/status.h, and nowhere else a spelling; tests say what clients see.
while IFS= read -r line; do breach "$line (name it in base/status.h: sqlstate::k...)"; done < <(
  git ls-files '*.cc' '*.h' | grep -vE '_test\.cc$|^base/status\.h$' |
    xargs grep -nE '(Status::(Error|Fatal)\(|[cC]ode(\(\))? [!=]?= |string_view k[A-Za-z]+ = )"[0-9A-Z]{5}"' /dev/null)

# A clock that somebody sets must not bend a measurement: what measures knows CLOCK_MONOTONIC alone.
while IFS= read -r line; do breach "$line (a clock that can jump)"; done < <(
  git ls-files 'harness/load/*' 'harness/observe/*' 'harness/stats/*' 'models/*' |
    grep -E '\.(cc|h)$' | grep -v environment.cc |
    xargs grep -nE '(CLOCK_REALTIME|system_clock|gettimeofday|WallClockUs|[^_a-z]time\((nullptr|NULL|0)\))' /dev/null)

# Arrows: a folder may include only itself and folders to its left.
order=(base engine protocol models results plots harness)
for i in "${!order[@]}"; do
  later=("${order[@]:$((i + 1))}")
  [ ${#later[@]} -gt 0 ] || continue
  pattern=$(IFS='|'; echo "${later[*]}")
  while IFS= read -r line; do breach "$line (arrow points the wrong way)"; done < <(
    git ls-files "${order[$i]}/*.h" "${order[$i]}/*.cc" |
      xargs -r grep -nE "#include \"($pattern)/" /dev/null)
done

[ "$breaches" -eq 0 ] && echo "style: no breach in ${#texts[@]} files"
[ "$breaches" -eq 0 ]
