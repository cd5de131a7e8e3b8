#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Three hosts on one machine: network namespaces joined by a bridge. A grid runs across them; all processes of one host are killed,
# or its link goes down. The others complete the grid with the same bytes, and the command ends by itself. The tests are skipped
# if this machine does not allow namespaces or their bridge.
load ../common

settings=(--set train.epochs=20 --set checkpoint=0 --lost-after 5)
processes() { ip netns pids "$NET-$1" 2>/dev/null; } # processes N: of host N

# Host N has the address 10.77.0.N on its device eth0, and the other end of that, $NET-vN, hangs on the bridge.
make_hosts() {
    local host
    ip link add "$NET" type bridge && ip link set "$NET" up || return
    for host in 1 2 3; do
        [ $host = 1 ] || ip netns add "$NET-$host" || return
        ip link add "$NET-v$host" type veth peer name eth0 netns "$NET-$host" || return
        ip link set "$NET-v$host" master "$NET" up || return
        ip -n "$NET-$host" address add "10.77.0.$host/24" dev eth0 || return
        ip -n "$NET-$host" link set eth0 up && ip -n "$NET-$host" link set lo up || return
    done
}

missing() { # why there can be no hosts here; makes them otherwise
    if [ "$(id -u)" != 0 ]; then
        echo "only root can make network namespaces"
    elif ! command -v ip >/dev/null; then
        echo "ip is not installed (Debian: iproute2)"
    elif ! ip netns add "$NET-1" 2>/dev/null; then
        echo "network namespaces may not be made here"
    elif ! make_hosts 2>"$SHARED/err"; then
        echo "hosts may not be made here: $(tail -n 1 "$SHARED/err")"
    fi
}
setup_file() {
    export MISSING NET=pg$$
    MISSING=$(missing)
    [ -n "$MISSING" ] || passgrid run "$GRID" --out "$SHARED/whole" "${settings[@]}"
}
teardown_file() {
    local host
    for host in 1 2 3; do
        # shellcheck disable=SC2046 # a list
        kill -KILL $(processes $host) 2>/dev/null || true
        ip netns del "$NET-$host" 2>/dev/null || true
    done
    ip link del "$NET" 2>/dev/null || true
}

setup() {
    [ -z "$MISSING" ] || skip "$MISSING"
    cd "$BATS_TEST_TMPDIR"
    # mpirun calls it as it would ssh: with a host and a command.
    cat >agent <<SH
#!/bin/bash
host=\${1##*.}
shift
exec ip netns exec $NET-\$host unshare --uts bash -c "hostname host\$host; \$*"
SH
    chmod +x agent
}

# here COMMAND...: on host 1, in place of this shell
here() { exec ip netns exec "$NET-1" unshare --uts bash -c 'hostname host1; exec "$@"' here "$@"; }
start() { # start [HOSTS]: in the background, as $launcher; by default the master and a worker on host 1, a worker each on 2 and 3
    slowly run here bash "$LAUNCH" --host "${1:-10.77.0.1:2,10.77.0.2:1,10.77.0.3:1}" -n 4 --bind-to none --mca plm_rsh_agent "$PWD/agent" \
        --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
        -- "$PASSGRID" run "$GRID" --out "$PWD/run" "${settings[@]}" >out 2>err 3>&- &
    launcher=$!
}
start_everywhere() { # and the third host is at work
    start
    await grep -q 'on rank 3$' run/logs/run.log
}

noticed() { # noticed WHAT MOST: prints how long it took from the loss to the line in the log, and checks that against MOST seconds
    await says "lost   rank 3 on host3" err
    local seconds=$((SECONDS - begun))
    echo "# $1: noticed after $seconds s" >&3
    assert [ $seconds -le "$2" ]
}

@test "if a process dies beside another one of its host, the master hears of it within seconds" {
    settings+=(--lost-after 600)
    start 10.77.0.1:1,10.77.0.3:3
    await grep -q 'on rank 3$' run/logs/run.log
    begun=$SECONDS
    # shellcheck disable=SC2046 # it may have a shell
    kill -KILL $(for p in $(processes 3); do ! grep -qxz OMPI_COMM_WORLD_RANK=3 "/proc/$p/environ" || echo "$p"; done)
    noticed "a process, by its neighbour" 15
    ends 0
    same "$SHARED/whole" run
}

@test "if all processes of a host are killed, the others complete the grid with the same bytes" {
    start_everywhere
    # shellcheck disable=SC2046 # a list
    kill -KILL $(processes 3)
    begun=$SECONDS
    noticed "a host, by its silence" 180
    ends 0
    says "lost: rank 3 on host3" err
    assert_equal "$(grep -o '"host": "[^"]*"' run/provenance.json | sort -u | wc -l)" 3
    same "$SHARED/whole" run
}

@test "USR1 to the command saves everything on every host" {
    start_everywhere
    kill -USR1 "$launcher"
    ends 75
    assert [ "$(ls run/records | wc -l)" -lt "$(ls "$SHARED/whole/records" | wc -l)" ]
}

@test "if the link of a host goes down, the others complete the grid with the same bytes" {
    start_everywhere
    ip link set "$NET-v3" down
    begun=$SECONDS
    noticed "a link, by its silence" 180
    ends 0
    says "lost: rank 3 on host3" err
    same "$SHARED/whole" run
    # shellcheck disable=SC2046 # a list
    kill -KILL $(processes 3) || true
    ip link set "$NET-v3" up
}

# Hosts have directories of their own, as /tmp is; mpirun is on host 1, all ranks on host 2.
@test "if rank 0 is on another host than mpirun, the command ends after two minutes and says why" {
    export TMPDIR=$PWD/own
    mkdir "$TMPDIR"
    sed -i 's|unshare --uts bash -c "|unshare --uts --mount bash -c "mount -t tmpfs own $TMPDIR; |' agent
    start 10.77.0.2:4
    ends 3
    says "launch.sh: rank 0 is not on the host of mpirun" err
    assert_not_exists run
}
