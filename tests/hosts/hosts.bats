#!/bin/bash
# Three hosts on one machine: network namespaces joined by a bridge. A grid runs across them; all processes of one host are killed,
# or its link goes down. The others complete the grid with the same bytes, and the command ends by itself.
# usage: tests/hosts/run.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed.
# Where namespaces, or their bridge, may not be made it says so and exits 0.
set -u
cd "$(dirname "$0")/../.." || exit
LAUNCH=$PWD/slurm/launch.sh
NET=pg$$
test "$(id -u)" = 0 || { echo "skip: only root can make network namespaces"; exit 0; }
command -v ip >/dev/null || { echo "skip: ip is not installed (Debian: iproute2)"; exit 0; }
ip netns add "$NET-1" 2>/dev/null || { echo "skip: network namespaces may not be made here"; exit 0; }

. tests/e2e/checks.bash
launcher=
processes() { ip netns pids "$NET-$1" 2>/dev/null; } # processes N: of host N
cleanup() {
    local host
    for host in 1 2 3; do
        # shellcheck disable=SC2046 # a list
        kill -KILL $(processes $host) 2>/dev/null
        ip netns del "$NET-$host" 2>/dev/null
    done
    [ -z "$launcher" ] || kill -KILL "$launcher" 2>/dev/null
    ip link del "$NET" 2>/dev/null
    rm -rf "$WORK"
}
trap cleanup EXIT

# ---- hosts ----------------------------------------------------------------------------------------------------------------------
# Host N has the address 10.77.0.N on its device eth0, and the other end of that, $NET-vN, hangs on the bridge.
make_hosts() {
    local host
    ip link add "$NET" type bridge && ip link set "$NET" up || return 1
    for host in 1 2 3; do
        [ $host = 1 ] || ip netns add "$NET-$host" || return 1
        ip link add "$NET-v$host" type veth peer name eth0 netns "$NET-$host" || return 1
        ip link set "$NET-v$host" master "$NET" up || return 1
        ip -n "$NET-$host" address add "10.77.0.$host/24" dev eth0 || return 1
        ip -n "$NET-$host" link set eth0 up && ip -n "$NET-$host" link set lo up || return 1
    done
    # mpirun calls it as it would ssh: with a host and a command.
    cat >agent <<END
#!/bin/bash
host=\${1##*.}
shift
exec ip netns exec $NET-\$host unshare --uts bash -c "hostname host\$host; \$*"
END
    chmod +x agent
}

# here COMMAND...: on host 1, in place of this shell
here() { exec ip netns exec "$NET-1" unshare --uts bash -c 'hostname host1; exec "$@"' here "$@"; }

settings=(--set train.epochs=20 --set checkpoint=0 --lost-after 5)
start() { # start DIRECTORY [HOSTS]: default: master and a worker on host 1, one worker each on hosts 2 and 3; in the background
    here bash "$LAUNCH" --host "${2:-10.77.0.1:2,10.77.0.2:1,10.77.0.3:1}" -n 4 --bind-to none --mca plm_rsh_agent "$WORK/agent" \
        --mca btl tcp,self --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
        -- "$PASSGRID" run "$GRID" --out "$WORK/$1" "${settings[@]}" >out 2>err &
    launcher=$!
}
at_work() { grep -q "on rank $2\$" "$1/logs/run.log" 2>/dev/null; } # at_work DIRECTORY RANK
kill_host() { # shellcheck disable=SC2046 # a list
    kill -KILL $(processes "$1")
}
hosts_of() { grep -o '"host": "[^"]*"' "$1/provenance.json" | sort -u | wc -l; }

make_hosts 2>err || { echo "skip: hosts may not be made here: $(tail -n 1 err)"; exit 0; }
check "the grid on one host" code 0 "$PASSGRID" run "$GRID" --out whole "${settings[@]}"

start killed
check "across three hosts: the third is at work" await at_work killed 3
check "... everything on it is killed" kill_host 3
check "... the command ends by itself, complete" ends 0
check "... names the rank" says "lost: rank 3 on host3"
check "... it ran on three hosts" test "$(hosts_of killed)" = 3
check "... same bytes" same whole killed

start told
check "across three hosts: the third is at work" await at_work told 3
check "... USR1 to the command" kill -USR1 "$launcher"
check "... ends it, everything saved" ends 75
check "... and not complete" test "$(find told/records -name '*.json' | wc -l)" -lt "$(find whole/records -name '*.json' | wc -l)"

start cut
check "across three hosts: the third is at work" await at_work cut 3
check "... its link goes down" ip link set "$NET-v3" down
check "... the command ends by itself, complete" ends 0
check "... names the rank" says "lost: rank 3 on host3"
check "... same bytes" same whole cut

# Hosts have directories of their own, as /tmp is; mpirun is on host 1, all ranks on host 2.
export TMPDIR=$WORK/own
mkdir "$TMPDIR"
sed -i 's|unshare --uts bash -c "|unshare --uts --mount bash -c "mount -t tmpfs own $TMPDIR; |' agent
start elsewhere 10.77.0.2:4
check "rank 0 on another host than mpirun: after two minutes the command ends by itself, and not with success" ends 3
check "... says why" says "launch.sh: rank 0 is not on the host of mpirun"
check "... and nothing was begun" test ! -e elsewhere

finish
