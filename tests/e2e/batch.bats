#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The scripts for Slurm, PBS and LSF with stand-ins for those systems and for launch.sh, which write down how they were called.
# tests/slurm runs the first under a real Slurm; the others were never run under a real PBS or LSF.
load ../common

# shellcheck disable=SC2016 # the stand-ins expand them
setup() {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p home/slurm stubs
    cp "$ROOT"/slurm/passgrid.* home/slurm
    stand_in home/slurm/launch.sh '
        echo "launch $*" >>calls
        env | grep -c "^SLURM_\(CPUS_PER_TASK\|TRES_PER_TASK\|HINT\|CPU_BIND\)" >confined || true
        mkdir -p results/grid/records && [ -z "${PROGRESS:-}" ] || echo "}" >"results/grid/records/$(wc -l <calls).json"
        exit "${CODE:-0}"'
    stand_in stubs/scontrol 'echo "scontrol $*" >>calls; echo "   OverSubscribe=${SHARES:-OK}"; echo "   Command=$PWD/home/slurm/passgrid.sbatch grid.yaml"'
    stand_in stubs/squeue 'date -d "+1 hour" +%FT%T'
    stand_in stubs/qstat 'printf "    Resource_List.select = 2:ncpus=4\n    Resource_List.walltime = 01:00:00\n"
        printf "    resources_used.walltime = 00:10:00\n"'
    stand_in stubs/qsub 'echo "qsub $*" >>calls'
    printf 'n1\nn1\nn2\n' >hosts
    cp home/slurm/passgrid.sbatch copied # as Slurm does
}
stand_in() { # stand_in FILE TEXT
    printf '#!/bin/bash\n%s\n' "$2" >"$1"
    chmod +x "$1"
}
job() { env PATH="$PWD/stubs:$PATH" "$@"; }
slurm() { # slurm VARIABLE=VALUE...: the batch script in an allocation
    job SLURM_JOB_ID=7 SLURM_JOB_NODELIST="n[1-2]" "$@" bash copied grid.yaml
}
called() { grep -qE -- "$1" calls || { cat calls && return 1; }; } # called PATTERN
pbs() { job PASSGRID_HOME="$PWD/home" PBS_JOBID=7 PBS_NODEFILE="$PWD/hosts" PBS_O_WORKDIR="$PWD" CONFIG=grid.yaml "$@" bash home/slurm/passgrid.pbs; }
lsf() { job PASSGRID_HOME="$PWD/home" LSB_JOBID=7 LSB_DJOB_HOSTFILE="$PWD/hosts" LS_SUBCWD="$PWD" CONFIG=grid.yaml "$@" bash home/slurm/passgrid.lsf; }

@test "the Slurm script starts a worker for each task and confines none" {
    run -0 slurm SLURM_NTASKS=5 SLURM_CPUS_PER_TASK=2 SLURM_TRES_PER_TASK=cpu:2 SLURM_HINT=nomultithread SLURM_CPU_BIND=quiet \
        SLURM_CPU_BIND_TYPE=none
    called "launch -n 6 --map-by slot:PE=2 .*--threads 2"
    assert_equal "$(cat confined)" 0
}

@test "the Slurm script takes all cores of an allocation without tasks" {
    run -0 slurm SLURM_JOB_CPUS_PER_NODE="8(x2),4"
    called "launch -n 21 "
    run -0 slurm SLURM_JOB_CPUS_PER_NODE="8(x2),4" SLURM_CPUS_PER_TASK=3
    called "launch -n 6 .*--threads 3"
    run -0 slurm SLURM_JOB_CPUS_PER_NODE="8(x2)" SLURM_NTASKS=2 SLURM_NNODES=2 SHARES=NO
    called "launch -n 17 "
    run -0 slurm SLURM_JOB_CPUS_PER_NODE="8(x2)" SLURM_NTASKS=2 SLURM_NNODES=2
    called "launch -n 3 "
}

@test "the Slurm script requeues one element of an array" {
    run -75 slurm SLURM_NTASKS=1 CODE=75 PROGRESS=yes
    called "scontrol requeue 7$"
    run -75 slurm SLURM_NTASKS=1 CODE=75 PROGRESS=yes SLURM_ARRAY_JOB_ID=40 SLURM_ARRAY_TASK_ID=3
    called "scontrol requeue 40_3$"
}

# shellcheck disable=SC2016
@test "the Slurm script, copied elsewhere, says what it needs" {
    stand_in stubs/scontrol 'echo "   Command=/elsewhere/copied.sh grid.yaml"'
    run -2 slurm SLURM_NTASKS=1
    assert_output --partial "set PASSGRID_HOME"
    run -0 slurm SLURM_NTASKS=1 PASSGRID_HOME="$PWD/home"
    mv home/slurm/passgrid.sbatch home/slurm/renamed
    stand_in stubs/scontrol 'echo "   Command=$PWD/home/slurm/renamed grid.yaml"'
    run -0 slurm SLURM_NTASKS=1
}

@test "the PBS script starts a worker for each line of the node file, and stops before the job's time is over" {
    run -0 pbs THREADS=4
    called "launch -n 4 --hostfile $PWD/hosts -- .* run grid.yaml --out results/grid --threads 4 --deadline 2970"
    run -2 pbs PASSGRID_HOME=/nowhere
    assert_output --partial "PASSGRID_HOME"
}

@test "the PBS script submits a job like itself if the grid is not done, unless it makes no progress" {
    run -75 pbs CODE=75
    assert [ "$(grep -c qsub calls)" = 0 ]
    run -75 pbs CODE=75 PROGRESS=yes
    called "qsub -l select=2:ncpus=4 -l walltime=01:00:00 -W depend=afterany:7 -v CONFIG=grid.yaml,THREADS=1"
}

@test "the LSF script ends with 75, on which LSF queues it again, unless it makes no progress" {
    run -0 lsf THREADS=2
    called "launch -n 4 --hostfile $PWD/hosts -- .* --threads 2"
    run -75 lsf CODE=75 PROGRESS=yes
    run -1 lsf CODE=75
    grep -qx '#BSUB -Q "75"' home/slurm/passgrid.lsf
}

# ---- launches that are none ---------------------------------------------------------------------------------------------------
@test "bare srun is refused, and the only process of a step is alone" {
    run -2 env SLURM_STEP_NUM_TASKS=4 "$PASSGRID" run "$GRID" --out run
    assert_output --partial "srun started 4 processes that do not know of each other"
    run -2 env SLURM_STEP_NUM_TASKS=4 "$PASSGRID" doctor
    run -2 env SLURM_STEP_NUM_TASKS=1 PMIX_RANK=0 "$PASSGRID" run "$GRID" --set seed=1 # and not MPI's failure
    assert_output --partial "seed"
}

@test "a rank that is bound to fewer cores than its threads ends the run" {
    [ "$(nproc)" -gt 1 ] || skip "needs two cores"
    run -2 mpirun --oversubscribe --bind-to core -n 2 "$PASSGRID" run "$GRID" --out run --threads 2
    assert_output --partial "may use 1 of $(nproc) cores for its 2 threads"
    assert_not_exists run
}

@test "a rank of another version ends the run, by name" {
    local number
    number=$("$PASSGRID" --version | cut -d ' ' -f 2)
    sed "s/passgrid ${number//./\\.}/passgrid 9.9.9/g" "$PASSGRID" >other # a text of the same length
    chmod +x other
    run -2 mpirun --oversubscribe --bind-to none -n 1 "$PASSGRID" run "$GRID" --out run : -n 1 ./other run "$GRID" --out run
    assert_output --partial "rank 1 on $(hostname) is passgrid 9.9.9"
    assert_not_exists run
}

idx() { # idx FILE COUNT [SIDE]: labels, or images of SIDE rows and columns, all zeros
    local dims=1 side=${3:-} header
    [ -z "$side" ] || dims=3
    header=$(
        printf '000008%02x%08x' $dims "$2"
        [ -z "$side" ] || printf '%08x%08x' "$side" "$side"
    )
    {
        # shellcheck disable=SC2001 # a back-reference
        printf "%b" "$(sed 's/../\\x&/g' <<<"$header")"
        head -c $(($2 * ${side:-1} * ${side:-1})) /dev/zero
    } >"$1"
}
@test "every rank reads the data that rank 0 names" {
    mkdir -p data/MNIST/raw
    for part in train:32 t10k:8; do
        idx data/MNIST/raw/${part%:*}-images-idx3-ubyte "${part#*:}" 28
        idx data/MNIST/raw/${part%:*}-labels-idx1-ubyte "${part#*:}"
    done
    run -0 mpirun --oversubscribe --bind-to none -n 1 env PASSGRID_DATA="$PWD/data" "$PASSGRID" run "$GRID" --set data.name=mnist \
        --set data.train=32 --set data.test=8 --set 'schemes=[{scheme: plain}]' --set 'attacks=[]' --set 'seeds=[1]' --out run \
        : -n 1 env PASSGRID_DATA=/nowhere "$PASSGRID" run "$GRID"
}
