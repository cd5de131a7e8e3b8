#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run the tests of bats files, all of them or those whose name matches a regular expression, and list the failures at the end.
# usage: bats.sh REPORTS NAME PATTERN FILE...; writes REPORTS/NAME.tap and, as JUnit, REPORTS/NAME.xml
set -uo pipefail
reports=$1 name=$2 pattern=$3
mkdir -p "$reports/$name"
bats --formatter tap --timing --print-output-on-failure --report-formatter junit --output "$reports/$name" \
    ${pattern:+--filter "$pattern"} "${@:4}" | tee "$reports/$name.tap"
code=$?
mv "$reports/$name/report.xml" "$reports/$name.xml" && rmdir "$reports/$name"
echo "$(grep -c '^ok ' "$reports/$name.tap") passed, $(grep -c '^not ok ' "$reports/$name.tap") failed, see $reports/$name.xml"
grep '^not ok ' "$reports/$name.tap"
exit $code
