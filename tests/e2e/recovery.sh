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
rank_of() { sed -n "s/.*start  [^ ]*\/$1\/s1\/[0-9a-f]* on rank \([0-9]*\)$/\1/p" err | tail -n 1; }

check "undisturbed" code 0 alone reference

# ---- a worker dies --------------------------------------------------------------------------------------------------------
start 3 worker --enable-recovery
check "two trainings at work" await checkpoints worker 3
victim=$(rank_of v2)
kill -KILL "$(rank_process "$victim")"
check "a worker is killed: the run ends by itself" ends 0
check "... names the rank at the end" says "passgrid run: lost: rank $victim on"
check "... and in the log, with its task" grep -q "lost   rank $victim on .*/v2/" worker/logs/run.log
check "... gives its task to another worker" test "$(rank_of v2)" -eq $((3 - victim))
check "... same bytes" same reference worker

start 4 twice --enable-recovery
for turn in 1 2; do
    await eval "test \"\$(grep -c 'start .*/v2/s1' err)\" -eq $turn"
    sleep 0.3
    kill -KILL "$(rank_process "$(rank_of v2)")"
done
check "a task loses two workers: the run ends by itself" ends 0
check "... the task is not tried on a third" says "two workers ended while they ran it" "$(grep -l "two workers" twice/failed/*.json)"
check "... what depends on it is skipped" test "$(grep -c ' skip .*/v2/prune' err)" -eq 1
check "... the rest is done" test "$(ls twice/records | wc -l)" -eq 2
check "... and a repeat does what is missing" code 0 alone twice
check "... same bytes" same reference twice

start 2 all --enable-recovery
await checkpoints all 1
kill -KILL "$(rank_process 1)"
await gone $launcher
check "every worker dies" says "all workers are lost; repeat the command to resume"
check "... and a repeat resumes" code 0 alone all
check "... same bytes" same reference all

start 3 plain
await checkpoints plain 2
kill -KILL "$(rank_process 1)"
await gone $launcher
wait $launcher
check "a worker dies without recovery: mpirun fails" test $? -ne 0
check "... and a repeat resumes" code 0 alone plain
check "... same bytes" same reference plain

start 3 silent --enable-recovery # a stopped process is there and says nothing, as one behind a broken link
await checkpoints silent 3
victim=$(rank_of v2)
stopped=$(rank_process "$victim")
kill -STOP "$stopped"
check "a silent worker is given up" await says "lost   rank $victim"
kill -CONT "$stopped"
check "... comes back, and the run ends by itself" ends 0
check "... same bytes" same reference silent

# ---- pauses ---------------------------------------------------------------------------------------------------------------
# A job that is suspended, or some process of it, for longer than --lost-after: nobody who lives is given up for another's pause.
# pause PROCESS...: for longer than that
pause() {
    kill -STOP "$@"
    sleep 5
    kill -CONT "$@"
}
undisturbed() { # undisturbed DIR: it ends, nobody was given up, same bytes
    ends 0 && ! grep -q lost "$1/logs/run.log" && same reference "$1"
}
silence=3
start 3 paused-master --enable-recovery
await checkpoints paused-master 3
pause "$(rank_process 0)"
check "the master is stopped and continued: nobody is given up" undisturbed paused-master

start 3 paused-all --enable-recovery
await checkpoints paused-all 3
pause $launcher $(rank_process 0) $(rank_process 1) $(rank_process 2)
check "the whole job is suspended and resumed: nobody is given up" undisturbed paused-all

start 4 held --enable-recovery # a task whose worker falls silent twice, though both live
await checkpoints held 3
first=$(rank_of v2)
kill -STOP "$(rank_process "$first")"
await says "lost   rank $first"
await eval 'test "$(rank_of v2)" -ne "$first"'
second=$(rank_of v2)
kill -STOP "$(rank_process "$second")"
check "two workers fall silent at one task" await says "lost   rank $second"
kill -CONT "$(rank_process "$first")" "$(rank_process "$second")"
check "... and come back: it is not set aside" ends 0
check "... same bytes" same reference held

start 4 silent-twice --enable-recovery
await checkpoints silent-twice 3
first=$(rank_of v2)
kill -STOP "$(rank_process "$first")"
await eval 'test "$(rank_of v2)" -ne "$first"'
second=$(rank_of v2)
stopped="$(rank_process "$first") $(rank_process "$second")"
kill -STOP $stopped
await says "lost   rank $second"
sleep 5
check "... and stay silent: it waits for them, with nothing else to do" test ! -e "$(ls silent-twice/failed/*.json 2>/dev/null)"
kill -KILL $stopped
check "... and die: it is set aside" await says "two workers ended while they ran it; no third one tries"
check "... counted apart from what is skipped" await grep -q "end    2 of 4 tasks done, 1 failed, 1 skipped, 0 left" silent-twice/logs/run.log
await gone $launcher

start 2 only --enable-recovery
await checkpoints only 2
pause "$(rank_process 1)"
check "the only worker is stopped and continued" ends 0
check "... same bytes" same reference only
silence=5

# ---- waiting --------------------------------------------------------------------------------------------------------------
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
sleep 4
check "a worker without a task sleeps" idles "$waiting" "$waiting_ticks"
check "... so does a master that hears nothing" idles "$master" "$master_ticks"
kill -CONT $stopped
check "... and the run ends" ends 0
check "... same bytes" same reference idle

# ---- tasks given out ahead ------------------------------------------------------------------------------------------------
# Two trainings on one worker, said to take no time: the second is sent behind the first, comes back, and is sent again.
mkdir ahead
sed '2,$s/,[0-9.e+-]*,\([0-9.e+-]*\)$/,1e-9,\1/' reference/timings.csv >ahead/timings.csv
start 2 ahead
check "tasks that were said to take no time" ends 0
check "... are not kept waiting behind one another" test "$(grep -cE ' start .*/(plain|v2)/s1/' err)" -ge 3
check "... same bytes" same reference ahead

# ---- the master dies ------------------------------------------------------------------------------------------------------
start 3 master --enable-recovery
await checkpoints master 3
kill -KILL "$(rank_process 0)"
check "the master is killed: workers end by themselves" await gone $launcher
check "... and say why" says "rank 0 is lost; repeat the command to resume"
check "... they saved what they had" checkpoints master 2
check "... and a repeat resumes" code 0 alone master
check "... says whose place it takes" says "this run takes its place"
check "... same bytes" same reference master

# ---- signals --------------------------------------------------------------------------------------------------------------
# A stopped worker saves nothing, and its master waits for it, until a second SIGINT finds the default action again.
start 2 twice-int
await checkpoints twice-int 1
worker=$(rank_process 1)
master=$(rank_process 0)
kill -STOP "$worker"
catches_int() { test $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$master/status") & 2)) -ne 0; }
check "SIGINT is caught" catches_int
kill -INT "$master"
check "... once" await eval '! catches_int'
kill -INT "$master"
check "a second one ends the run, saved or not" ends 130
check "... a repeat resumes" code 0 alone twice-int
check "... same bytes" same reference twice-int

# ---- one run at a time ----------------------------------------------------------------------------------------------------
start_alone guard
first=$process
await checkpoints guard 1
check "a second run in the same directory" code 2 alone guard
check "... is refused, and told by whom" says "another run is at work there, process $first on $(hostname)"
kill -KILL $first
wait $first 2>/dev/null
check "the lock of a killed run is taken over" code 0 alone guard
check "... with a word" says "process $first on $(hostname) was killed"
check "... and is gone at the end" test ! -e guard/run.lock
check "... same bytes" same reference guard
echo "elsewhere a-boot pid:[1] 99 99" >guard/run.lock
SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 alone guard >/dev/null 2>&1 &
second=$!
while kill -0 $second 2>/dev/null; do
    touch guard/run.lock # its owner lives
    sleep 0.5
done
wait $second
check "a lock from another host that is renewed is respected, in a finished run too" test $? -eq 2
printf 'elsewhere a-boot pid:[1] 99 99\njob 7 restart 0\n' >guard/run.lock
check "... one that nobody renews is taken over, as after a requeue to another host" code 0 env SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 \
    "$PASSGRID" run "$GRID" --out guard "${settings[@]}"

# ---- deadlines ------------------------------------------------------------------------------------------------------------
check "a deadline that has nearly come" code 75 alone deadline --deadline 11
check "... says so" says "the deadline has come"
check "... and what is left" says " left; "
check "Slurm's end of the job" code 75 env SLURM_JOB_END_TIME=$(($(date +%s) + 11)) \
    "$PASSGRID" run "$GRID" --out deadline "${settings[@]}"
check "... without one it goes on" code 0 alone deadline
check "... same bytes" same reference deadline
rm deadline/records/"$(basename "$(grep -l '"attack": "prune"' deadline/records/* | head -n 1)")"
sed -i '2s/,[0-9.e+-]*,[0-9.e+-]*$/,1000000,1/' deadline/timings.csv # tasks took ages
check "a task that could save nothing before the deadline" code 75 alone deadline --deadline 40
check "... is not started" eval 'says "no task that is left could save anything before the deadline" && ! grep -q " start " err'

# ---- damaged files --------------------------------------------------------------------------------------------------------
cp -a reference damaged
record=$(ls damaged/records | head -n 1)
sed -i 's/"value": \([0-9]\)/"value": 1\1/' "damaged/records/$record"
check "table of a damaged record" code 2 "$PASSGRID" table damaged
check "... names it" says "$record: damaged"
check "a run makes it again" code 0 alone damaged
check "... says so" says "its record is damaged or lacks files that the grid keeps; it runs again"
check "... same bytes" same reference damaged
start_alone broken
await checkpoints broken 2
kill -KILL $process
wait $process 2>/dev/null
newest=$(ls broken/checkpoints/*.safetensors | sort -t. -k2n | tail -n 1)
printf 'x' | dd of="$newest" bs=1 seek=3000 conv=notrunc status=none
check "a damaged checkpoint" code 0 alone broken
check "... is named" says "$newest is damaged: the checkpoint before it is used"
check "... same bytes" same reference broken

# ---- an attack is killed --------------------------------------------------------------------------------------------------
tune() { # tune DIR: the process is that of the program
    exec "$PASSGRID" run "$GRID" --out "$1" --set 'seeds=[1]' --set checkpoint=0 --set 'schemes=[{scheme: v1, signature: "ab"}]' \
        --set 'attacks=[{attack: finetune, epochs: 60}]'
}
check "an attack that trains" code 0 eval '(tune tuned)'
key=$(basename "$(grep -l '"attack": "finetune"' tuned/records/*)" .json)
tune struck >out 2>err &
process=$!
check "... is at work" await eval 'test "$(ls struck/checkpoints/$key.*.seal 2>/dev/null | wc -l)" -ge 2'
kill -KILL $process
wait $process 2>/dev/null
newest=$(ls struck/checkpoints/$key.*.safetensors | sort -t. -k2n | tail -n 1)
printf 'x' | dd of="$newest" bs=1 seek=3000 conv=notrunc status=none
check "... is killed, and its newest checkpoint damaged: a repeat resumes" code 0 eval '(tune struck)'
check "... from the one before" says "$newest is damaged: the checkpoint before it is used"
check "... same bytes" same tuned struck

victim=$(find damaged/evidence -type f -printf '%f' | cut -d. -f1)
rm "damaged/records/$(basename "$(grep -l "\"attack\": \"prune\"" $(grep -l "$victim" damaged/records/*) | head -n 1)")"
printf 'x' | dd of="damaged/models/$victim.safetensors" bs=1 seek=3000 conv=notrunc status=none
check "a damaged model" code 1 alone damaged
check "... is not attacked, and named" \
    says "models/$victim.safetensors is missing or damaged, and counts as not made: repeat the command"
check "... and a repeat makes it again" code 0 alone damaged
check "... as the only task beside the attack" test "$(grep -c ' start ' err)" -eq 2
check "... same bytes" same reference damaged

finish
