#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# slurm/launch.sh on this host: its exit codes, and signals to it and to its whole process group, as a terminal sends them.
load ../common

settings=(--set train.epochs=30 --set 'seeds=[1]' --set checkpoint=0 --set 'attacks=[{attack: prune, levels: [50]}]'
    --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]')

launched() { # launched COMMAND...: under launch.sh, in a session of its own; a background command of a shell would ignore INT
    exec env --default-signal=INT setsid env PATH="$BATS_TEST_TMPDIR/early:$PATH" bash "$LAUNCH" --oversubscribe --bind-to none -n 3 \
        -- "$@" 3>&-
}
start() { # start DIR: in the background, as $launcher; two trainings are at work
    slowly "$1" launched "$PASSGRID" run "$GRID" --out "$1" "${settings[@]}" >out 2>err &
    launcher=$!
    await checkpoints "$1" 3
}
resumes() { # resumes DIR: a repeat completes it
    run -0 launched "$PASSGRID" run "$GRID" --out "$1" "${settings[@]}"
    same "$SHARED/reference" "$1"
}
shell_of_0() { pgrep -x -P "$(pgrep -x -P "$launcher" mpirun)" bash; } # its process, which leads a group

setup_file() {
    cd "$SHARED"
    (launched "$PASSGRID" run "$GRID" --out reference "${settings[@]}")
}

@test "launch.sh has the exit code of the program" {
    run -5 launched sh -c "exit 5"
    run -2 launched "$PASSGRID" run "$GRID" --out bad --set seed=1
}

@test "launch.sh refuses bad usage" {
    run -2 bash "$LAUNCH" -n 3
    run -1 bash "$LAUNCH" --no-such-option -- true
}

# ---- signals ------------------------------------------------------------------------------------------------------------------
signalled() { # signalled SIGNAL [-]: to launch.sh, or to its group; both trainings are saved
    start run
    kill "-$1" -- "${2:-}$launcher"
    ends 75
    assert_equal "$(find run/checkpoints -name '*.seal' -printf '%f\n' | cut -d. -f1 | sort -u | wc -l)" 2
}

@test "SIGINT to launch.sh saves every task" {
    signalled INT
}

@test "SIGINT to the group of launch.sh saves every task, and a repeat resumes" {
    signalled INT -
    resumes run
}

@test "SIGTERM to the group of launch.sh saves every task" {
    signalled TERM -
}

@test "SIGHUP to launch.sh saves every task" {
    signalled HUP
}

@test "SIGUSR1 to launch.sh saves every task" {
    signalled USR1
}

# ---- signals that come before a program catches them --------------------------------------------------------------------------
early() { # early TOOL COMMANDS: launch.sh is told by a TOOL of ours
    mkdir early
    printf '#!/bin/bash\n%s\nexec %s "$@"\n' "$2" "$(command -v "$1")" >"early/$1"
    chmod +x "early/$1"
    run -75 launched "$PASSGRID" run "$GRID" --out run "${settings[@]}"
}

@test "SIGUSR1 before mpirun is started ends the run as interrupted" {
    early mktemp 'kill -USR1 $PPID'
}

@test "SIGTERM to the group before mpirun has left it ends the run as interrupted" {
    early setsid 'kill -TERM 0'
}

@test "SIGUSR1 before mpirun catches it ends the run as interrupted" {
    early setsid 'kill -USR1 $PPID; sleep 1'
}

@test "SIGUSR1 before the ranks catch it ends the run as interrupted" {
    launched bash -c 'touch ready; sleep 1; exec "$@"' late "$PASSGRID" run "$GRID" --out run "${settings[@]}" >out 2>err &
    launcher=$!
    await [ -e ready ]
    kill -USR1 $launcher
    ends 75
}

# ---- losses -------------------------------------------------------------------------------------------------------------------
@test "a second SIGINT ends a run whose rank 0 cannot save" {
    start run
    kill -STOP -- -"$(shell_of_0)"
    interrupt() {
        kill -INT -- "-$launcher"
        sleep 0.2
        gone "$launcher"
    }
    await interrupt
    ends 130
}

@test "if rank 0 and its shell are killed, the exit code is 3, and a repeat resumes" {
    start run
    kill -KILL -- -"$(shell_of_0)"
    ends 3
    says "launch.sh: rank 0 is lost; repeat the command to resume" err
    resumes run
}

@test "if rank 0 alone is killed, the exit code is 3" {
    start run
    kill -KILL "$(pgrep -P "$(shell_of_0)")"
    ends 3
    says "launch.sh: rank 0 is lost" err
}
