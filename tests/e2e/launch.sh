#!/bin/bash
# slurm/launch.sh on this host: its exit codes, and signals to it and to its whole process group, as a terminal sends them.
# usage: tests/e2e/launch.sh [PROGRAM], default $PASSGRID or build/passgrid; one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
LAUNCH=$PWD/slurm/launch.sh
. tests/e2e/checks.bash

settings=(--set train.epochs=20 --set 'seeds=[1]' --set checkpoint=0 --set 'attacks=[{attack: prune, levels: [50]}]'
    --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]')
launched() { # launched COMMAND...: under launch.sh, in a session of its own; a background command of a shell would ignore INT
    exec env --default-signal=INT setsid env PATH="$WORK/early:$PATH" bash "$LAUNCH" --oversubscribe --bind-to none -n 3 -- "$@"
}
start() { # start DIR: in the background, as $launcher; two trainings are at work
    launched "$PASSGRID" run "$GRID" --out "$1" "${settings[@]}" >out 2>err &
    launcher=$!
    await checkpoints "$1" 3
}
shell_of_0() { pgrep -x -P "$(pgrep -x -P $launcher mpirun)" bash; } # its process, which leads a group
saved() { # saved DIR: both trainings
    test "$(ls "$1"/checkpoints/*.seal | cut -d. -f1 | sort -u | wc -l)" -eq 2
}

check "undisturbed" code 0 eval '(launched "$PASSGRID" run "$GRID" --out reference "${settings[@]}")'
check "a program's own exit code" code 5 eval '(launched sh -c "exit 5")'
check "a bad configuration" code 2 eval '(launched "$PASSGRID" run "$GRID" --out bad --set seed=1)'
check "no command" code 2 bash "$LAUNCH" -n 3
check "options that mpirun does not know" code 1 bash "$LAUNCH" --no-such-option -- true

for how in "INT " "INT -" "TERM -" "HUP " "USR1 "; do # USR1 is sent to it alone
    signal=${how% *} group=${how#* }
    start "$signal$group"
    kill "-$signal" -- "$group$launcher"
    check "SIG$signal to launch.sh${group:+ and its group}" ends 75
    check "... everything is saved" saved "$signal$group"
done
check "... and can be resumed" code 0 eval '(launched "$PASSGRID" run "$GRID" --out INT- "${settings[@]}")'
check "... same bytes" same reference INT-

# Signals that come before a program catches them.
mkdir early
early() { # early TOOL COMMANDS TEXT: launch.sh is told by a TOOL of ours
    printf '#!/bin/bash\n%s\nexec %s "$@"\n' "$2" "$(command -v "$1")" >"early/$1"
    chmod +x "early/$1"
    check "$3" code 75 eval '(launched "$PASSGRID" run "$GRID" --out early-run "${settings[@]}")'
    rm "early/$1"
}
early mktemp 'kill -USR1 $PPID' "USR1 before mpirun is started"
early setsid 'kill -TERM 0' "SIGTERM to the group before mpirun has left it"
early setsid 'kill -USR1 $PPID; sleep 1' "USR1 before mpirun catches it"
launched bash -c 'touch ready; sleep 1; exec "$@"' late "$PASSGRID" run "$GRID" --out late "${settings[@]}" >out 2>err &
launcher=$!
await test -e ready
kill -USR1 $launcher
check "USR1 before the ranks catch it" ends 75

start twice
kill -STOP -- -"$(shell_of_0)"
interrupt() {
    kill -INT -- -$launcher 2>/dev/null
    sleep 0.2
    gone $launcher
}
await interrupt
check "more than one SIGINT, while rank 0 can save nothing" ends 130

start shell
kill -KILL -- -"$(shell_of_0)"
check "rank 0 is lost with its shell: not success" ends 3
check "... says so" says "launch.sh: rank 0 is lost; repeat the command to resume"
check "... and a repeat resumes" code 0 eval '(launched "$PASSGRID" run "$GRID" --out shell "${settings[@]}")'
check "... same bytes" same reference shell

start child
kill -KILL "$(pgrep -P "$(shell_of_0)")"
check "rank 0 is lost without its shell" ends 3
check "... says so" says "launch.sh: rank 0 is lost"

finish
