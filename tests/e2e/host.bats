#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What surrounds a run: signals that the parent ignores, limits, closed descriptors, file systems that lack something, umask,
# symbolic links, an environment that is out of date.
load ../common

small=(--set 'seeds=[1]' --set 'schemes=[{scheme: v1, signature: "ab"}]' --set 'attacks=[{attack: prune, levels: [50]}]')
endless=(--set train.epochs=100000 --set checkpoint=0 "${small[@]}")

setup_file() {
    cd "$SHARED"
    # This one works while the tests below run; the last test reads what it says, which takes it more than half a minute.
    "$PASSGRID" run "$GRID" --out talks "${endless[@]}" 2>talks.err >/dev/null 3>&- &
    echo $! >talker
    passgrid run "$GRID" --out reference "${small[@]}"
}
teardown_file() { kill -KILL "$(cat "$SHARED/talker")" || true; }

small_run() { "$PASSGRID" run "$GRID" --out "$1" "${small[@]}" "${@:2}"; }
start() { # start DIR [COMMAND...]: in the background as $launcher, at work; no signal is ignored
    env --default-signal=INT,HUP "${@:2}" "$PASSGRID" run "$GRID" --out "$1" "${endless[@]}" >out 2>err 3>&- &
    launcher=$!
    await checkpoints "$1" 1
}
as_reference() { same "$SHARED/reference" "$1"; }

# ---- signals ------------------------------------------------------------------------------------------------------------------
@test "INT, TERM, HUP, USR1, USR2 and XCPU save every task" {
    for signal in INT TERM HUP USR1 USR2 XCPU; do
        start "on-$signal"
        kill "-$signal" "$launcher"
        ends 75
        says "interrupted; repeat the command to resume" err
    done
}

@test "INT and HUP are ignored if the parent ignores them, and TERM is not" {
    for signal in INT HUP; do
        start "ignores-$signal" env --ignore-signal=$signal
        kill "-$signal" "$launcher"
        sleep 1
        kill -TERM "$launcher"
        ends 75
    done
}

# ---- limits -------------------------------------------------------------------------------------------------------------------
@test "a limit of processor time interrupts a run" {
    run -75 bash -c 'ulimit -S -t 2; exec "$@"' limited "$PASSGRID" run "$GRID" --out run "${endless[@]}"
}

@test "a limit on file sizes gives an error that names the file, and without the limit a repeat continues" {
    run -3 bash -c 'ulimit -f 20; exec "$@"' limited "$PASSGRID" run "$GRID" --out run "${small[@]}"
    assert_output --partial ".safetensors: File too large"
    # Under mpirun, which cannot start so: it ends, or the MPI library ends rank 0 with a code of its own, 1.
    run timeout 100 bash -c 'ulimit -f 20; exec "$@"' limited bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out run "${small[@]}"
    assert [ "$status" = 3 -o "$status" = 1 ]
    run -0 small_run run
    as_reference run
}

# ---- descriptors --------------------------------------------------------------------------------------------------------------
@test "a run with stderr closed logs every line once" {
    small_run run 2>&- >out
    assert_equal "$(grep -c ' done ' run/logs/run.log)" 3
}

@test "a run with stdin, stdout and stderr closed logs the same lines and writes the same bytes" {
    small_run run >&- 2>&- <&-
    run -1 grep -v '^[-0-9]* [:0-9]* [a-z]* ' run/logs/run.log
    as_reference run
}

@test "ranks with closed descriptors log every line once" {
    bash "$LAUNCH" -n 2 -- bash -c 'exec "$@" >&- 2>&- <&-' rank "$PASSGRID" run "$GRID" --out run "${small[@]}" >out 2>err
    assert_equal "$(grep -c ' done ' run/logs/run.log)" 3
}

@test "launch.sh with all descriptors closed logs every line once" {
    bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out run "${small[@]}" >&- 2>&- <&-
    assert_equal "$(grep -c ' done ' run/logs/run.log)" 3
}

# ---- file systems -------------------------------------------------------------------------------------------------------------
lacking() { # lacking WHAT DIR COMMAND...: the file system of DIR has none
    LD_PRELOAD=$SHIM FAULT=$1 FAULT_UNDER=$PWD/$2 "${@:3}"
}

@test "without hard links a run writes the same bytes and leaves no lock" {
    run -0 lacking links run small_run run
    as_reference run
    assert_not_exists run/run.lock
}

@test "without hard links a second run is refused" {
    mkdir run
    lacking links run start run
    run -2 lacking links run small_run run
    assert_output --partial "another run is at work there, process "
}

@test "without file modes a run writes the same bytes and warns that others may read secrets" {
    run -0 lacking modes run small_run run
    assert_output --partial "warning: run/evidence: this file system keeps no permissions"
    as_reference run
}

@test "doctor reports what a file system lacks, and leaves nothing there" {
    mkdir disk
    doctor() { lacking "$1" disk "$PASSGRID" doctor --out disk --data none; }
    run doctor links
    assert_output --partial "ok     lock"
    assert_output --partial "no hard links"
    run doctor modes
    assert_output --partial "WRONG  secrets   disk: this file system keeps no permissions"
    run doctor none
    assert_output --partial "a hard link prevents a second run"
    assert_output --partial "ok     secrets"
    assert_equal "$(ls -A disk)" ""
}

# ---- umask and links ----------------------------------------------------------------------------------------------------------
@test "the umask is respected, and only the owner can read evidence" {
    (umask 077 && small_run private)
    assert_equal "$(find private ! -type l -perm /077)" ""
    (umask 002 && small_run group)
    assert [ -n "$(find group/records -name '*.json' -perm 664)" ]
    assert_equal "$(find group/evidence ! -type l -perm /077)" ""
}

@test "a symbolic link in place of run.log, evidence, logs or records is refused and not followed" {
    mkdir -p target elsewhere run/logs
    echo mine >target/file
    ln -s "$PWD/target/file" run/logs/run.log
    run -2 small_run run
    assert_output --partial "run/logs/run.log is a symbolic link"
    assert_equal "$(cat target/file)" mine
    for folder in evidence logs records; do
        rm -rf run
        mkdir run
        ln -s "$PWD/elsewhere" run/$folder
        run -2 small_run run
        assert_output --partial "run/$folder is a symbolic link"
    done
    assert_equal "$(ls -A elsewhere)" ""
}

@test "models, or the whole directory, may be a link that belongs to the user" {
    mkdir -p run elsewhere directory
    ln -s "$PWD/elsewhere" run/models
    run -0 small_run run
    ln -s directory linked
    run -0 small_run linked
    as_reference linked
}

# ---- environment --------------------------------------------------------------------------------------------------------------
@test "SLURM_JOB_END_TIME of a job that has ended is refused, unless --deadline says another time" {
    run -2 env SLURM_JOB_END_TIME=1700000000 "$PASSGRID" run "$GRID" --out run "${small[@]}"
    assert_output --partial "SLURM_JOB_END_TIME=1700000000 is in the past"
    assert_not_exists run
    run -2 env SLURM_JOB_END_TIME=tomorrow "$PASSGRID" run "$GRID" --out run "${small[@]}"
    assert_output --partial "SLURM_JOB_END_TIME='tomorrow' is not a time in seconds"
    run -0 env SLURM_JOB_END_TIME=1700000000 "$PASSGRID" run "$GRID" --out run "${small[@]}" --deadline 600
}

@test "a run warns about a TMPDIR that does not exist, and uses /tmp" {
    run -0 env TMPDIR="$PWD/nowhere" bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out run "${small[@]}"
    assert_output --partial "TMPDIR=$PWD/nowhere is not a writable directory; using /tmp"
    as_reference run
}

@test "launch.sh runs as root and with more ranks than cores, without options of mpirun" {
    run -0 env -u OMPI_ALLOW_RUN_AS_ROOT -u OMPI_ALLOW_RUN_AS_ROOT_CONFIRM bash "$LAUNCH" -n $(($(nproc) + 1)) -- \
        "$PASSGRID" run "$GRID" --out run "${small[@]}"
    as_reference run
}

# ---- progress -----------------------------------------------------------------------------------------------------------------
@test "a run without a terminal reports its progress regularly" {
    log=$SHARED/talks.err
    twice() { [ "$(grep -c " so far 0 of " "$log")" -ge 2 ]; }
    await twice
    says " 1 running, 0 failed, 0 skipped, 2 left" "$log"
    run -0 grep -E ' at work synthetic/.*, epoch [0-9]+ of 100000, accuracy [0-9.]+ %$' "$log"
}
