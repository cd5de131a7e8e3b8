#!/bin/bash
# The judge as a command and in a grid: equal models, evidence and options give equal verdicts, to the last digit.
# usage: tests/e2e/judge.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/e2e/checks.bash

cat >judged.yaml <<'END'
name: judged
data: {name: synthetic, train: 200, test: 100}
networks: [{arch: alexnet, width: 0.0625, norm: bn}]
train: {epochs: 5, batch: 20, lr: 0.05, pixels: cifar}
schemes:
  - {scheme: v1, passport: random, layers: all}
  - {scheme: v2, passport: random, layers: features.4}
  - {scheme: uchida, bits: 32}
attacks:
  - {attack: unchanged}
  - {attack: prune, levels: [0, 100], keep: true}
  - {attack: fake1, passport: random, repeats: 2, schemes: [v1], keep: true}
verify: {nulls: 20, level: 0.01}
END
check "a grid" code 0 "$PASSGRID" run judged.yaml --out grid

cells() { awk -F, -v task="/$1/s1/" -v outcome="$2" -v metric="$3" 'index($1, task) && $(NF-4) == outcome && $(NF-3) == metric {print $(NF-2)}' grid/cells.csv; }
task() { awk -F, -v task="/$1/s1/" 'index($1, task) {n = split($1, part, "/"); print part[n]; exit}' grid/cells.csv; }
file() { ls "grid/$1/$(task "$2")"*"${3:-}.safetensors"; } # file FOLDER SCHEME[/ATTACK] [.OUTCOME]
judge() { "$PASSGRID" judge --dir "$WORK" --test 100 --nulls 20 --level 0.01 --json "$@"; }
number() { sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" out; }
finds() { # finds METRIC SCHEME[/ATTACK] OUTCOME: the last verdict has the same number as the grid
    local expected
    expected=$(cells "$2" "$3" "$1")
    test -n "$expected" -a "$(number "$1")" = "$expected" || { echo "     $(number "$1"), the grid has $expected"; return 1; }
}

for scheme in v1 v2 uchida; do
    evidence=$(file evidence $scheme)
    sold=
    test $scheme = v1 && sold="--distributed $evidence"
    check "$scheme: the network that was trained" code 0 judge --model "$(file models $scheme)" --evidence "$evidence" $sold
    check "... as when it was trained" finds p_value $scheme -
    check "... as where nothing was done to it" finds p_value $scheme/unchanged -
    check "... as before it was pruned" finds p_value $scheme/prune level=0
    check "... with the pixels of the model file" says '"pixels_from": "the model file"' out
    check "$scheme: a network without weights" code 1 judge --model "$(file models $scheme/prune .level=100)" --evidence "$evidence" $sold --exit-code
    check "... is useless" says '"verdict": "the network is useless (no better than guessing)"' out
    check "... in the grid too" test "$(cells $scheme/prune level=100 useless)" = 1
done

model=$(file models v1)
owner=$(file evidence v1)
forged=$(file evidence v1/fake1 .repeat=1)
check "a forger beside the owner" code 0 judge --model "$model" --evidence "$forged" --distributed "$owner"
check "... as in the grid" finds p_value v1/fake1 repeat=1
check "a network that needs a passport, and nobody tells what it reaches" code 0 judge --model "$model" --evidence "$owner"
check "... is not decided" says '"verdict": "not decidable (accuracy as deployed is not known)"' out
check "more test images than there are" code 2 "$PASSGRID" judge --model "$model" --evidence "$owner" --test 99999
check "... are named" says "images, not 99999"
check "nothing is kept where the data sets are" test ! -e nulls

finish
