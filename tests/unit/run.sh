#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/unit/run.sh REPORTS PATTERN PROGRAM...
# Runs the tests whose names match PATTERN ('': all) in every program, and lists the failures at the end. Leaves
# REPORTS/PROGRAM.xml (JUnit) of each program, and none of earlier runs. Exits 1 if a test failed, 2 if no name matches.
set -uo pipefail
reports=$1 pattern=$2
shift 2
mkdir -p "$reports" && rm -f "$reports"/test_*.xml || exit
export OMP_WAIT_POLICY=passive # waiting threads sleep: with more threads than free cores tests would spin for most of their time

# The failed tests of a report, one a line.
failed_in() {
    sed -n 's/.*classname="\([^"]*\)" name="\([^"]*\)".*<failure message="\([^"]*\)".*/FAILED \1: \2: \3/p' "$1" |
        sed 's/&#10;/ /g; s/&#34;/"/g; s/&#60;/</g; s/&#62;/>/g; s/&#38;/\&/g'
}

failures=() count=0
for program; do
    [ -z "$pattern" ] || [ -n "$("$program" --list "$pattern")" ] || continue
    report=$reports/${program##*/}.xml
    echo "== $program"
    "$program" --report "$report" ${pattern:+"$pattern"}
    status=$?
    mapfile -t found < <(failed_in "$report")
    [ $status = 0 ] || [ ${#found[@]} != 0 ] || found=("FAILED $program: exit status $status")
    failures+=("${found[@]}")
    ran=$(grep -c '<testcase' "$report")
    count=$((count + ${ran:-0}))
done
[ $count != 0 ] || [ ${#failures[@]} != 0 ] || {
    echo "no test has a name like '$pattern'" >&2
    exit 2
}
printf '\n== %d tests, %d failed\n' $count ${#failures[@]}
[ ${#failures[@]} = 0 ] || {
    printf '%s\n' "${failures[@]}"
    exit 1
}
