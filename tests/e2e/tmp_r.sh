#!/bin/bash
# Recovery: workers, the master, whole runs are killed; deadlines; one run at a time; damaged files. Results are the same bytes.
# usage: tests/e2e/recovery.sh [PROGRAM], default $PASSGRID or build/passgrid; one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/checks.bash


# Two schemes, pruned: v2 is the longer training. Two epochs take a fraction of a second, so many of them give time to strike.
settings=(--set train.epochs=30 --set 'seeds=[1]' --set checkpoint=0 --set 'attacks=[{attack: prune, levels: [50]}]'
    --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]')
alone() { "$PASSGRID" run "$GRID" --out "$1" "${settings[@]}" "${@:2}"; }

start_alone() { # start_alone DIR: in the background, as $process
    "$PASSGRID" run "$GRID" --out "$1" "${settings[@]}" >out 2>err &
    process=$!
}
start() { # start RANKS DIR [OPTIONS of mpirun]: in the background; $launcher is mpirun
    mpirun "${@:3}" --oversubscribe --bind-to none -n "$1" \
        "$PASSGRID" run "$GRID" --out "$2" "${settings[@]}" --lost-after "${silence:-5}" >out 2>err &
    launcher=$!
}
rank_process() { # rank_process RANK: its process id
    local p
    for p in $(pgrep -P $launcher); do
        grep -qxz "OMPI_COMM_WORLD_RANK=$1" "/proc/$p/environ" 2>/dev/null && echo "$p"
    done
}
ends() { # ends EXPECTED: mpirun ends by itself, with that code
    await gone $launcher || { kill -KILL $launcher; echo "     it hangs"; return 1; }
    wait $launcher
    local got=$?
    test $got -eq "$1" || { echo "     exit code $got, expected $1"; return 1; }
}
rank_of() { sed -n "s/.*start  [^ ]*\/$1\/s1\/[0-9a-f]* on rank \([0-9]*\)$/\1/p" err | tail -n 1; }

check "undisturbed" code 0 alone reference
# Two of three workers train, and are stopped: the third has nothing to do, the master nothing to hear.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; } # of user and system time
now() { awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f\n", hz * $1 }' /proc/uptime; }
idles() { # idles PROCESS TICKS: it has used less than 5 % of the time since `begun`, when it had used so many
    test $((20 * ($(ticks "$1") - $2))) -lt $(($(now) - begun))
}
silence=600 start 4 idle
await checkpoints idle 3
first=$(rank_of plain)
second=$(rank_of v2)
stopped="$(rank_process "$first") $(rank_process "$second")"
waiting=$(rank_process $((6 - first - second)))
master=$(rank_process 0)
kill -STOP $stopped
sleep 1
begun=$(now) waiting_ticks=$(ticks "$waiting") master_ticks=$(ticks "$master")
sleep 4; echo "$(($(ticks $waiting)-waiting_ticks)) $(($(ticks $master)-master_ticks)) of $(($(now)-begun))"
check "a worker without a task sleeps" idles "$waiting" "$waiting_ticks"
check "... so does a master that hears nothing" idles "$master" "$master_ticks"
kill -CONT $stopped
check "... and the run ends" ends 0
check "... same bytes" same reference idle
finish
