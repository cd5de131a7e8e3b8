#!/bin/bash
# mpirun for a run that is to survive the loss of ranks and hosts.
#
#   slurm/launch.sh [options of mpirun] -- PROGRAM ARGUMENTS...
#
# Under --enable-recovery Open MPI lets the other ranks live when one is lost; but its exit code is then 0 whatever they say, and
# after the loss of a whole host it never returns. Here the run is over when rank 0 has ended, on the host of mpirun: its exit code
# is ours, and mpirun, if it has not gone a little later, is ended. USR1, TERM and INT are passed on as USR1: every task is saved.
set -euo pipefail

grace=30 # seconds that mpirun has after the end of rank 0
code_file=$(mktemp)
export PASSGRID_CODE_FILE=$code_file

pid=
told=
tell() {
    told=yes
    [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null || true
}
trap tell USR1 TERM INT
trap 'rm -f "$code_file"' EXIT

options=()
while (($# > 0)) && [ "$1" != -- ]; do options+=("$1") && shift; done
(($# > 1)) || { echo "usage: slurm/launch.sh [options of mpirun] -- PROGRAM ARGUMENTS..." >&2; exit 2; }
shift

# Rank 0 leaves its exit code behind. mpirun signals the shell of a rank and what runs in it; the shell goes on.
# shellcheck disable=SC2016 # for the shell of the rank
wrapper='"$@"; code=$?; [ "$OMPI_COMM_WORLD_RANK" != 0 ] || echo $code >"$PASSGRID_CODE_FILE"; exit $code'
mpirun --enable-recovery -x PASSGRID_CODE_FILE "${options[@]}" bash -c "trap '' USR1; $wrapper" rank "$@" &
pid=$!
[ -z "$told" ] || tell

while kill -0 "$pid" 2>/dev/null && [ ! -s "$code_file" ]; do sleep 0.2; done
for ((i = 0; i < 5 * grace; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
done
if kill -KILL "$pid" 2>/dev/null; then echo "launch.sh: mpirun did not end with the run: killed" >&2; fi
code=0
wait "$pid" 2>/dev/null || code=$?
[ ! -s "$code_file" ] || code=$(<"$code_file")
exit "$code"
