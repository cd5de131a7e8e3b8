#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Time to save at full size: AlexNet and ResNet-18 train in two workers, then get a signal to save and end. Once the launcher of three
# ranks gets USR1, once two single processes get TERM. Prints for both the seconds until everything has ended and the bytes of the
# checkpoints.
# usage: tests/bench/save.sh [PROGRAM] [WIDTH], default build/passgrid, 1
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$(realpath "${1:-build/passgrid}")
width=${2:-1}
launch=$PWD/slurm/launch.sh
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
# shellcheck disable=SC2046 # a list
trap 'kill -KILL $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
cat >grid.yaml <<END
name: save
label: "speed of saving: the numbers mean nothing"
seeds: [1]
threads: 1
data: {name: synthetic, train: 640, test: 50}
networks: [{arch: [alexnet, resnet18], width: $width}]
train: {epochs: 1000, batch: 64}
schemes: [{scheme: plain}]
END

# Has each training ended an epoch (ten steps), after which `checkpoint: 0` saves?
under_way() { test "$(find . -path '*/checkpoints/*.seal' | cut -d. -f2 | sort -u | wc -l)" -eq 2; }
measure() { # measure SIGNAL PROCESS...: from the signal to the end of all; each must say that it is resumable
    local signal=$1 begun process code
    shift
    until under_way; do
        kill -0 "$@"
        sleep 0.1
    done
    begun=$EPOCHREALTIME
    kill "-$signal" "$@"
    for process; do
        code=0
        wait "$process" || code=$?
        [ $code = 75 ] || {
            echo "save.sh: $signal: exit code $code, expected 75" >&2
            tail -n 5 ./*.log >&2
            exit 1
        }
    done
    echo "$signal: $(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }') s," \
        "$(find . -path '*/checkpoints/*.safetensors' | sort -t. -k3n | awk -F. '{ newest[$2] = $0 } END { for (k in newest) print newest[k] }' |
            xargs stat -c %s | awk '{ s += $1 } END { print s }') bytes of checkpoints"
}

mkdir ranks alone
cd ranks
"$launch" --oversubscribe --bind-to none -n 3 -- "$program" run ../grid.yaml --out out --set checkpoint=0 >run.log 2>&1 &
measure USR1 $!
cd ../alone
processes=()
for arch in alexnet resnet18; do
    "$program" run ../grid.yaml --out $arch --set networks.0.arch=$arch --set checkpoint=0 >$arch.log 2>&1 &
    processes+=($!)
done
measure TERM "${processes[@]}"
