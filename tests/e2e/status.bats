#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# passgrid status: a run that is at work, has ended or was killed; wide and narrow terminals; JSON.
load ../common

setup_file() {
    cd "$SHARED"
    cat >grid.yaml <<'YAML'
name: status
checkpoint: 0
data: {name: synthetic, train: 96, test: 50}
networks: [{arch: alexnet, norm: bn, width: 0.0625}]
train: {epochs: 60, batch: 32, lr: 0.02}
schemes: [{scheme: plain}, {scheme: v2, passport: random}]
verify: {nulls: 2}
YAML
    passgrid run "$GRID" --out complete --set 'seeds=[1]' >/dev/null
}

started() { # a run of two workers that cannot end by itself before the test is over
    slowly run exec mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "$SHARED/grid.yaml" --out run >out 2>err 3>&- &
    launcher=$!
    await grep -q '"event": "epoch".*"rank": 2' run/events.jsonl
    await grep -q '"event": "epoch".*"rank": 1' run/events.jsonl
}

@test "status shows a run that is at work, and what each rank does" {
    started
    run -0 passgrid status run
    assert_line --partial "run: working"
    assert_line --regexp '^tasks   0 of 2 done, 2 running, 0 failed, 0 skipped, 0 waiting$'
    assert_line --regexp '^ranks   2 compute, 2 at work, 0 lost; process [0-9]+ on '
    assert_line --regexp '^rank  task +epoch +loss  accuracy  images/s  % done +time +left +memory$'
    assert_line --regexp '^ +1  synthetic/alexnet-bn/[a-z0-9]+/s1/[0-9a-f]{8} +[0-9]+/60 +[0-9.]+ +[0-9.]+ +[0-9]+ +[0-9]+ .* MB$'
    assert_line --regexp '^ +2  synthetic/alexnet-bn/'
    run -0 --separate-stderr passgrid status run --json
    echo "$output" | python3 -c '
import json, sys
s = json.load(sys.stdin)
assert s["state"] == "working" and s["tasks"] == 2 and s["running"] == 2, s
assert [w["rank"] for w in s["at_work"]] == [1, 2], s
assert all(w["epochs"] == 60 and 1 <= w["epoch"] < 60 and w["memory"] > 1e6 for w in s["at_work"]), s'
    run -0 timeout 3 "$PASSGRID" status run --watch --json || [ "$status" = 124 ]
}

@test "status of a run that was killed names its unfinished tasks, and a torn last line changes nothing" {
    started
    end_launcher
    launcher=
    await eval 'passgrid status run | grep -q "^run: killed"'
    run -0 passgrid status run
    assert_line "run: killed: no process is at work there; \`passgrid run\` resumes it"
    assert_line --partial "0 of 2 done, 2 unfinished"
    passgrid status run >whole
    printf '{"time": "2026-' >>run/events.jsonl
    passgrid status run >torn
    diff whole torn
    run -0 passgrid status run --watch
}

@test "a narrow terminal gets fewer columns, and the last line names the others" {
    started
    end_launcher
    launcher=
    for width in 50 80 120; do
        run -0 env COLUMNS=$width "$PASSGRID" status run
        for line in "${lines[@]//…/.}"; do assert [ "${#line}" -le $width ]; done
        printf '%s\n' "${lines[@]}" >$width
    done
    says_not "not shown" 120
    says "not shown on a terminal of this width: images/s, " 80
    run -0 grep -E '…[^ ]*/plain/s1/[0-9a-f]{8} ' 50
}

@test "status of a finished run works from its files alone, and changes none" {
    borrow complete
    run -0 passgrid status complete
    assert_line "complete: ended"
    assert_line --partial "13 of 13 done"
    diff -r "$SHARED/complete" complete
    chmod -w complete && run -0 passgrid status complete && chmod +w complete
}

@test "every line of events.jsonl is an object, and the events of a run that is repeated are appended" {
    borrow complete
    cp complete/events.jsonl before
    rm "$(grep -l '"attack": "prune"' complete/records/* | head -n 1)"
    passgrid run "$GRID" --out complete --set 'seeds=[1]'
    cmp -n "$(stat -c %s before)" before complete/events.jsonl
    python3 - complete/events.jsonl <<'PY'
import collections, json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
n = collections.Counter(e["event"] for e in events)
assert n["begin"] == n["end"] == 2 and n["start"] == n["done"] == 14, n
assert all(e["memory"] > 1e6 and e["seconds"] > 0 for e in events if e["event"] == "done")
PY
}

@test "a directory without a run, and a file in its place, are refused" {
    mkdir empty
    refuses "empty: no run has begun there" passgrid status empty
    refuses "nowhere: no run has begun there" passgrid status nowhere
    mkdir -p pipe && mkfifo pipe/events.jsonl
    refuses "not a regular file" passgrid status pipe
}
