#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Empty tasks per second, here and through MPIPoolExecutor of mpi4py.futures (Debian: python3-mpi4py), with the same launcher and
# the same number of workers, in turns on the same machine. Prints every round, then the ratio of the medians.
# usage: tests/bench/dispatch.sh [PROGRAM] [ROUNDS] [TASKS] [RANKS], default build/passgrid, 5, 20000, 3
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${1:-build/passgrid}
rounds=${2:-5}
tasks=${3:-20000}
ranks=${4:-3}
python=
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import mpi4py.futures' 2>/dev/null; then python=$candidate && break; fi
done
[ -n "$python" ] || {
    echo "mpi4py is not installed (Debian: python3-mpi4py)" >&2
    exit 2
}
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/pool.py" <<'END'
import sys, time
from mpi4py.futures import MPIPoolExecutor

def empty(_):
    return None

if __name__ == "__main__":
    tasks = int(sys.argv[1])
    with MPIPoolExecutor() as pool:
        pool.submit(empty, 0).result()  # the workers are there
        start = time.perf_counter()
        for future in [pool.submit(empty, i) for i in range(tasks)]:
            future.result()
        print("tasks_per_s: %.0f" % (tasks / (time.perf_counter() - start)))
END

speed() { mpirun --oversubscribe --bind-to none -n "$ranks" "$@" | sed -n 's/^tasks_per_s: //p'; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for ((round = 1; round <= rounds; round++)); do
    speed "$program" bench dispatch --tasks "$tasks" >>"$work/ours"
    speed "$python" -m mpi4py.futures "$work/pool.py" "$tasks" >>"$work/theirs"
    echo "round $round: passgrid $(tail -n 1 "$work/ours") tasks/s, MPIPoolExecutor $(tail -n 1 "$work/theirs") tasks/s"
done
awk -v a="$(median "$work/ours")" -v b="$(median "$work/theirs")" -v w=$((ranks - 1)) \
    'BEGIN { printf "medians with %d workers: passgrid %d tasks/s, MPIPoolExecutor %d tasks/s, ratio %.1f\n", w, a, b, a / b }'
