#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The judge as a command and in a grid: equal models, evidence and options give equal verdicts, to the last digit.
load ../common

setup_file() {
    cd "$SHARED"
    cat >judged.yaml <<'YAML'
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
YAML
    passgrid run judged.yaml --out grid
}

cells() { # cells SCHEME[/ATTACK] OUTCOME METRIC: the value in the grid's results
    awk -F, -v task="/$1/s1/" -v outcome="$2" -v metric="$3" \
        'index($1, task) && $(NF-4) == outcome && $(NF-3) == metric {print $(NF-2)}' "$SHARED/grid/cells.csv"
}
task() { awk -F, -v task="/$1/s1/" 'index($1, task) {n = split($1, part, "/"); print part[n]; exit}' "$SHARED/grid/cells.csv"; }
file() { ls "$SHARED/grid/$1/$(task "$2")"*"${3:-}.safetensors"; } # file FOLDER SCHEME[/ATTACK] [.OUTCOME]
judge() { "$PASSGRID" judge --dir "$BATS_TEST_TMPDIR" --test 100 --nulls 20 --level 0.01 --json "$@"; }
number() { sed -n "s/^ *\"$1\": \(.*[^,]\),*$/\1/p" <<<"$output"; }
assert_as_in_grid() { # assert_as_in_grid METRIC SCHEME[/ATTACK] OUTCOME: the last verdict has the same number as the grid
    assert [ -n "$(number "$1")" ]
    assert_equal "$(number "$1")" "$(cells "$2" "$3" "$1")"
}

judges() { # judges SCHEME [OPTION...]: a trained network, and one without weights
    run -0 judge --model "$(file models "$1")" --evidence "$(file evidence "$1")" "${@:2}"
    assert_as_in_grid p_value "$1" -
    assert_as_in_grid p_value "$1/unchanged" -
    assert_as_in_grid p_value "$1/prune" level=0
    assert_output --partial '"pixels_from": "the model file"'

    run -11 judge --model "$(file models "$1/prune" .level=100)" --evidence "$(file evidence "$1")" "${@:2}" --exit-code
    assert_output --partial '"reason": "the network is useless (no better than guessing)"'
    assert_equal "$(cells "$1/prune" level=100 useless)" 1
}

@test "V1: the judge finds what the grid found, and that a network without weights is useless" {
    judges v1 --distributed "$(file evidence v1)"
}

@test "V2: the judge finds what the grid found, and that a network without weights is useless" {
    judges v2
}

@test "Uchida: the judge finds what the grid found, and that a network without weights is useless" {
    judges uchida
}

@test "the judge decides a forger's claim beside the owner's as the grid does" {
    run -0 judge --model "$(file models v1)" --evidence "$(file evidence v1/fake1 .repeat=1)" --distributed "$(file evidence v1)"
    assert_as_in_grid p_value v1/fake1 repeat=1
}

@test "a claim is not decided if the network needs a passport and its accuracy is unknown" {
    run -0 judge --model "$(file models v1)" --evidence "$(file evidence v1)"
    assert_output --partial '"reason": "not decidable (accuracy as deployed is not known)"'
}

@test "the judge refuses more test images than there are" {
    run -2 passgrid judge --model "$(file models v1)" --evidence "$(file evidence v1)" --test 99999
    assert_output --partial "images, not 99999"
}

@test "the judge writes nothing to the folder of the data sets" {
    run -0 judge --model "$(file models v2)" --evidence "$(file evidence v2)"
    assert_not_exists nulls
}
