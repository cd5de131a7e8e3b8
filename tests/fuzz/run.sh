#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Fuzz one target after the other: tests/fuzz/run.sh BUILD [TARGET ...], $SECONDS_EACH for each. The corpus of a target grows in
# BUILD/corpus/TARGET, from seeds made by the program. Inputs that break a promise go to BUILD/findings; the exit code is then 1.
set -euo pipefail
build=$1
shift
targets=${*:-$("$build/tests/fuzz" list)}
export FUZZ_FOLDER OMP_NUM_THREADS=1 ASAN_OPTIONS=allocator_may_return_null=1
FUZZ_FOLDER=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)" passgrid-fuzz.XXXXXX)
trap 'rm -rf "$FUZZ_FOLDER"' EXIT
mkdir -p "$build/findings" "$build/logs"

last() { sed -nE "s/.*$2.*/\\1/p" "$1" | tail -n 1; }

printf '%-12s %10s %7s %7s %8s %8s  %s\n' target executions edges inputs 'peak MB' seconds findings
broken=0
for target in $targets; do
    corpus=$build/corpus/$target log=$build/logs/$target dictionary=$build/corpus/$target.dict
    ASAN_OPTIONS=detect_leaks=0 "$build/tests/fuzz" seed "$build/corpus" "$target" >"$log" 2>&1 || {
        cat "$log"
        broken=1
        continue
    }
    "$build/tests/fuzz" words "$target" >"$dictionary"
    before=$(find "$build/findings" -name "$target-*" | wc -l)
    start=$SECONDS
    "$build/libfuzzer" --target="$target" -max_total_time="${SECONDS_EACH:-60}" -timeout=60 -rss_limit_mb=1536 \
        -malloc_limit_mb=256 -print_final_stats=1 -dict="$dictionary" -artifact_prefix="$build/findings/$target-" \
        "$corpus" >"$log" 2>&1 || true
    found=$(($(find "$build/findings" -name "$target-*" | wc -l) - before))
    printf '%-12s %10s %7s %7s %8s %8s  %s\n' "$target" "$(last "$log" 'number_of_executed_units: ([0-9]+)')" \
        "$(last "$log" 'cov: ([0-9]+)')" "$(find "$corpus" -type f | wc -l)" "$(last "$log" 'peak_rss_mb: ([0-9]+)')" \
        $((SECONDS - start)) "$found"
    [ "$found" = 0 ] || {
        broken=1
        grep -E 'broken promise|ERROR: |SUMMARY: ' "$log" | head -n 3 >&2
        echo "  repeat: $build/libfuzzer --target=$target $(find "$build/findings" -name "$target-*" -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)" >&2
    }
done
exit $broken
