#!/bin/bash
# slurm/passgrid.sbatch under a real Slurm: slurmctld, slurmd and munged of one node, started here from a temporary
# configuration. A grid is submitted, told to save, requeued, taken away without a warning, finished; its bytes are those of a
# plain mpirun. Jobs that must not be requeued are not.
# usage: tests/slurm/run.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed.
# Where Slurm cannot be started (not root, or not installed) it says so and exits 0.
set -u
cd "$(dirname "$0")/../.." || exit
SCRIPT=$PWD/slurm/passgrid.sbatch

test "$(id -u)" = 0 || { echo "skip: only root can start slurmd"; exit 0; }
for program in munged slurmctld slurmd sbatch; do
    command -v $program >/dev/null || { echo "skip: $program is not installed (make test-slurm installs it on Debian)"; exit 0; }
done

. tests/e2e/checks.bash
daemons=()
cleanup() {
    scancel --user=root 2>/dev/null
    within 15 eval 'test -z "$(squeue --noheader 2>/dev/null)"' # a job that is left would outlive its slurmd
    for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do # in the order slurmd, slurmctld, munged
        kill "${daemons[i]}" 2>/dev/null
        wait "${daemons[i]}" 2>/dev/null
    done
    rm -rf "$WORK"
}
trap cleanup EXIT
export SLURM_CONF=$WORK/slurm.conf PASSGRID

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

start_slurm() {
    local node
    node=$(hostname -s)
    mkdir state spool
    dd if=/dev/urandom of=munge.key bs=1024 count=1 status=none
    chmod 600 munge.key
    cat >slurm.conf <<END
ClusterName=passgrid
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$WORK/munge.socket
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/spool
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
SlurmctldLogFile=$WORK/slurmctld.log
SlurmdLogFile=$WORK/slurmd.log
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
    munged --foreground --force --key-file="$WORK/munge.key" --socket="$WORK/munge.socket" --pid-file="$WORK/munge.pid" \
        --seed-file="$WORK/munge.seed" >munge.log 2>&1 &
    daemons+=($!)
    within 10 test -S munge.socket || return 1
    slurmctld -D -c >/dev/null 2>&1 &
    daemons+=($!)
    within 10 scontrol ping || return 1
    slurmd -D -N "$node" >/dev/null 2>&1 &
    daemons+=($!)
    within 20 idle
}

idle() { sinfo --noheader --format=%t | grep -qx idle; }

# ---- jobs ---------------------------------------------------------------------------------------------------------------------
submit() { # submit DIRECTORY ARGUMENTS...: a job that runs the grid in DIRECTORY, with what `request` asks for; sets job and log
    local directory=$1
    shift
    log=$WORK/$directory.log
    job=$(OUT=$directory sbatch --parsable "${request[@]}" --output="$log" "$SCRIPT" "$@")
}
fact() { scontrol --oneliner show job "$job" | grep -o "\b$1=[^ ]*" | cut -d = -f 2; } # fact NAME: what Slurm says about the job
is() { test "$(fact "$1")" = "$2"; }
started() { test "$(grep -c 'workers, 1 cores each' "$log")" = "$1"; } # started N: the job has started N times
waits() { is JobState PENDING && is Reason BeginTime; }
# starts_again N: a requeued job starts the Nth time. Slurm lets two minutes pass; the test lets three seconds, because the node
# takes a start in the second of the last kill for the start that was killed.
starts_again() {
    within 30 waits && scontrol update JobId="$job" StartTime=now+3 && within 60 started "$1"
}
job_ends() { # job_ends SECONDS STATE: the job ends, in that state
    within "$1" ended && is JobState "$2"
}
ended() { fact JobState | grep -qxE 'COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL'; }
records() { find "$1"/records -name '*.json' 2>/dev/null | wc -l; }
has_records() { test "$(records "$1")" -ge "$2"; }

WORKERS=$(nproc)
request=(--ntasks="$WORKERS") # what a job asks for
check "Slurm starts: munged, slurmctld, slurmd" start_slurm
if ((failures)); then
    tail -n 20 munge.log slurmctld.log slurmd.log
    exit 1
fi

long=(--set train.epochs=12)
log=$WORK/plain.log
plain() { mpirun --oversubscribe -n $((WORKERS + 1)) "$PASSGRID" run "$GRID" --out plain --threads 1 "${long[@]}" >plain.log 2>&1; }
check "the grid under mpirun alone" plain

submit grid "$GRID" "${long[@]}"
check "a job starts, and finishes tasks" within 60 has_records grid 1
check "... told by USR1, as before its time is over" scancel --batch --signal=USR1 "$job"
check "... it saves, and is requeued" within 30 is Restarts 1
check "... its log says so" says "exit code 75"
saved=$(records grid)
check "... not everything is done" test "$saved" -lt "$(records plain)"
check "the same job starts again" starts_again 2
check "... and goes on" within 30 has_records grid $((saved + 1))
check "... taken away without a warning" scontrol requeue "$job"
check "... starts a third time" starts_again 3
check "... and completes" job_ends 60 COMPLETED
check "... after 2 restarts" is Restarts 2
check "... its log holds every start" started 3
check "... tables and models are those of mpirun alone" same plain grid

submit bad "$GRID" --set train.epochs=none
check "a bad configuration fails" job_ends 60 FAILED
check "... with exit code 2" is ExitCode 2:0
check "... and is not requeued" is Restarts 0

request=(--cpus-per-task="$WORKERS")
submit wide "$GRID" --set seeds=[1]
check "a job without --ntasks, one task of every core, completes" job_ends 60 COMPLETED
check "... its worker has a thread for each core" test "$(grep -o "\"threads\": [0-9]*" wide/provenance.json | tail -n 1)" = "\"threads\": $WORKERS"

# Slurm looks for such jobs every half minute; the program by itself would stop twelve seconds before the end.
request=(--ntasks="$WORKERS" --time=2 --signal=B:USR1@75)
submit short "$GRID" --set train.epochs=5000 --set checkpoint=0
check "a job whose time is nearly over is told, saves, and is requeued" within 110 is Restarts 1
check "... it was interrupted" says "exit code 75"
check "... by the signal, not by its own clock" eval '! says "the deadline has come"'
scancel "$job"
request=(--ntasks="$WORKERS")

mkdir tools # its `date` tells the job
printf '#!/bin/bash\nkill -USR1 $PPID\nexec %s "$@"\n' "$(command -v date)" >tools/date
chmod +x tools/date
PATH=$WORK/tools:$PATH submit early "$GRID"
check "a job that is told before it starts anything fails" job_ends 60 FAILED
check "... with exit code 75" is ExitCode 75:0
check "... and nothing is begun" test ! -e early

# A program that is always interrupted, with or without progress.
cat >interrupted <<'END'
#!/bin/bash
[ -z "${PROGRESS_IN:-}" ] || { mkdir -p "$PROGRESS_IN/records" && mktemp "$PROGRESS_IN/records/XXXXXX.json" >/dev/null; }
exit 75
END
chmod +x interrupted
PASSGRID=$WORK/interrupted submit stuck "$GRID"
check "a job that makes no progress fails" job_ends 60 FAILED
check "... with exit code 75" is ExitCode 75:0
check "... and is not requeued" is Restarts 0
check "... its log says why" says "not requeued"
PROGRESS_IN=once SBATCH_NO_REQUEUE=yes PASSGRID=$WORK/interrupted submit once "$GRID"
check "a job that may not be requeued fails" job_ends 60 FAILED
check "... with exit code 75" is ExitCode 75:0
PROGRESS_IN=named PASSGRID_RESTARTS=1 PASSGRID=$WORK/interrupted submit endless "$GRID" --out named
check "a job that is always interrupted, its directory named by --out, starts again" starts_again 2
check "... fails in the end" job_ends 60 FAILED
check "... after as many restarts as it may have" is Restarts 1

finish
