#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The short form of the crash tests; `make test-crash` is the long one.
load ../common

crash() { bash "$ROOT/tests/crash/crash.sh" short "$1"; }

@test "a run that is killed at a call that changes a file completes after one repeat" {
    run -0 crash sweep
}

@test "a call that fails leaves no bad file, and the run completes after one repeat" {
    run -0 crash faults
}

@test "no record is lost if packing is killed or fails at a call that changes a file" {
    run -0 crash packs
}

@test "a byte that changes in a file is noticed" {
    run -0 crash flips
}

@test "a run completes after one repeat when a worker, the master or mpirun is killed at random" {
    run -0 crash kills
}
