#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# slurm/passgrid.sbatch on two nodes of a real Slurm: two slurmd in network and UTS namespaces, joined by a bridge to one slurmctld
# on this host. Control groups confine nothing here. The tests are skipped if Slurm or namespaces are missing.
load ../common
load slurm

longer=(--set train.epochs=12 --set checkpoint=0)
request=(--nodes=2 --ntasks=4 --ntasks-per-node=2)

# Node N has the address 10.78.0.N; this host, with slurmctld, is 10.78.0.254 on the bridge.
start_nodes() {
    local node
    mkdir state spool-node1 spool-node2
    write_key
    cat >slurm.conf <<END
ClusterName=passgrid
SlurmctldHost=$(hostname -s)(10.78.0.254)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$SHARED/munge.socket
StateSaveLocation=$SHARED/state
SlurmdSpoolDir=$SHARED/spool-%n
SlurmctldPidFile=$SHARED/slurmctld.pid
SlurmdPidFile=$SHARED/slurmd-%n.pid
SlurmctldLogFile=$SHARED/slurmctld.log
SlurmdLogFile=$SHARED/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=2
MailProg=/bin/true
NodeName=node[1-2] NodeAddr=10.78.0.[1-2] NodeHostname=node[1-2] CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=node[1-2] Default=YES MaxTime=INFINITE PriorityTier=1 State=UP
PartitionName=first Nodes=node[1-2] MaxTime=INFINITE PriorityTier=2 State=UP
END
    start_controller || return
    for node in 1 2; do
        nsenter --net="/run/netns/$NET-$node" unshare --uts bash -c "hostname node$node; exec slurmd -D -N node$node" >/dev/null 2>&1 3>&- &
        echo $! >>daemons
    done
    within 30 idle 2
}

make_network() {
    local node
    ip link add "$NET" type bridge && ip address add 10.78.0.254/24 dev "$NET" && ip link set "$NET" up || return
    for node in 1 2; do
        ip netns add "$NET-$node" && ip link add "$NET-v$node" type veth peer name eth0 netns "$NET-$node" || return
        ip link set "$NET-v$node" master "$NET" up && ip -n "$NET-$node" address add "10.78.0.$node/24" dev eth0 || return
        ip -n "$NET-$node" link set eth0 up && ip -n "$NET-$node" link set lo up || return
    done
}
no_network() { # why there can be none; makes it otherwise
    if ! command -v ip >/dev/null; then
        echo "ip is not installed (Debian: iproute2)"
    elif ! make_network 2>"$SHARED/err"; then
        echo "nodes may not be made here: $(tail -n 1 "$SHARED/err")"
    fi
}

setup_file() {
    export MISSING NET=ps$$
    MISSING=$(missing | head -n 1)
    MISSING=${MISSING:-$(no_network)}
    export PASSGRID SLURM_CONF=$SHARED/slurm.conf
    cd "$SHARED"
    [ -n "$MISSING" ] || start_nodes || {
        tail -n 20 munge.log slurmctld.log slurmd-*.log
        return 1
    }
    [ -n "$MISSING" ] || passgrid run "$GRID" --out plain --threads 1 "${longer[@]}"
}
setup() {
    [ -z "$MISSING" ] || skip "$MISSING"
    cd "$BATS_TEST_TMPDIR"
}
teardown_file() {
    local node
    stop_slurm
    for node in 1 2; do
        # shellcheck disable=SC2046 # a list
        kill -KILL $(ip netns pids "$NET-$node" 2>/dev/null) 2>/dev/null || true
        ip netns del "$NET-$node" 2>/dev/null || true
    done
    ip link del "$NET" 2>/dev/null || true
}

as_plain() { # as_plain RANKS...: a complete run with so many ranks on each node, the bytes of a plain run
    same "$SHARED/plain" run
    assert_equal "$(grep -o '"host": "[^"]*"' run/provenance.json | sort | uniq -c | awk '{ print $1 }' | xargs)" "$*"
}

@test "a job on two nodes has the bytes of a plain run" {
    submit "$GRID" "${longer[@]}"
    job_ends COMPLETED
    as_plain 3 2
}

@test "a job on two nodes, of which one has more tasks, has the bytes of a plain run" {
    request=(--nodes=2 --ntasks=3)
    submit "$GRID" "${longer[@]}"
    job_ends COMPLETED
    as_plain 3 1
}

@test "a job with two exclusive nodes and no number of tasks has a worker on every core" {
    request=(--nodes=2 --exclusive)
    submit "$GRID" "${longer[@]}"
    job_ends COMPLETED
    assert_equal "$(grep -c '"rank"' run/provenance.json)" $((2 * $(nproc) + 1))
    same "$SHARED/plain" run
}

@test "a job that loses a node is requeued and completes with the same bytes" {
    slowly run submit "$GRID" "${longer[@]}"
    within 60 has_records 1
    scontrol update NodeName=node2 State=DOWN Reason=test
    within 30 is Restarts 1
    scontrol update NodeName=node2 State=RESUME 2>/dev/null || true # it may be back already
    within 30 idle 2
    starts_again 2
    job_ends COMPLETED
    as_plain 3 2
}

@test "a job that is preempted is requeued and completes with the same bytes" {
    slowly run submit "$GRID" "${longer[@]}"
    within 60 has_records 1
    local other
    other=$(sbatch --parsable --partition=first --nodes=2 --exclusive --output=/dev/null --wrap "sleep 1")
    within 30 is Restarts 1
    within 60 eval "[ -z \"\$(squeue --noheader --jobs=$other)\" ]"
    starts_again 2
    job_ends COMPLETED
    as_plain 3 2
}

@test "an element of a job array is requeued alone" {
    cat >program <<'SH'
#!/bin/bash
[ "$SLURM_ARRAY_TASK_ID" = 2 ] || exit 0
mkdir -p run/records && echo "}" >"$(mktemp run/records/XXXXXX.json)"
exit 75
SH
    chmod +x program
    job=$(PASSGRID=$PWD/program OUT=run sbatch --parsable --ntasks=1 --array=1-2 --output="$PWD/log-%a" "$SCRIPT" "$GRID")
    within 60 grep -q "exit code 75" log-2
    within 30 eval "squeue --noheader --array --jobs=$job --format='%i %t' | grep -qx '${job}_2 PD'"
    within 30 eval "[ \"\$(squeue --noheader --array --jobs=$job | wc -l)\" = 1 ]" # the other one has ended
    scancel "$job"
}

@test "a second job in the same directory, on another node, is refused" {
    request=(--nodes=1 --ntasks=1 --nodelist=node1)
    slowly run submit "$GRID" --set train.epochs=5000 --set checkpoint=0
    local first=$job
    within 60 test -e run/run.lock
    job=$(OUT=run sbatch --parsable --nodelist=node2 --output="$PWD/second" "$SCRIPT" "$GRID" --set train.epochs=5000)
    job_ends FAILED
    assert_fact ExitCode 2:0
    says "run: another run is at work there, process" second
    says "on node1; wait until it ends, or end it" second
    scancel "$first"
}
