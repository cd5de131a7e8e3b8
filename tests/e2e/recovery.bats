#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Recovery: workers, the master, whole runs are killed; deadlines; one run at a time; damaged files. Results are the same bytes.
load ../common

# Two schemes, pruned: v2 is the longer training. What a test strikes saves every epoch, slowly.
settings=(--set train.epochs=30 --set 'seeds=[1]' --set checkpoint=0 --set 'attacks=[{attack: prune, levels: [50]}]'
    --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]')

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out reference "${settings[@]}"
}

alone() { "$PASSGRID" run "$GRID" --out run "${settings[@]}" "$@"; }
start_alone() { # in the background as $launcher, with N checkpoints at least
    slowly run exec "$PASSGRID" run "$GRID" --out run "${settings[@]}" >out 2>err 3>&- &
    launcher=$!
    await checkpoints run "$1"
}
start() { # start RANKS CHECKPOINTS [OPTION of mpirun...]: in the background; $launcher is mpirun
    slowly run exec mpirun "${@:3}" --oversubscribe --bind-to none -n "$1" \
        "$PASSGRID" run "$GRID" --out run "${settings[@]}" --lost-after "${silence:-5}" >out 2>err 3>&- &
    launcher=$!
    await checkpoints run "$2"
}
process_of() { # process_of RANK: its process id
    local p
    for p in $(pgrep -P "$launcher"); do
        if grep -qxz "OMPI_COMM_WORLD_RANK=$1" "/proc/$p/environ" 2>/dev/null; then echo "$p"; fi
    done
}
rank_of() { # rank_of SCHEME: the rank that its training was given to last
    sed -n "s/.*start  [^ ]*\/$1\/s1\/[0-9a-f]* on rank \([0-9]*\)$/\1/p" err | tail -n 1
}
moved_from() { [ "$(rank_of v2)" -ne "$1" ]; } # moved_from RANK: the longer training was given to another one
strike() {                                     # strike [PROCESS]: it is killed, by default the launcher
    kill -KILL "${1:-$launcher}"
    [ -n "${1:-}" ] || {
        wait "$launcher" || true
        launcher=
    }
}
over() { # the launcher has ended; prints its exit code
    local got=0
    await gone "$launcher"
    wait "$launcher" || got=$?
    launcher=
    echo $got
}
as_reference() { same "$SHARED/reference" run; }
resumes() { # a repeat completes the run, with the same bytes
    run -0 alone
    as_reference
}
damage() { printf 'x' | dd of="$1" bs=1 seek=3000 conv=notrunc status=none; }

# ---- workers die --------------------------------------------------------------------------------------------------------------
@test "if a worker is killed, another worker resumes its task, and the run completes" {
    start 3 3 --enable-recovery
    victim=$(rank_of v2)
    strike "$(process_of "$victim")"
    ends 0
    says "passgrid run: lost: rank $victim on" err
    run -0 grep "lost   rank $victim on .*/v2/" run/logs/run.log
    assert_equal "$(rank_of v2)" $((3 - victim))
    as_reference
}

@test "a task that killed two workers fails; the others complete, and a repeat runs what is missing" {
    start 4 0 --enable-recovery
    for turn in 1 2; do
        await eval "test \"\$(grep -c 'start .*/v2/s1' err)\" -eq $turn"
        sleep 0.3
        strike "$(process_of "$(rank_of v2)")"
    done
    ends 0
    run -0 grep -l "two workers ended while they ran it" run/failed/*.json
    assert_equal "$(grep -c ' skip .*/v2/prune' err)" 1
    assert_equal "$(ls run/records | wc -l)" 2
    resumes
}

@test "if every worker dies, the run says so, and a repeat resumes" {
    start 2 1 --enable-recovery
    strike "$(process_of 1)"
    over
    says "all workers are lost; repeat the command to resume" err
    resumes
}

@test "if a worker dies without recovery, mpirun fails, and a repeat resumes" {
    start 3 2
    strike "$(process_of 1)"
    assert_not_equal "$(over)" 0
    resumes
}

@test "a silent worker is declared lost, and returns" {
    start 3 3 --enable-recovery # a stopped process is there and says nothing, as one behind a broken link
    victim=$(rank_of v2)
    stopped=$(process_of "$victim")
    kill -STOP "$stopped"
    await says "lost   rank $victim" err
    kill -CONT "$stopped"
    ends 0
    as_reference
}

# ---- pauses -------------------------------------------------------------------------------------------------------------------
# A job that is suspended, or some process of it, for longer than --lost-after: nobody who lives is given up for another's pause.
pause() { # pause PROCESS...: for longer than that
    kill -STOP "$@"
    sleep 5
    kill -CONT "$@"
}
nobody_lost() { says_not lost run/logs/run.log; }

@test "if the master is stopped and continued, no worker is declared lost" {
    silence=3 start 3 3 --enable-recovery
    pause "$(process_of 0)"
    ends 0
    nobody_lost
    as_reference
}

@test "if the whole job is suspended and resumed, no rank is declared lost" {
    silence=3 start 3 3 --enable-recovery
    pause "$launcher" "$(process_of 0)" "$(process_of 1)" "$(process_of 2)"
    ends 0
    nobody_lost
    as_reference
}

@test "if the only worker is stopped and continued, the run completes" {
    silence=3 start 2 2 --enable-recovery
    pause "$(process_of 1)"
    ends 0
    as_reference
}

two_fall_silent() { # at one task: $first, then $second
    silence=3 start 4 3 --enable-recovery
    first=$(rank_of v2)
    kill -STOP "$(process_of "$first")"
    await says "lost   rank $first" err
    await moved_from "$first"
    second=$(rank_of v2)
    kill -STOP "$(process_of "$second")"
    await says "lost   rank $second" err
}

@test "a task on which two workers fell silent completes if they return" {
    two_fall_silent
    kill -CONT "$(process_of "$first")" "$(process_of "$second")"
    ends 0
    as_reference
}

@test "a task on which two workers fell silent waits for them, and fails when they die" {
    two_fall_silent
    sleep 5
    assert_equal "$(ls run/failed 2>/dev/null)" ""
    kill -KILL "$(process_of "$first")" "$(process_of "$second")"
    await says "the processes of two workers ended while they ran it; it is not tried again" err
    await says "end    2 of 4 tasks done, 1 failed, 1 skipped, 0 left" run/logs/run.log
    over
}

# ---- waiting ------------------------------------------------------------------------------------------------------------------
# Two of three workers train, and are stopped: the third has nothing to do, the master nothing to hear.
@test "a worker without a task sleeps, and so does a master without messages" {
    ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; } # of user and system time
    now() { awk -v hz="$(getconf CLK_TCK)" '{ printf "%.0f\n", hz * $1 }' /proc/uptime; }
    silence=600 start 4 3
    first=$(rank_of plain)
    second=$(rank_of v2)
    stopped=("$(process_of "$first")" "$(process_of "$second")")
    waiting=$(process_of $((6 - first - second)))
    master=$(process_of 0)
    kill -STOP "${stopped[@]}"
    sleep 1
    begun=$(now) waiting_ticks=$(ticks "$waiting") master_ticks=$(ticks "$master")
    sleep 4
    # less than 5 % of the time
    assert [ $((20 * ($(ticks "$waiting") - waiting_ticks))) -lt $(($(now) - begun)) ]
    assert [ $((20 * ($(ticks "$master") - master_ticks))) -lt $(($(now) - begun)) ]
    kill -CONT "${stopped[@]}"
    ends 0
    as_reference
}

# Two trainings on one worker, said to take no time: the second is sent behind the first, comes back, and is sent again.
@test "tasks with wrong estimates do not wait behind one another" {
    mkdir run
    sed '2,$s/,[0-9.e+-]*,\([0-9.e+-]*,[0-9.e+-]*\)$/,1e-9,\1/' "$SHARED/reference/timings.csv" >run/timings.csv
    start 2 0
    ends 0
    assert [ "$(grep -cE ' start .*/(plain|v2)/s1/' err)" -ge 3 ]
    as_reference
}

# ---- the master dies ----------------------------------------------------------------------------------------------------------
@test "if the master is killed, the workers save their state and end, and a repeat resumes" {
    start 3 3 --enable-recovery
    strike "$(process_of 0)"
    over
    says "rank 0 is lost; repeat the command to resume" err
    checkpoints run 2
    resumes
    assert_output --partial "this run takes over its lock"
}

# A stopped worker saves nothing, and its master waits for it, until a second SIGINT finds the default action again.
@test "a second SIGINT ends a run, saved or not, and a repeat resumes" {
    start 2 1
    worker=$(process_of 1)
    master=$(process_of 0)
    kill -STOP "$worker"
    catches_int() { [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$master/status") & 2)) -ne 0 ]; }
    catches_int
    kill -INT "$master"
    ignores_int() { ! catches_int; }
    await ignores_int
    kill -INT "$master"
    ends 130
    resumes
}

# ---- one run at a time --------------------------------------------------------------------------------------------------------
@test "a second run in a directory is refused with the owner of the lock; a killed run's lock is taken over" {
    start_alone 1
    first=$launcher
    run -2 alone
    assert_output --partial "another run is at work there, process $first on $(hostname)"
    strike
    run -0 alone
    assert_output --partial "process $first on $(hostname) was killed"
    assert_not_exists run/run.lock
    as_reference
}

@test "a lock of another host is respected while it is renewed, and taken over afterwards" {
    borrow reference run
    echo "elsewhere a-boot pid:[1] 99 99" >run/run.lock
    SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 "$PASSGRID" run "$GRID" --out run "${settings[@]}" >out 2>err 3>&- &
    launcher=$!
    while kill -0 $launcher 2>/dev/null; do
        touch run/run.lock # its owner lives
        sleep 0.5
    done
    ends 2
    printf 'elsewhere a-boot pid:[1] 99 99\njob 7 restart 0\n' >run/run.lock
    SLURM_JOB_ID=7 SLURM_RESTART_COUNT=1 run -0 alone
}

# ---- deadlines ----------------------------------------------------------------------------------------------------------------
@test "a run stops before its deadline or Slurm's, reports what is left, and continues without a deadline" {
    run -75 slowly run alone --deadline 11
    assert_output --partial "the deadline has come"
    assert_output --partial " left; "
    SLURM_JOB_END_TIME=$(($(date +%s) + 11)) run -75 slowly run alone
    resumes
}

@test "a task that could save nothing before the deadline is not started" {
    borrow reference run
    rm "$(grep -l '"attack": "prune"' run/records/* | head -n 1)"
    sed -i '2s/,[0-9.e+-]*,[0-9.e+-]*,[0-9.e+-]*$/,1000000,1,1/' run/timings.csv # tasks took ages
    run -75 alone --deadline 40
    assert_output --partial "no remaining task could save anything before the deadline"
    refute_output --partial " start "
}

# ---- shared file systems -----------------------------------------------------------------------------------------------------
several=("$GRID" --set 'seeds=[1]' --set 'schemes=[{scheme: plain}]'
    --set 'attacks=[{attack: prune, levels: [10]}, {attack: prune, levels: [20]}, {attack: prune, levels: [30]}]')

@test "ranks wait for records that the file system shows late" {
    run -0 passgrid run "${several[@]}" --out prompt
    LD_PRELOAD=$SHIM FAULT=late FAULT_SECONDS=4 FAULT_UNDER=$PWD/run/records \
        run -0 mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "${several[@]}" --out run
    same prompt run
}

@test "a disk that is full for one rank ends the run with exit code 3, and a repeat completes it" {
    run -0 passgrid run "${several[@]}" --out roomy
    run -3 mpirun --oversubscribe --bind-to none -n 2 "$PASSGRID" run "${several[@]}" --out run : -n 1 \
        env LD_PRELOAD="$SHIM" FAULT=ENOSPC FAULT_AT=1 FAULT_UNDER="$PWD/run" "$PASSGRID" run "${several[@]}" --out run
    assert_output --partial "No space left on device"
    run -0 passgrid run "${several[@]}" --out run
    same roomy run
}

# ---- damaged files ------------------------------------------------------------------------------------------------------------
@test "table names a damaged record, and a run makes it again" {
    borrow reference run
    record=$(ls run/records | head -n 1)
    sed -i 's/"value": \([0-9]\)/"value": 1\1/' "run/records/$record"
    run -2 passgrid table run
    assert_output --partial "$record: the file does not match its checksum: it is damaged"
    resumes
    assert_output --partial "its record is damaged, or files that the grid keeps are missing; the task runs again"
}

@test "a damaged checkpoint is named, and the one before it is used" {
    start_alone 2
    strike
    newest=$(ls run/checkpoints/*.safetensors | sort -t. -k2n | tail -n 1)
    damage "$newest"
    resumes
    assert_output --partial "$newest is damaged; the task resumes from the checkpoint before it"
}

@test "a damaged model is reported and not attacked, and a repeat makes it again" {
    borrow reference run
    victim=$(find run/evidence -type f -printf '%f' | cut -d. -f1)
    # shellcheck disable=SC2046 # a list
    rm "$(grep -l '"attack": "prune"' $(grep -l "$victim" run/records/*) | head -n 1)"
    damage "run/models/$victim.safetensors"
    run -1 alone
    assert_output --partial "models/$victim.safetensors is missing or damaged; repeat the command to make it again"
    resumes
    assert_equal "$(grep -c ' start ' <<<"$output")" 2 # it and the attack
}

@test "a killed attack whose newest checkpoint is damaged resumes from the one before" {
    tune=("$GRID" --set 'seeds=[1]' --set checkpoint=0 --set 'schemes=[{scheme: v1, signature: "ab"}]'
        --set 'attacks=[{attack: finetune, epochs: 60}]')
    run -0 passgrid run "${tune[@]}" --out tuned
    key=$(basename "$(grep -l '"attack": "finetune"' tuned/records/*)" .json)
    slowly struck exec "$PASSGRID" run "${tune[@]}" --out struck >out 2>err 3>&- &
    launcher=$!
    two_seals() { [ "$(ls struck/checkpoints/"$key".*.seal | wc -l)" -ge 2 ]; }
    await two_seals
    strike
    newest=$(ls struck/checkpoints/"$key".*.safetensors | sort -t. -k2n | tail -n 1)
    damage "$newest"
    run -0 passgrid run "${tune[@]}" --out struck
    assert_output --partial "$newest is damaged; the task resumes from the checkpoint before it"
    same tuned struck
}
