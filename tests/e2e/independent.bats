#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# False claims: evidence against networks that were never stolen.
load ../common

setup_file() {
    cd "$SHARED"
    cat >claims.yaml <<YAML
name: claims
data: {name: synthetic, half: first, train: 100, test: 60}
networks: [{arch: alexnet, width: 0.0625}]
train: {epochs: 2, batch: 20, lr: 0.05}
schemes: [{scheme: uchida, bits: 32}, {scheme: adi, trigger_count: 10}]
attacks:
  - {attack: transfer-triggers, references: 2, held_out: 1, pictures: 20, count: 10, steps: 2}
  - {attack: grind, claim: triggers, count: 10, tries: [2, 5], schemes: [adi]}
independent: {arch: [same, resnet9], half: [same, other]}
verify: {nulls: 4}
YAML
    passgrid run claims.yaml --out alone --threads 1
}

# Columns evidence, accused network, readable and n of the claims table, by scheme.
rows() { passgrid_table | awk -F, -v scheme="$1" '$4 == scheme {print $5 ";" $6 ";" $7 ";" $(NF-2)}'; }
passgrid_table() { sed 's/"independent, all"/all/' "$SHARED/alone/tables/claims.csv"; }

@test "all evidence claims every independent network" {
    run rows adi
    assert_line 'genuine;all;1;4'
    assert_line 'genuine;resnet9-bn other half;1;1'
    assert_line 'transfer-triggers;alexnet-bn;1;1'
    assert_line 'grind;resnet9-bn other half;1;1'
    assert_lines 16
}

@test "evidence that does not fit the network is unreadable and counts in no verdict" {
    run rows uchida
    assert_line 'genuine;all;0.5;2'
    assert_line 'genuine;alexnet-bn other half;1;1'
    assert_line 'genuine;resnet9-bn;0;0'
    run -0 grep -l 'the evidence has a mark for features.4, a layer that the resnet9 does not have' "$SHARED"/alone/records/*
    assert_lines 2
}

@test "claims are the same on several ranks" {
    ranks 3 "$PASSGRID" run "$SHARED/claims.yaml" --out ranks --threads 1
    run -0 cmp "$SHARED/alone/cells.csv" ranks/cells.csv
    run -0 cmp "$SHARED/alone/tables/claims.csv" ranks/tables/claims.csv
}

@test "a half that is too small and an unknown network are refused before the run" {
    run -2 passgrid plan "$SHARED/claims.yaml" --set data.train=1025
    assert_output --partial 'data.name: this half of the data set has only 1024 training images, not 1025'
    run -2 passgrid plan "$SHARED/claims.yaml" --set independent.arch=resnet10
    assert_output --partial 'independent.arch: expected one of'
    run -2 passgrid plan "$SHARED/claims.yaml" --set data.half=all
    assert_output --partial 'independent.half: synthetic has no other half, because the grid uses all of it: set data.half'
}

@test "the ROC curve is drawn from its points" {
    cp -r "$SHARED/alone" run
    run -0 passgrid table run --figures
    run -0 cat run/figures/roc-*.csv
    assert_line --partial 'adi, transfer-triggers'
}

@test "the page answers first how many of the false claims are accepted" {
    cp -r "$SHARED/alone" run
    run -0 passgrid report run
    agree=$(passgrid_table | awk -F, 'NR == 1 {for (c = 1; c <= NF; c++) at[$c] = c} $6 == "all" {sum += $at["agrees"] * $at["n"]} END {print !sum ? "none agrees" : sum == 1 ? "1 agrees" : sum " agree"}')
    run -0 grep -o 'class="answer">[^.]*\.' run/report.html
    assert_output "class=\"answer\">Of 14 claims on networks that nobody stole, $agree and none proves."
}
