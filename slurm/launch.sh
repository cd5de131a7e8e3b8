#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# mpirun with the settings that let a run survive the loss of ranks and hosts, on a laptop, in a container and on a cluster.
#
#   slurm/launch.sh [options of mpirun] -- PROGRAM ARGUMENTS...
#
# mpirun refuses root, as which containers run, and more ranks than cores, although the master needs none: both are allowed here.
# Ranks are not bound to cores unless --bind-to or --map-by is given. Messages go over TCP and shared memory (pml ob1), where the
# ranks survive a dead one; over InfiniBand's ucx they may not. --mca pml NAME or OMPI_MCA_pml=NAME chooses something else.
# With --enable-recovery, Open MPI lets the other ranks live when one is lost. But its exit code is then always 0, and after the
# loss of a whole host it never returns. So this script ends when rank 0 has ended, which must run on this host: it exits with the
# exit code of rank 0, and kills mpirun if that is still there a little later. If rank 0 leaves no exit code, or does not start on
# this host, the exit code is 3.
# USR1, USR2, TERM, HUP, XCPU and INT are passed on as USR1, so that every task is saved. A second INT ends everything at once with
# exit code 130.
set -euo pipefail

# If one of these were closed, a file that is opened later would get its number.
[ -e /proc/$$/fd/0 ] || exec </dev/null
[ -e /proc/$$/fd/1 ] || exec >/dev/null
[ -e /proc/$$/fd/2 ] || exec 2>/dev/null

start=120 # seconds that rank 0 may take to start, and half a second more for each rank; counted in rounds, so that time while the
# job is suspended does not count
grace=30 # seconds that mpirun may take to end after rank 0
boot=/proc/sys/kernel/random/boot_id
pid=
told=
interrupted=
# shellcheck disable=SC2317 # called by a trap
interrupt() {
    told=${interrupted:-USR1}
    interrupted=TERM
    [ "$told" = USR1 ] || kill -TERM "$pid" 2>/dev/null || true
}
trap 'told=${told:-USR1}' USR1 USR2 TERM HUP XCPU
trap interrupt INT

temporary=${TMPDIR:-/tmp}
if ! [ -d "$temporary" ] || ! [ -w "$temporary" ]; then
    echo "launch.sh: TMPDIR=$temporary is not a writable directory; using /tmp" >&2
    export TMPDIR=/tmp
fi
export PASSGRID_RANK_0 # a file: boot id of this host, process id of rank 0's shell, exit code of rank 0
PASSGRID_RANK_0=$(mktemp) || exit 3
trap 'rm -f "$PASSGRID_RANK_0"' EXIT
cat $boot >"$PASSGRID_RANK_0"

# mpirun puts its own terminal, of no width, between a rank and ours.
if [ -t 1 ] && size=$(stty size <&1 2>/dev/null); then export COLUMNS=${size#* }; fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
options=(--oversubscribe)
binding=(--bind-to none)
transport=(--mca pml ob1 --mca btl "self,vader,tcp")
last=
while (($# > 0)) && [ "$1" != -- ]; do
    case $1 in --bind-to | --map-by | -bind-to | -map-by) binding=() ;; pml | btl) transport=() ;; esac
    case $last in -n | -np | --np | -c) [[ $1 =~ [^0-9] ]] || start=$((start + 10#$1 / 2)) ;; esac
    last=$1
    options+=("$1") && shift
done
[ -z "${OMPI_MCA_pml:-}${OMPI_MCA_btl:-}" ] || transport=()
options+=("${binding[@]}" "${transport[@]}")
[ -z "${BLIS_ARCH_TYPE:-}" ] || options+=(-x BLIS_ARCH_TYPE) # ssh passes no environment on
(($# > 1)) || {
    echo "usage: slurm/launch.sh [options of mpirun] -- PROGRAM ARGUMENTS..." >&2
    exit 2
}
shift

# mpirun signals the shell of a rank and the program in it; the shell ignores USR1. mpirun turns TERM and INT into KILL after a
# second, so it runs in its own session, where it receives signals neither from the terminal nor from the process group.
# shellcheck disable=SC2016 # for the shell of the rank
wrapper='trap "" USR1
[ "$OMPI_COMM_WORLD_RANK" = 0 ] || exec "$@"
[ "$(cat "$PASSGRID_RANK_0" 2>&1)" = "$(cat '$boot')" ] || { echo "launch.sh: rank 0 is not on the host of mpirun" >&2; exit 3; }
echo $$ >>"$PASSGRID_RANK_0"
"$@"; code=$?
[ $code -gt 128 ] || echo $code >>"$PASSGRID_RANK_0" # a program that a signal ended has no exit code
exit $code'
[ -z "$told" ] || exit 75
setsid mpirun --enable-recovery -x PASSGRID_RANK_0 "${options[@]}" bash -c "$wrapper" rank "$@" &
pid=$!

# A zombie counts as gone too: an mpirun that hangs never collects it.
gone() { ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.*Z' "/proc/$1/status"; }
look() { { read -r && read -r shell_of_0 && read -r code_of_0; } <"$PASSGRID_RANK_0" || true; }
ended() { # has rank 0 left its exit code, or is its shell or mpirun gone?
    look
    [ -n "$code_of_0" ] || gone "$pid" || { [ -n "$shell_of_0" ] && gone "$shell_of_0"; }
}
shell_of_0=
code_of_0=
rounds=0 ready=0
until ended; do
    [ -n "$shell_of_0" ] || ((++rounds < 5 * start)) || { grace=0 && break; }
    # USR1 would end mpirun or a rank that has no shell yet. So wait for the shell of rank 0, and a second more for the others.
    # Send it again and again, in case a program does not catch it yet.
    [ -z "$shell_of_0" ] || ((++ready))
    ((ready < 5)) || [ "$told" != USR1 ] || kill -USR1 "$pid" 2>/dev/null || true
    sleep 0.2 || true # a signal to the process group ends sleep
done
for ((i = 0; i < 5 * grace; i++)); do
    if gone "$pid"; then break; fi
    sleep 0.2 || true
done
if kill -KILL "$pid" 2>/dev/null; then echo "launch.sh: killed mpirun, which did not end with the run" >&2; fi
code=0
wait "$pid" 2>/dev/null || code=$?
look
if [ "$told" = TERM ]; then
    code=130
elif [ -n "$code_of_0" ]; then
    code=$code_of_0
elif [ -n "$shell_of_0" ]; then
    echo "launch.sh: rank 0 is lost; repeat the command to resume" >&2
    code=3
elif ((code == 0 || code == 137)); then
    echo "launch.sh: rank 0 did not start on this host; if mpirun hangs, it may use a network that joins no hosts, such as docker0:" \
        "name the right one with --mca oob_tcp_if_include NAME --mca btl_tcp_if_include NAME" >&2
    code=3
elif [ -n "$told" ] && ((code > 128)); then
    code=75 # mpirun got the signal too, before it had its own session
fi
exit "$code"
