#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Tables on terminals of any width: no line is wider, and no number is lost.
load ../common

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out run --set 'attacks.2.levels=[0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]' >/dev/null
    passgrid table run >wide
}
teardown_file() { true; }

numbers() { grep -oE '[0-9]+\.[0-9]{2}' "$1" | sort -u; }

@test "no line of a table is wider than the terminal, and every number is there" {
    for width in 50 80 120; do
        COLUMNS=$width bash -c '"$1" table "$2"' table "$PASSGRID" "$SHARED/run" >"$width"
        sed 's/±/+/g; s/…/./g' "$width" >plain
        run -1 grep -nE "^.{$((width + 1))}" plain
        diff <(numbers "$SHARED/wide") <(numbers "$width")
    done
}

@test "no part of a table has more than a dozen columns, wherever it is printed" {
    run -0 grep -E 'prune level=' "$SHARED/wide"
    for line in "${lines[@]}"; do
        assert [ "$(sed 's/^ *//; s/   */\n/g' <<<"$line" | wc -l)" -le 12 ]
    done
    assert [ "${#lines[@]}" -ge 2 ]
}

@test "the table in the shape of the papers comes first, with a column for each attack" {
    run -0 head -n 8 "$SHARED/wide"
    assert_line "e2e: before and after attacks on the network"
    assert_line --regexp '^  scheme  quantity +before +unchanged +finetune +prune level=0 '
    assert_line --regexp '^  plain   accuracy % '
    run -0 head -n 1 "$SHARED/run/tables/forged.csv"
    assert_output --partial 'data,network,norm,scheme,quantity,genuine,genuine sd,genuine n,genuine low,genuine high,fake1,fake1 sd'
}
