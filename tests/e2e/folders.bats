#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder of trigger pictures that moves between two runs of a grid.
load ../common

grid() { # grid WORD FOLDER: the grid with the triggers of that folder
    "$PASSGRID" "$1" "$GRID" --out run --set 'schemes=[{scheme: adi}]' --set "schemes.0.triggers=$2" --set 'seeds=[1]' \
        --set 'attacks=[{attack: prune, levels: [50]}]'
}

setup_file() {
    cd "$SHARED"
    mkdir here
    base64 -d >here/1.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mP0ZcAPmBhGFYwqGFUwQhUAAMWCAI3PbfkPAAAAAElFTkSuQmCC
PNG
    cp here/1.png here/2.png
    printf '1\n2\n' >here/labels.txt
    grid run "$SHARED/here"
}

@test "records do not say where the folder is" {
    run -1 grep -rl "$SHARED" "$SHARED/run" --include='*.json' --include='*.csv' --include='*.md'
}

@test "moving a folder makes no new task" {
    borrow run
    mkdir "of mine"
    borrow here "of mine/moved folder"
    run -0 grid plan "of mine/moved folder"
    assert_line --partial "2 tasks: 2 done"
    run -0 grid run "of mine/moved folder"
    diff -r "$SHARED/run/records" run/records
}

@test "changing a label makes new tasks" {
    borrow run
    borrow here
    echo 3 >here/extra
    printf '1\n3\n' >here/labels.txt
    run -0 grid plan here
    assert_line --partial "2 tasks: 0 done"
}
