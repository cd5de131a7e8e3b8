#!/bin/bash
# Crash safety: a small grid is killed, and its disk made to fail, in every place; after one repeat of the same command every file
# must be the same, byte for byte, as that of an undisturbed run.
# usage: tests/crash/crash.sh [short|long] [PART...], default: short, all of sweep, faults, flips, kills; $PASSGRID or
# build/passgrid is tested; CRASH_SEED fixes the random kills; exit code 1 if anything was lost
set -u
cd "$(dirname "$0")/../.."
PASSGRID=$(realpath "${PASSGRID:-build/passgrid}")
SHIM=$(dirname "$PASSGRID")/tests/faults.so
FLIP=$(dirname "$PASSGRID")/tests/flip
GRID=$PWD/tests/crash/grid.yaml
size=${1:-short}
shift
parts=${*:-sweep faults flips kills}
WORK=$(mktemp -d)
cd "$WORK"
trap 'rm -rf "$WORK"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive
trials=0
bad=0

stride=29 fault_stride=97 byte_stride=997 kills=2
test "$size" = long && stride=1 fault_stride=1 byte_stride=1 kills=200

run() { "$PASSGRID" run "$GRID" --out "$1"; }
faulty() { # faulty FAULT N DIR: run with the N-th call going wrong
    LD_PRELOAD=$SHIM FAULT=$1 FAULT_AT=$2 FAULT_UNDER=$WORK/$3 run "$3"
}
same() { diff -r -x logs -x timings.csv -x provenance.json reference "$1"; }
wrong() {
    bad=$((bad + 1))
    echo "FAIL $*"
    tail -n 3 err | sed 's/^/     /'
}

run reference >/dev/null 2>err || { cat err; exit 1; }
LD_PRELOAD=$SHIM FAULT_LOG=$WORK/calls FAULT_UNDER=$WORK/counted run counted >/dev/null 2>err
calls=$(wc -l <calls)

# ---- killed at every call that changes a file -----------------------------------------------------------------------------
sweep() {
    local n fault
    for fault in kill torn; do
        for ((n = 1; n <= calls; n += stride)); do
            test $fault = kill || test "$(sed -n "${n}s/.* //p" calls)" = write || continue
            rm -rf out
            trials=$((trials + 1))
            { faulty $fault "$n" out; } >/dev/null 2>&1
            test $? -eq 137 || { wrong "call $n of $calls ($fault): the process was not killed"; continue; }
            run out >/dev/null 2>err || { wrong "call $n ($fault): the repeat ended with $?"; continue; }
            same out >diff || { wrong "call $n ($fault): $(head -n 1 diff)"; continue; }
        done
    done
}

# ---- a call that fails ----------------------------------------------------------------------------------------------------
faults() {
    local n fault code first=1
    for fault in ENOSPC EDQUOT EIO once short; do
        test "$size" = long || first=$((first + 19)) # the short form visits other places with every fault
        for ((n = first; n <= calls; n += fault_stride)); do
            rm -rf out
            trials=$((trials + 1))
            faulty $fault "$n" out >/dev/null 2>err
            code=$?
            case $code in
            0) same out >diff || { wrong "call $n ($fault): exit code 0, but $(head -n 1 diff)"; continue; } ;;
            1 | 3) test -s err || { wrong "call $n ($fault): no message"; continue; } ;;
            *) wrong "call $n ($fault): exit code $code" ;;
            esac
            run out >/dev/null 2>err || { wrong "call $n ($fault): the repeat ended with $?"; continue; }
            same out >diff || { wrong "call $n ($fault), repeated: $(head -n 1 diff)"; continue; }
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
    # what `table` reads: noticed, or the table is the same
    for file in grid.json "records/$(ls reference/records | head -n 1)"; do
        bytes=$(stat -c %s "reference/$file")
        for ((offset = 0; offset < bytes; offset += byte_stride)); do
            rm -rf out
            cp -a reference out
            trials=$((trials + 1))
            flip_byte "out/$file" $offset
            "$PASSGRID" table out >flipped 2>err && { cmp -s table flipped || wrong "byte $offset of $file: another table"; }
        done
    done
    # what `run` reads: noticed and made again, or harmless
    for file in grid.json config.yaml "records/$(ls reference/records | tail -n 1)"; do
        bytes=$(stat -c %s "reference/$file")
        for ((offset = 0; offset < bytes; offset += 3 * byte_stride)); do
            rm -rf out
            cp -a reference out
            trials=$((trials + 1))
            flip_byte "out/$file" $offset
            run out >/dev/null 2>err || { wrong "byte $offset of $file: the repeat ended with $?"; continue; }
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

kills() {
    local n victim recovery pid ranks
    for ((n = 0; n < kills; n++)); do
        rm -rf out
        trials=$((trials + 1))
        recovery=$((RANDOM % 4 ? 1 : 0))
        timeout 150 mpirun $(test $recovery -eq 1 && echo --enable-recovery) --oversubscribe --bind-to none -n 3 \
            "$PASSGRID" run "$GRID" --out out >/dev/null 2>err &
        local limit=$!
        sleep "0.$(printf %03d $((RANDOM % 1000)))"
        sleep "0.$(printf %03d $((RANDOM % 1000)))"
        pid=$(pgrep -P $limit)
        test -n "$pid" && ranks=$(children "$pid") || ranks=
        victim=$((RANDOM % 4))
        victim=$(echo "$ranks" "$pid" | tr ' ' '\n' | sed -n "$((victim + 1))p")
        test -z "$victim" || kill -KILL "$victim" 2>/dev/null
        wait $limit 2>/dev/null
        test $? -ne 124 || wrong "trial $n: mpirun did not end"
        for _ in $(seq 600); do # what is left of a run whose mpirun was killed ends by itself
            kill -0 $ranks 2>/dev/null || break
            sleep 0.1
        done
        kill -0 $ranks 2>/dev/null && wrong "trial $n: a rank lives on: $ranks"
        mpirun --oversubscribe --bind-to none -n 3 "$PASSGRID" run "$GRID" --out out >/dev/null 2>err ||
            { wrong "trial $n: the repeat ended with $?"; continue; }
        same out >diff || wrong "trial $n: $(head -n 1 diff)"
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
    flips) echo "a byte is changed: $trials trials, $((bad - before)) unnoticed, ${SECONDS} s" ;;
    kills) echo "a worker, the master or mpirun is killed: $trials trials, $((bad - before)) lost something, ${SECONDS} s" ;;
    esac
done
test $bad -eq 0
