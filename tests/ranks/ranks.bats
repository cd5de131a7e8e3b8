#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# 65 ranks on this machine, far more than its cores: a run starts, completes, and has the bytes of a plain one. Prints the seconds
# until the first task starts and the most memory of a rank.
load ../common

@test "65 ranks have the bytes of one" {
    cd "$BATS_TEST_TMPDIR"
    passgrid run "$GRID" --out plain
    local begun=$SECONDS
    "$LAUNCH" -n 65 -- "$PASSGRID" run "$GRID" --out run >out 2>err 3>&- &
    launcher=$!
    await says '"event": "begin"' run/events.jsonl
    echo "# 65 ranks: $((SECONDS - begun)) s to the first task" >&3
    ends 0
    same plain run
    assert_equal "$(grep -c '"rank"' run/provenance.json)" 65
    echo "# $((SECONDS - begun)) s in all; at most $(cut -d , -f 6 run/timings.csv | sort -n | tail -n 1) MB a rank" >&3
}
