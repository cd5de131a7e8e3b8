#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Tasks as processes of their own, started by other engines: passgrid task, and the graphs that plan --export writes for them.
load ../common

settings=(--set train.epochs=20 --set checkpoint=0 --set 'seeds=[1]' --set 'attacks=[{attack: prune, levels: [50]}]'
    --set 'schemes=[{scheme: plain}, {scheme: v2, passport: random}]')

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out reference "${settings[@]}"
}

# key_of SCHEME[/ATTACK]: the key of that task
key_of() { "$PASSGRID" plan "$GRID" --out run "${settings[@]}" | awk -v name="/$1/s1/" 'index($5, name) { print $1 }'; }
# task KEY: runs that task
task() { "$PASSGRID" task "$1" "$GRID" --out run "${settings[@]}" "${@:2}"; }
# start: the training of v2 as $launcher; it has saved a checkpoint and is still at work
start() {
    v2=$(key_of v2)
    slowly run exec "$PASSGRID" task "$v2" "$GRID" --out run "${settings[@]}" >out 2>err 3>&- &
    launcher=$!
    await checkpoints run 1
}
# as_reference: a run of the whole grid now has the reference's results
as_reference() {
    passgrid run "$GRID" --out run "${settings[@]}"
    same "$SHARED/reference" run
}

# ---- one task -----------------------------------------------------------------------------------------------------------------
@test "a task runs once its parent is done, and once it is done nothing happens" {
    run -2 task "$(key_of v2/prune)"
    assert_output --partial "which is not done: run that first"
    task "$(key_of v2)"
    task "$(key_of v2/prune)"
    assert_equal "$(ls run/records | wc -l)" 2
    run -0 task "$(key_of v2/prune)"
    assert_output --regexp '^passgrid task: .*/v2/prune/s1/.* is done$'
    as_reference
}

@test "a task that does not exist, or several, are refused" {
    run -2 task nonsense
    assert_output --partial "no task with the name or key 'nonsense'"
    run -2 task ""
    assert_output --partial "several tasks with the name or key ''"
}

@test "a task that is told to end saves, and a repeat resumes it" {
    start
    kill -USR1 "$launcher"
    ends 75
    assert_not_exists "$(find run -name '*.lock')"
    run -0 task "$v2"
    as_reference
}

@test "a task whose parent is damaged fails, leaves the reason, and can be repeated after the parent" {
    task "$(key_of v2)"
    damaged=$(ls run/models/*.safetensors)
    printf x >>"$damaged"
    run -1 task "$(key_of v2/prune)"
    assert_output --partial "$damaged is missing or damaged"
    assert_equal "$(ls run/failed | wc -l)" 1
    run -2 task "$(key_of v2/prune)"
    assert_output --partial "which is not done: run that first"
    task "$(key_of v2)"
    task "$(key_of v2/prune)"
    as_reference
}

# ---- beside others ------------------------------------------------------------------------------------------------------------
@test "a second process with the same task is refused, and told by whom" {
    start
    run -75 task "$v2"
    assert_output --partial "another process that runs this task is at work there, process $launcher on $(hostname)"
    task "$(key_of plain)" # another task goes on beside it
    ends 0
    as_reference
}

@test "a claim that is a symbolic link is refused for good" {
    task "$(key_of plain)"
    key=$("$PASSGRID" plan "$GRID" --out run "${settings[@]}" --export jsonl | sed -n 's/^{"key":"\([0-9a-f]*\)","name":"[^"]*\/v2\/s1\/.*/\1/p')
    ln -s "$PWD/elsewhere" "run/checkpoints/$key.lock"
    run -2 task "$key"
    assert_output --partial "$key.lock"
    assert_not_exists elsewhere
}

@test "the claim of a killed process is taken over" {
    start
    kill -KILL "$launcher"
    wait "$launcher" || true
    launcher=
    run -0 task "$v2"
    assert_output --partial "was killed: this run takes over its lock"
    as_reference
}

@test "a run and single tasks exclude each other" {
    start
    run -2 passgrid run "$GRID" --out run "${settings[@]}"
    assert_output --partial "another process that runs one of its tasks is at work there, process $launcher"
    ends 0
    slowly run exec "$PASSGRID" run "$GRID" --out run "${settings[@]}" >out 2>err 3>&- &
    launcher=$!
    await checkpoints run 1
    run -75 task "$(key_of plain)"
    assert_output --partial "another run is at work there, process $launcher"
    ends 0
    same "$SHARED/reference" run
}

# ---- graphs for other engines -------------------------------------------------------------------------------------------------
@test "make runs a grid from its graph, with the same bytes as a run, in a folder whose name needs quotes" {
    mkdir 'it'\''s 5 $ "here" #1'
    cd it*
    passgrid plan "$GRID" --out run "${settings[@]}" --export make >grid.mk
    run -0 make -k -j 3 -f grid.mk
    assert_equal "$(ls run/records | wc -l)" 4
    as_reference
    passgrid plan "$GRID" --out run "${settings[@]}" --export make >grid.mk
    run -0 make -f grid.mk
    assert_output --partial "Nothing to be done for 'all'"
}

@test "JSON lines hold every unfinished task, its command, and the tasks that it waits for" {
    task "$(key_of plain)"
    passgrid plan "$GRID" --out run "${settings[@]}" --export jsonl >lines
    assert_equal "$(wc -l <lines)" 3
    assert_equal "$(grep -c '"after":\[\]' lines)" 2 # the pruning of plain waits for nothing any more
    run -0 grep -F "\"command\":[\"$PASSGRID\",\"task\",\"" lines
    assert_output --partial "\",\"$GRID\",\"--out\",\"$PWD/run\",\"--set\",\"train.epochs=20\","
    mkdir $'\xff'
    cd $'\xff'
    run -2 passgrid plan "$GRID" --export jsonl
    assert_output "passgrid plan: a path that is not UTF-8 cannot be written in JSON"
}
