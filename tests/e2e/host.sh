#!/bin/bash
# What surrounds a run: signals that the parent ignores, limits, closed descriptors, file systems that lack something, umask,
# symbolic links, an environment that is out of date.
# usage: tests/e2e/host.sh [PROGRAM], default $PASSGRID or build/passgrid; one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
LAUNCH=$PWD/slurm/launch.sh
. tests/e2e/checks.bash
SHIM=$(dirname "$PASSGRID")/tests/faults.so

small=(--set 'seeds=[1]' --set 'schemes=[{scheme: v1, signature: "ab"}]' --set 'attacks=[{attack: prune, levels: [50]}]')
run() { "$PASSGRID" run "$GRID" --out "$1" "${small[@]}" "${@:2}"; }
endless=(--set train.epochs=100000 --set checkpoint=0 "${small[@]}")
start() { # start DIR [COMMAND...]: in the background as $launcher, at work; no signal is ignored
    env --default-signal=INT,HUP "${@:2}" "$PASSGRID" run "$GRID" --out "$1" "${endless[@]}" >out 2>err &
    launcher=$!
    await checkpoints "$1" 1
}

check "undisturbed" code 0 run reference

# ---- signals --------------------------------------------------------------------------------------------------------------
for signal in INT TERM HUP USR1 USR2 XCPU; do
    start "on-$signal"
    kill "-$signal" "$launcher"
    check "SIG$signal saves" ends 75
    check "... says so" says "interrupted; repeat the command to resume"
done
for signal in INT HUP; do
    start "ignores-$signal" env --ignore-signal=$signal
    kill "-$signal" "$launcher"
    sleep 1
    check "SIG$signal that the parent ignores ends nothing" kill -TERM "$launcher"
    check "... SIGTERM does" ends 75
done
check "a limit of processor time" code 75 bash -c 'ulimit -S -t 2; exec "$@"' limited \
    "$PASSGRID" run "$GRID" --out processor "${endless[@]}"
check "a limit of the size of files" code 3 bash -c 'ulimit -f 20; exec "$@"' limited "$PASSGRID" run "$GRID" --out size "${small[@]}"
check "... names the file" says ".safetensors: File too large"
check "... under mpirun, which cannot start so" code 3 timeout 100 bash -c 'ulimit -f 20; exec "$@"' limited \
    bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out size "${small[@]}"
check "... without it the run goes on" code 0 run size
check "... same bytes" same reference size

# ---- descriptors ----------------------------------------------------------------------------------------------------------
closed() { "$PASSGRID" run "$GRID" --out "$1" "${small[@]}"; }
check "stderr is closed" eval 'closed stderr 2>&- >out'
check "... nothing is logged twice" test "$(grep -c ' done ' stderr/logs/run.log)" -eq 3
check "stdout, stdin and stderr are closed" eval 'closed all >&- 2>&- <&-'
check "... nothing else is in the log" test "$(grep -cv '^[-0-9]* [:0-9]* [a-z]* ' all/logs/run.log)" -eq 0
check "... same bytes" same reference all
check "under mpirun too" eval 'bash "$LAUNCH" -n 2 -- bash -c "exec \"\$@\" >&- 2>&- <&-" rank "$PASSGRID" run "$GRID" --out ranks "${small[@]}" >out 2>err'
check "launch.sh itself with nothing open" eval 'bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out launched "${small[@]}" >&- 2>&- <&-'
check "... nothing is logged twice" test "$(grep -c ' done ' launched/logs/run.log)" -eq 3
check "... nor there" test "$(grep -c ' done ' ranks/logs/run.log)" -eq 3

# ---- progress -------------------------------------------------------------------------------------------------------------
# Looked at when the checks below have taken longer than half a minute.
"$PASSGRID" run "$GRID" --out talks "${endless[@]}" 2>talks.err >/dev/null &
talker=$!

# ---- file systems ---------------------------------------------------------------------------------------------------------
lacking() { # lacking WHAT DIR: the file system has none
    LD_PRELOAD=$SHIM FAULT=$1 FAULT_UNDER=$WORK/$2 run "$2"
}
check "no hard links" code 0 lacking links links
check "... same bytes" same reference links
check "... no lock is left" test ! -e links/run.lock
mkdir locked
LD_PRELOAD=$SHIM FAULT=links FAULT_UNDER=$WORK/locked start locked
check "... a second run is refused" code 2 lacking links locked
check "... by name" says "another run is at work there, process "
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
check "no modes" code 0 lacking modes modes
check "... the run says whose secrets may be read" says "warning: modes/evidence: this file system keeps no permissions"
check "... same bytes" same reference modes
doctor() { LD_PRELOAD=$SHIM FAULT=$1 FAULT_UNDER=$WORK/disk "$PASSGRID" doctor --out disk --data none >out 2>err; }
mkdir disk
log=out
check "doctor on a file system without hard links" eval 'doctor links; says "ok     lock" && says "no hard links"'
check "... without modes" eval 'doctor modes; says "WRONG  secrets   disk: this file system keeps no permissions"'
check "... with both" eval 'doctor none; says "a hard link keeps a second run out" && says "ok     secrets"'
check "... leaves nothing there" test -z "$(ls -A disk)"
log=err

# ---- umask and links ------------------------------------------------------------------------------------------------------
check "umask 077" code 0 eval '(umask 077; run private)'
check "... is respected" test -z "$(find private ! -type l -perm /077)"
check "umask 002" code 0 eval '(umask 002; run group)'
check "... is respected" test -n "$(find group/records -name '*.json' -perm 664)"
check "... but evidence is for the owner alone" test -z "$(find group/evidence ! -type l -perm /077)"
mkdir -p target elsewhere linked/logs
echo mine >target/file
ln -s "$WORK/target/file" linked/logs/run.log
check "run.log is a symbolic link" code 2 run linked
check "... which is refused" says "linked/logs/run.log is a symbolic link"
check "... and not followed" test "$(cat target/file)" = mine
for folder in evidence logs records; do
    rm -rf linked
    mkdir linked
    ln -s "$WORK/elsewhere" linked/$folder
    check "$folder is a symbolic link" code 2 run linked
    check "... which is refused" says "linked/$folder is a symbolic link"
done
check "... and nothing was written there" test -z "$(ls -A elsewhere)"
rm -rf linked
mkdir linked
ln -s "$WORK/elsewhere" linked/models
check "models may be a link of one's own" code 0 run linked
rm -rf linked elsewhere
mkdir elsewhere
ln -s elsewhere linked
check "so may the whole directory" code 0 run linked
check "... same bytes" same reference linked

# ---- environment ----------------------------------------------------------------------------------------------------------
check "SLURM_JOB_END_TIME of a job that has ended" code 2 env SLURM_JOB_END_TIME=1700000000 "$PASSGRID" run "$GRID" --out ended "${small[@]}"
check "... is named" says "SLURM_JOB_END_TIME=1700000000 is past"
check "... and nothing was begun" test ! -e ended
check "... --deadline outweighs it" code 0 env SLURM_JOB_END_TIME=1700000000 "$PASSGRID" run "$GRID" --out ended "${small[@]}" --deadline 600
check "one that is no number" code 2 env SLURM_JOB_END_TIME=tomorrow "$PASSGRID" run "$GRID" --out ended "${small[@]}"
check "... is named" says "SLURM_JOB_END_TIME='tomorrow' is not a time in seconds"
check "a TMPDIR that does not exist" code 0 env TMPDIR="$WORK/nowhere" bash "$LAUNCH" -n 2 -- "$PASSGRID" run "$GRID" --out temporary "${small[@]}"
check "... is named, and /tmp is used" says "TMPDIR=$WORK/nowhere is not a directory that can be written: /tmp is used"
check "... same bytes" same reference temporary
check "as root and with more ranks than cores, without a word to mpirun" code 0 \
    env -u OMPI_ALLOW_RUN_AS_ROOT -u OMPI_ALLOW_RUN_AS_ROOT_CONFIRM bash "$LAUNCH" -n $(($(nproc) + 1)) -- \
    "$PASSGRID" run "$GRID" --out ranks-and-root "${small[@]}"
check "... same bytes" same reference ranks-and-root

log=talks.err
check "a run that is no terminal's tells how far it is, again and again" await eval 'test "$(grep -c " so far 0 of " talks.err)" -ge 2'
check "... how many tasks" says " 1 running, 0 failed, 0 skipped, 2 left"
check "... which, its epoch and its accuracy" grep -qE ' at work synthetic/.*, epoch [0-9]+ of 100000, accuracy [0-9.]+ %$' talks.err
kill -TERM $talker
wait $talker

finish
