#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run the unit tests, the fuzz inputs and the end-to-end tests that strike nothing in a build with --coverage, and print the share
# of lines and branches that they reach. usage: coverage.sh BUILD; BUILD/coverage/ROOM.txt lists the lines of each file that are not
set -uo pipefail
build=$1
export OMP_WAIT_POLICY=passive
find "$build" -name '*.gcda' -delete
shopt -s extglob # without the double build: its comparisons with differences take hours here
bash tests/unit/run.sh "$build/reports" '' "$build"/tests/test_!(*-double) >"$build/unit.log" || tail -n 20 "$build/unit.log"
"$build/tests/fuzz" test tests/fuzz/inputs >"$build/fuzz.log" || tail -n 5 "$build/fuzz.log"
PASSGRID=$(realpath "$build/passgrid") bash tests/bats.sh "$build/reports" e2e '' \
    tests/e2e/{usage,look,judge,folders,subject,data,run,bound,completion,report,status,task,owner,independent}.bats >"$build/e2e.log" || tail -n 5 "$build/e2e.log"

# Threads that count one branch at once may leave a negative count, which gcovr would refuse without --gcov-ignore-parse-errors.
mkdir -p "$build/coverage"
for room in core attacks experiments; do
    echo "== $room"
    gcovr --root . --object-directory "$build" --filter "$room/" --exclude-unreachable-branches --gcov-ignore-parse-errors --print-summary \
        --output "$build/coverage/$room.txt" "$build" | grep -E '^(lines|branches)'
done
