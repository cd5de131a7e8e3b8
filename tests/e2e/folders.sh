#!/bin/bash
# End to end: a folder of trigger pictures that moved between two runs of a grid.
# usage: tests/e2e/folders.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/checks.bash

mkdir here
base64 -d >here/1.png <<'END'
iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAAAAABWESUoAAAAGElEQVR42mP0ZcAPmBhGFYwqGFUwQhUAAMWCAI3PbfkPAAAAAElFTkSuQmCC
END
cp here/1.png here/2.png
printf '1\n2\n' >here/labels.txt
grid() { # grid EXPECTED WORD FOLDER: the grid with the triggers of that folder
    code "$1" "$PASSGRID" "$2" "$GRID" --out run --set 'schemes=[{scheme: adi}]' --set "schemes.0.triggers=$3" --set 'seeds=[1]' \
        --set 'attacks=[{attack: prune, levels: [50]}]'
}

check "a run with the folder" grid 0 run "$WORK/here"
check "... records do not tell where it is" test -z "$(grep -rl "$WORK" run --include='*.json' --include='*.csv' --include='*.md')"
cp -r run first
mkdir "of mine" && mv here "of mine/moved folder"
check "plan with the folder's new path" grid 0 plan "of mine/moved folder"
check "... finds all done" says "2 tasks: 2 done" out
check "run with the folder's new path" grid 0 run "of mine/moved folder"
check "... trains nothing" diff -r first/records run/records
echo 3 >"of mine/moved folder/extra" && printf '1\n3\n' >"of mine/moved folder/labels.txt"
check "plan with another label" grid 0 plan "of mine/moved folder"
check "... finds new tasks" says "2 tasks: 0 done" out

finish
