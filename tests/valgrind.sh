#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Run unit programs under valgrind. usage: valgrind.sh BUILD PROGRAM...
set -uo pipefail
build=$1
shift
check=(valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite)
export BLIS_ARCH_TYPE=5 OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1 # 5: the kernels for Penryn
failed=()
for program; do
    echo "== $program"
    "${check[@]}" "$build/tests/$program" || failed+=("$program")
done
[ ${#failed[@]} = 0 ] || {
    echo "failed under valgrind: ${failed[*]}"
    exit 1
}
