#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# slurm/passgrid.sbatch under a real Slurm: slurmctld, slurmd and munged of one node, started here from a temporary configuration.
# A grid is submitted, told to save, requeued, taken away without a warning, finished; its bytes are those of a plain mpirun. Jobs
# that must not be requeued are not. The tests are skipped if Slurm cannot be started: not root, or not installed.
load ../common
load slurm

WORKERS=$(nproc)
longer=(--set train.epochs=12 --set checkpoint=0)
request=(--ntasks="$WORKERS") # what a job asks for

# ---- Slurm --------------------------------------------------------------------------------------------------------------------
start_slurm() { # leaves the processes in the file `daemons`
    local node
    node=$(hostname -s)
    mkdir state spool
    write_key
    cat >slurm.conf <<END
ClusterName=passgrid
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$SHARED/munge.socket
StateSaveLocation=$SHARED/state
SlurmdSpoolDir=$SHARED/spool
SlurmctldPidFile=$SHARED/slurmctld.pid
SlurmdPidFile=$SHARED/slurmd.pid
SlurmctldLogFile=$SHARED/slurmctld.log
SlurmdLogFile=$SHARED/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0
ReturnToService=2
KillWait=2
MailProg=/bin/true
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
END
    start_controller || return
    slurmd -D -N "$node" >/dev/null 2>&1 3>&- &
    echo $! >>daemons
    within 20 idle 1
}

setup_file() {
    MISSING=$(missing | head -n 1)
    export MISSING PASSGRID SLURM_CONF=$SHARED/slurm.conf
    cd "$SHARED"
    [ -n "$MISSING" ] || start_slurm || {
        tail -n 20 munge.log slurmctld.log slurmd.log
        return 1
    }
}
setup() {
    [ -z "$MISSING" ] || skip "$MISSING"
    cd "$BATS_TEST_TMPDIR"
}
teardown_file() { stop_slurm; }

# ---- jobs ---------------------------------------------------------------------------------------------------------------------
@test "a job that is told to save, requeued, and then killed without a warning completes with the bytes of a plain mpirun" {
    ranks $((WORKERS + 1)) "$PASSGRID" run "$GRID" --out plain --threads 1 "${longer[@]}" >plain.log 2>&1
    slowly run submit "$GRID" "${longer[@]}"
    within 60 has_records 1
    scancel --batch --signal=USR1 "$job" # as before its time is over
    within 30 is Restarts 1
    says "exit code 75" log
    saved=$(records run)
    assert [ "$saved" -lt "$(records plain)" ]
    starts_again 2
    within 30 has_records $((saved + 1))
    scontrol requeue "$job"
    starts_again 3
    job_ends COMPLETED
    assert_fact Restarts 2
    started 3
    same plain run
}

@test "a job with a bad configuration fails with exit code 2 and is not requeued" {
    submit "$GRID" --set train.epochs=none
    job_ends FAILED
    assert_fact ExitCode 2:0
    assert_fact Restarts 0
}

@test "a job without --ntasks, one task of every core, has a worker with a thread for each core" {
    request=(--cpus-per-task="$WORKERS")
    submit "$GRID" --set 'seeds=[1]'
    job_ends COMPLETED
    assert_equal "$(grep -o '"threads": [0-9]*' run/provenance.json | tail -n 1)" "\"threads\": $WORKERS"
}

# Slurm looks for such jobs every half minute; the program by itself would stop twelve seconds before the end.
@test "a job near its time limit is signalled by Slurm, saves, and is requeued" {
    request=(--ntasks="$WORKERS" --time=2 --signal=B:USR1@75)
    slowly run submit "$GRID" --set train.epochs=5000 --set checkpoint=0
    within 110 is Restarts 1
    says "exit code 75" log
    says_not "the deadline has come" log
    scancel "$job"
}

@test "a job that is signalled before it starts anything ends with exit code 75 and begins nothing" {
    mkdir tools # its `date` tells the job
    printf '#!/bin/bash\nkill -USR1 $PPID\nexec %s "$@"\n' "$(command -v date)" >tools/date
    chmod +x tools/date
    PATH=$PWD/tools:$PATH submit "$GRID"
    job_ends FAILED
    assert_fact ExitCode 75:0
    assert_not_exists run
}

# ---- single tasks -------------------------------------------------------------------------------------------------------------
@test "job arrays run a grid task by task, with the bytes of a plain run" {
    passgrid run "$GRID" --out plain --threads 1 --set 'seeds=[1]'
    passgrid plan "$GRID" --out run --set 'seeds=[1]' --export slurm-array >arrays
    bash arrays --cpus-per-task=1 --output=/dev/null
    within 120 eval '[ -z "$(squeue --noheader)" ]'
    assert_equal "$(records run)" "$(records plain)"
    passgrid table run >/dev/null
    same plain run
}

# ---- a program that is always interrupted -------------------------------------------------------------------------------------
always_interrupted() { # as the program, with progress in $PROGRESS_IN, or without any
    cat >interrupted <<'SH'
#!/bin/bash
[ -z "${PROGRESS_IN:-}" ] || { mkdir -p "$PROGRESS_IN/records" && echo "}" >"$(mktemp "$PROGRESS_IN/records/XXXXXX.json")"; }
exit 75
SH
    chmod +x interrupted
    PASSGRID=$PWD/interrupted
}

@test "a job that makes no progress fails, is not requeued, and says why" {
    always_interrupted
    submit "$GRID"
    job_ends FAILED
    assert_fact ExitCode 75:0
    assert_fact Restarts 0
    says "not requeued" log
}

@test "a job that may not be requeued fails" {
    always_interrupted
    PROGRESS_IN=run SBATCH_NO_REQUEUE=yes submit "$GRID"
    job_ends FAILED
    assert_fact ExitCode 75:0
}

@test "a job that is always interrupted, its directory named by --out, fails after as many restarts as it may have" {
    always_interrupted
    PROGRESS_IN=named PASSGRID_RESTARTS=1 submit "$GRID" --out named
    starts_again 2
    job_ends FAILED
    assert_fact Restarts 1
}
