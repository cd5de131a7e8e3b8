# SPDX-License-Identifier: GPL-3.0-or-later
# Shared by the tests in bats. Every test runs in an empty folder of its own; files that the tests of one file share are in
# $SHARED, where its `setup_file` makes them. PASSGRID is the program under test, by default build/passgrid.
bats_require_minimum_version 1.8.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PASSGRID=$(realpath "${PASSGRID:-$ROOT/build/passgrid}")
SHIM=$(dirname "$PASSGRID")/tests/faults.so
LAUNCH=$ROOT/slurm/launch.sh
GRID=$ROOT/tests/e2e/grid.yaml
SHARED=$BATS_FILE_TMPDIR
# In a container the tests run as root and on fewer cores than ranks; users need neither setting.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_WAIT_POLICY=passive

setup() { cd "$BATS_TEST_TMPDIR"; }
teardown() { end_launcher; }
end_launcher() { # ends the process $launcher that a failed test has left
    [ -z "${launcher:-}" ] || { kill -KILL "$launcher" && wait "$launcher"; } 2>/dev/null || true
}

passgrid() { "$PASSGRID" "$@"; }
ranks() { mpirun --oversubscribe -n "$@"; } # ranks N COMMAND...

assert_stderr() {
    local output=$stderr
    assert_output "$@"
} # like assert_output, for stderr after `run --separate-stderr`
refuse_stderr() {
    local output=$stderr
    refute_output "$@"
}
assert_lines() { assert_equal "${#lines[@]}" "$1"; } # assert_lines N: `run` has kept N lines of output
refuses() {                                          # refuses TEXT COMMAND...: the command ends with exit code 2 and prints one line with TEXT in it
    run -2 "${@:2}"
    assert_output --partial "$1"
    assert_lines 1
}
says() { grep -qF -- "$1" "$2" || {
    echo "$2 does not hold '$1':"
    tail -n 5 "$2"
    return 1
}; } # says TEXT FILE
says_not() { ! grep -F -- "$1" "$2"; }
same() { diff -r -x run.log -x events.jsonl -x timings.csv -x provenance.json "$1" "$2"; } # same A B: two runs have the same results
borrow() { cp -a "$SHARED/$1" "${2:-$1}"; }                                                # borrow NAME [AS]: copies a shared file, so that this test may change it

await() { # await COMMAND...: waits until the command succeeds, at most three minutes
    local i
    for ((i = 0; i < 1800; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "not within three minutes: $*"
    return 1
}
gone() { ! kill -0 "$1" 2>/dev/null; }
ends() { # ends CODE: the process $launcher ends by itself, with that exit code
    local got=0
    await gone "$launcher"
    wait "$launcher" || got=$?
    launcher=
    assert_equal $got "$1"
}
# slowly DIR COMMAND...: a checkpoint of the run in DIR takes a fifth of a second. So a training that saves every epoch is still at
# work when the test interrupts it, however fast the machine is. Results are the same bytes.
slowly() { [ -e "$SHIM" ] && LD_PRELOAD=$SHIM FAULT=slow FAULT_UNDER=$PWD/$1/checkpoints "${@:2}"; }
checkpoints() { [ "$(find "$1/checkpoints" -name '*.seal' 2>/dev/null | wc -l)" -ge "$2" ]; } # checkpoints DIR N: the run has N checkpoints or more
