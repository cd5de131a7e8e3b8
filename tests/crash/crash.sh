#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Crash safety: kill a small grid, or let its disk fail, at every call that changes a file. After the same command is repeated once,
# every file must have the same bytes as after an undisturbed run.
# usage: tests/crash/crash.sh [short|long] [PART...], default: short, all of sweep, faults, packs, flips, kills; $PASSGRID or
# build/passgrid is tested; CRASH_SEED fixes the random kills; exit code 1 if anything was lost
set -u
cd "$(dirname "$0")/../.."
PASSGRID=$(realpath "${PASSGRID:-build/passgrid}")
SHIM=$(dirname "$PASSGRID")/tests/faults.so
FLIP=$(dirname "$PASSGRID")/tests/flip
PACKS=$(dirname "$PASSGRID")/tests/packs
GRID=$PWD/tests/crash/grid.yaml
size=${1:-short}
shift
parts=${*:-sweep faults packs flips kills}
WORK=$(mktemp -d)
cd "$WORK"
trap 'rm -rf "$WORK"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive
trials=0
bad=0

stride=29 fault_stride=97 pack_stride=23 byte_stride=997 kills=4
test "$size" = long && stride=1 fault_stride=1 pack_stride=1 byte_stride=1 kills=200

run() { "$PASSGRID" run "$GRID" --out "$1"; }
faulty() { # faulty FAULT N DIR: run with the N-th call going wrong
    LD_PRELOAD=$SHIM FAULT=$1 FAULT_AT=$2 FAULT_UNDER=$WORK/$3 run "$3"
}
same() { diff -r -x logs -x events.jsonl -x timings.csv -x provenance.json reference "$1"; }
wrong() {
    bad=$((bad + 1))
    echo "FAIL $*"
    tail -n 3 err | sed 's/^/     /'
}

run reference >/dev/null 2>err || {
    cat err
    exit 1
}
LD_PRELOAD=$SHIM FAULT_LOG=$WORK/calls FAULT_UNDER=$WORK/counted run counted >/dev/null 2>err
calls=$(wc -l <calls)
is_write() { test "$(sed -n "${1}s/.* //p" calls)" = write; }

# ---- killed at every call that changes a file -----------------------------------------------------------------------------
sweep() {
    local n fault
    for fault in kill torn; do
        for ((n = 1; n <= calls; n += stride)); do
            test $fault = kill || is_write "$n" || continue
            rm -rf out
            trials=$((trials + 1))
            { faulty $fault "$n" out; } >/dev/null 2>&1
            test $? -eq 137 || {
                wrong "call $n of $calls ($fault): the process was not killed"
                continue
            }
            run out >/dev/null 2>err || {
                wrong "call $n ($fault): the repeat ended with $?"
                continue
            }
            same out >diff || {
                wrong "call $n ($fault): $(head -n 1 diff)"
                continue
            }
        done
    done
}

# ---- a call that fails ----------------------------------------------------------------------------------------------------
faults() {
    local n fault code first=1
    for fault in ENOSPC EDQUOT EIO once short; do
        test "$size" = long || first=$((first + 19)) # the short form visits other places with every fault
        for ((n = first; n <= calls; n += fault_stride)); do
            test $fault != short || is_write "$n" || continue
            rm -rf out
            trials=$((trials + 1))
            faulty $fault "$n" out >/dev/null 2>err
            code=$?
            case $code in
                0) same out >diff || {
                    wrong "call $n ($fault): exit code 0, but $(head -n 1 diff)"
                    continue
                } ;;
                1 | 3) test -s err || {
                    wrong "call $n ($fault): no message"
                    continue
                } ;;
                *) wrong "call $n ($fault): exit code $code" ;;
            esac
            run out >/dev/null 2>err || {
                wrong "call $n ($fault): the repeat ended with $?"
                continue
            }
            same out >diff || {
                wrong "call $n ($fault), repeated: $(head -n 1 diff)"
                continue
            }
        done
    done
}

# ---- many records are packed: killed at every call, or with a call that fails ---------------------------------------------
packs() {
    local n fault code total
    "$PACKS" make unpacked
    cp -a unpacked out
    LD_PRELOAD=$SHIM FAULT_LOG=$WORK/pack_calls FAULT_UNDER=$WORK/out "$PACKS" pack out
    total=$(wc -l <pack_calls)
    test "$total" -gt 200 || wrong "packing changes files in $total calls only"
    for fault in kill torn once ENOSPC short; do
        for ((n = 1; n <= total; n += pack_stride)); do
            case $fault in torn | short) test "$(sed -n "${n}s/.* //p" pack_calls)" = write || continue ;; esac
            rm -rf out
            cp -a unpacked out
            trials=$((trials + 1))
            { LD_PRELOAD=$SHIM FAULT=$fault FAULT_AT=$n FAULT_UNDER=$WORK/out "$PACKS" pack out; } >/dev/null 2>err
            code=$?
            case $fault in
                kill | torn) test $code -eq 137 || wrong "packing, call $n ($fault): the process was not killed" ;;
                *) test $code -eq 0 || test -s err || wrong "packing, call $n ($fault): no message" ;;
            esac
            "$PACKS" check out 2>err || wrong "packing, call $n ($fault): a record is lost"
            "$PACKS" pack out 2>err && "$PACKS" check out 2>err || wrong "packing, call $n ($fault), repeated"
        done
    done
}

# ---- every byte changed ---------------------------------------------------------------------------------------------------
flip_byte() { # flip_byte FILE OFFSET: its lowest bit
    local value
    value=$(od -An -tu1 -j "$2" -N 1 "$1")
    printf "\\x$(printf %x $((value ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

flips() {
    local file offset bytes
    "$PASSGRID" table reference >table
    # files that `table` reads: it notices the change, or the table is the same
    for file in grid.json "records/$(ls reference/records | head -n 1)"; do
        bytes=$(stat -c %s "reference/$file")
        for ((offset = 0; offset < bytes; offset += byte_stride)); do
            rm -rf out
            cp -a reference out
            trials=$((trials + 1))
            flip_byte "out/$file" $offset
            "$PASSGRID" table out >flipped 2>err
            case $? in
                0) cmp -s table flipped || wrong "byte $offset of $file: another table" ;;
                2) test -s err || wrong "byte $offset of $file: no message" ;;
                *) wrong "byte $offset of $file: table ended badly" ;;
            esac
        done
    done
    # files that `run` reads: it notices the change and makes the file again, or the change is harmless
    for file in grid.json config.yaml "records/$(ls reference/records | tail -n 1)"; do
        bytes=$(stat -c %s "reference/$file")
        for ((offset = 0; offset < bytes; offset += byte_stride)); do
            rm -rf out
            cp -a reference out
            trials=$((trials + 1))
            flip_byte "out/$file" $offset
            run out >/dev/null 2>err || {
                wrong "byte $offset of $file: the repeat ended with $?"
                continue
            }
            same out >diff || wrong "byte $offset of $file: $(head -n 1 diff)"
        done
    done
    "$FLIP" $byte_stride || bad=$((bad + 1))
}

# ---- a process killed at a random time ------------------------------------------------------------------------------------
RANDOM=${CRASH_SEED:-1}

children() { # processes of the run below mpirun, in the order of their ranks
    local p
    for p in $(pgrep -P "$1"); do
        tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | sed -n "s/^OMPI_COMM_WORLD_RANK=\(.*\)/\1 $p/p"
    done | sort -n | cut -d' ' -f2
}

# Kill mpirun (0), the master (1) or one of two workers at a random time of a run. Returns 1 if the run was over before.
strike() {
    local victim=$1 limit pid ranks struck=1
    rm -rf out
    # shellcheck disable=SC2046 # an option, or none
    timeout 150 mpirun $(test $((RANDOM % 4)) -ne 0 && echo --enable-recovery) --oversubscribe --bind-to none -n 3 \
        "$PASSGRID" run "$GRID" --out out >/dev/null 2>err &
    limit=$!
    until test -e out/run.lock || ! kill -0 $limit 2>/dev/null; do sleep 0.01; done
    pid=$(pgrep -P $limit)
    ranks=$(test -z "$pid" || children "$pid")
    sleep "0.$(printf %03d $((RANDOM % 600)))"
    victim=$(echo $pid $ranks | cut -d' ' -f $((victim + 1)))
    test -e out/run.lock && test -n "$victim" && kill -KILL "$victim" 2>/dev/null && struck=0
    wait $limit 2>/dev/null
    test $? -ne 124 || wrong "trial $trials: mpirun did not end"
    # The ranks of a run whose mpirun was killed end by themselves.
    for _ in $(seq 600); do
        kill -0 $ranks 2>/dev/null || break
        sleep 0.1
    done
    kill -0 $ranks 2>/dev/null && wrong "trial $trials: a rank lives on: $ranks"
    return $struck
}

struck=(0 0 0 0)
kills() {
    local victim attempts=0
    while test $trials -lt $kills; do
        test $((attempts++)) -lt $((10 * kills)) || {
            wrong "$((10 * kills)) attempts, $trials killed anything"
            return
        }
        victim=$((trials % 4))
        strike $victim || continue
        trials=$((trials + 1))
        struck[victim]=$((struck[victim] + 1))
        mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "$GRID" --out out >/dev/null 2>err ||
            {
                wrong "trial $trials: the repeat ended with $?"
                continue
            }
        same out >diff || wrong "trial $trials: $(head -n 1 diff)"
    done
}

for part in $parts; do
    trials=0
    before=$bad
    SECONDS=0
    $part
    case $part in
        sweep) echo "killed at one of $calls calls that change a file: $trials trials, $((bad - before)) not recovered, ${SECONDS} s" ;;
        faults) echo "a call fails: $trials trials, $((bad - before)) with a bad file or not recovered, ${SECONDS} s" ;;
        packs) echo "records are packed, a call fails or the process is killed in it: $trials trials, $((bad - before)) not recovered, ${SECONDS} s" ;;
        flips) echo "a byte is changed: $trials trials, $((bad - before)) unnoticed, ${SECONDS} s" ;;
        kills)
            echo "killed: a worker in $((struck[2] + struck[3])) trials, the master in ${struck[1]}, mpirun in ${struck[0]}:" \
                "$((bad - before)) lost something, ${SECONDS} s"
            ;;
    esac
done
test $bad -eq 0
