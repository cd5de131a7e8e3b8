#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# Chains of attacks, and attacks on a network that only answers.
load ../common

tune='{attack: finetune, epochs: 1, batch: 16}'
ask='{attack: extract, epochs: 1, batch: 16}'
marked=(--set 'schemes=[{scheme: uchida, bits: 16}]' --set 'seeds=[1]')

setup_file() {
    cd "$SHARED"
    passgrid run "$GRID" --out run "${marked[@]}" --set "attacks=[$tune]"
}

@test "a chain that is added to a finished run begins with what is done, and tables name its attacks" {
    borrow run
    run -0 passgrid run "$GRID" --out run "${marked[@]}" --set "attacks=[$tune, {chain: [$tune, {attack: prune, levels: [0]}]}]"
    assert_output --partial 'finetune + prune'
    cp -a run/records before
    run -0 passgrid run "$GRID" --out run "${marked[@]}" --set "attacks=[$tune, {chain: [$tune, {attack: prune, levels: [0]}]}]"
    same before run/records
}

@test "extraction reports fidelity and queries, and a chain adds them up" {
    run -0 passgrid run "$GRID" --out run "${marked[@]}" --set "attacks=[{chain: [$ask, $tune]}]"
    assert_output --partial 'extract + finetune'
    assert_output --partial 'fidelity %'
    assert_equal "$(cut -d, -f1- run/cells.csv | grep -c ',queries,')" 2
}

@test "a chain without meaning is refused before anything runs" {
    run -2 passgrid run "$GRID" --out run "${marked[@]}" --set "attacks=[{chain: [{attack: prune}, $tune]}]"
    assert_output --partial 'attacks.0.chain.0.attack: expected one of overwrite, finetune'
    assert_not_exists run
}
