# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2016,SC2154 # eval expands; the tests set the variables
# For the tests of slurm/passgrid.sbatch under a real Slurm: its start and end, and jobs.
SCRIPT=$ROOT/slurm/passgrid.sbatch

within() { # within SECONDS COMMAND...: it succeeds before that time is over
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

# ---- Slurm --------------------------------------------------------------------------------------------------------------------
free_port() { # one that nobody listens on
    local port
    while port=$((20000 + RANDOM % 10000)); do (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break; done
    echo $port
}

write_key() {
    dd if=/dev/urandom of=munge.key bs=1024 count=1 status=none
    chmod 600 munge.key
}
start_controller() { # munged and slurmctld; leaves the processes in the file `daemons`
    munged --foreground --force --key-file="$SHARED/munge.key" --socket="$SHARED/munge.socket" --pid-file="$SHARED/munge.pid" \
        --seed-file="$SHARED/munge.seed" >munge.log 2>&1 3>&- &
    echo $! >daemons
    within 10 test -S munge.socket || return
    slurmctld -D -c >/dev/null 2>&1 3>&- &
    echo $! >>daemons
    within 10 scontrol ping
}
idle() { [ "$(sinfo --noheader --Node --partition=all --format=%t | grep -cx idle)" = "$1" ]; } # idle N: so many nodes are

missing() { # why Slurm cannot be started here
    local program
    [ "$(id -u)" = 0 ] || echo "only root can start slurmd"
    for program in munged slurmctld slurmd sbatch; do
        command -v $program >/dev/null || echo "$program is not installed (make test-slurm installs it on Debian)"
    done
}
stop_slurm() {
    local daemon
    scancel --user=root 2>/dev/null || true
    within 15 eval 'test -z "$(squeue --noheader 2>/dev/null)"' || true # a job that is left would outlive its slurmd
    for daemon in $( # slurmd, slurmctld, munged
        tac "$SHARED/daemons" 2>/dev/null
    ); do
        kill "$daemon" 2>/dev/null || true
        within 10 gone "$daemon" || true
    done
}

# ---- jobs ---------------------------------------------------------------------------------------------------------------------
submit() { # submit ARGUMENTS...: a job with `request` that runs the grid in `run`; sets job
    job=$(OUT=run sbatch --parsable "${request[@]}" --output="$PWD/log" "$SCRIPT" "$@")
}
fact() { scontrol --oneliner show job "$job" | grep -o "\b$1=[^ ]*" | cut -d = -f 2; } # fact NAME: what Slurm says about the job
is() { [ "$(fact "$1")" = "$2" ]; }
assert_fact() { assert_equal "$(fact "$1")" "$2"; }
started() { [ "$(grep -c 'workers, 1 cores each' log)" = "$1" ]; } # started N: the job has started N times
waits() { is JobState PENDING && is Reason BeginTime; }
# starts_again N: a requeued job starts the Nth time. Slurm lets two minutes pass; the test lets three seconds, because the node
# takes a start in the second of the last kill for the start that was killed.
starts_again() {
    within 30 waits
    scontrol update JobId="$job" StartTime=now+3
    within 60 started "$1"
}
ended() { fact JobState | grep -qxE 'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL'; }
job_ends() { # job_ends STATE: the job ends, in that state
    within 60 ended
    assert_fact JobState "$1"
}
records() { find "$1"/records -name '*.json' 2>/dev/null | wc -l; }
has_records() { [ "$(records run)" -ge "$1" ]; }
