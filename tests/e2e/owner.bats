#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2046 # alice and pair print lists of options
# The owner's own path, as core/ownership/README.md has it; and who was first when a thief marks the stolen network too.
load ../common
load authority

README=$ROOT/core/ownership/README.md

setup_file() {
    cd "$SHARED"
    cat >plain.yaml <<YAML
name: plain
seeds: [1, 2]
data: {name: synthetic}
networks: [{arch: alexnet, width: 0.125, norm: bn}]
train: {epochs: 2, batch: 64, lr: 0.02, schedule: one-cycle}
schemes: [{scheme: plain}]
YAML
    passgrid run plain.yaml --out grid
    cp grid/models/*-plain-s1.safetensors model.safetensors
    cp grid/models/*-plain-s2.safetensors other.safetensors
    authority
    passgrid secret new mallory.secret
    mallory other old
    commands >walk.sh
    source walk.sh
    mallory alice stolen
}

# The commands of the walk-through up to the judge. Its authority is the test's own.
commands() {
    awk '/^## From a trained network/ {on = 1; next} /^## / {on = 0} on && /^    /' "$README" | sed '/passgrid judge/,$d'
}
mallory() { # mallory MODEL OUT: a thief's mark in that network, stamped
    passgrid mark --secret mallory.secret --scheme uchida --statement Mallory --model "$1.safetensors" --epochs 5 \
        --set layer=features.5 --set strength=1 --out "$2.safetensors" --evidence "$2.evidence"
    passgrid commit --evidence "$2.evidence" --model "$2.safetensors" --query "$2.tsq"
    grant_stamp "$2.tsq" "$2.tsr"
}
curl() { grant_stamp alice.tsq alice.tsr; }
judging() { awk '/^    passgrid judge .*accused/ {on = 1} !/^    / {on = 0} on' "$README"; }

@test "the commands of the walk-through make a network whose evidence proves" {
    cd "$SHARED"
    run -0 passgrid commit --evidence alice.evidence --model alice.safetensors --reply alice.tsr --tsa-ca ca.pem
    assert_line --regexp "^stamped +$(date -u +%Y)-"
    assert_equal "$(stat -c %a alice.secret alice.evidence | sort -u)" 600
    cp alice.safetensors accused.safetensors
    run -0 source <(judging)
    assert_output --regexp 'verdict +proves'
    assert_output --regexp 'claimant says +Alice, 2026'
}

# ---- who was first ------------------------------------------------------------------------------------------------------------

judge() { passgrid judge --model "$SHARED/stolen.safetensors" --test 200 --tsa-ca "$SHARED/ca.pem" "$@"; }
alice() { echo --evidence "$SHARED/alice.evidence"; }
pair() { echo --evidence "$SHARED/$1.evidence" --original "$SHARED/$1.safetensors" --stamp "$SHARED/$1.tsr"; }

@test "the owner was first if the thief's original carries the owner's evidence" {
    run -0 judge $(pair alice) $(pair stolen) --exit-code
    assert_output --partial "origin                      $SHARED/alice.evidence: its original alone carries only its own evidence"
    assert_output --partial "$SHARED/stolen.evidence: evidence of another claimant proves in its original"
    run -0 judge $(pair stolen) $(pair alice) --json --report page.html
    assert_output --partial '"reason": "its original alone carries only its own evidence"'
    assert_output --partial '"standing": "evidence of another claimant proves in its original"'
    says 'The claim with alice.evidence was first' page.html
}

@test "a thief is not first only because he alone shows an original" {
    run -0 judge $(alice) $(pair stolen)
    assert_output --partial 'origin                      no claim is shown to be first'
    assert_output --partial "$SHARED/alice.evidence: it has no original"
}

@test "an old secret without an original does not count" {
    run -0 judge $(pair alice) --evidence "$SHARED/stolen.evidence"
    assert_output --partial "origin                      $SHARED/alice.evidence: no other claimant has a stamped original"
    assert_output --partial "$SHARED/stolen.evidence: it has no original"
}

@test "two proofs without originals say nothing about who was first" {
    run -0 judge $(alice) --evidence "$SHARED/stolen.evidence"
    refute_output --partial origin
    run -0 judge $(alice) --evidence "$SHARED/stolen.evidence" --json
    assert_output --partial '"origin": null'
}

@test "an old secret counts only with an original from which the network derives" {
    cmp "$SHARED/stolen.evidence" "$SHARED/old.evidence"
    run -0 judge $(pair alice) $(pair old)
    assert_output --partial "origin                      $SHARED/alice.evidence: no other claimant has a stamped original"
    assert_output --partial "$SHARED/old.evidence: the network does not derive from its original"
}

@test "a stamp of other bytes, or of an untrusted authority, does not count" {
    run -0 judge $(alice) --original "$SHARED/alice.safetensors" --stamp "$SHARED/stolen.tsr" $(pair stolen)
    assert_output --partial 'does not hold: '
    assert_output --partial "$SHARED/alice.evidence: its original has no stamp that holds"
    assert_output --partial 'no claim is shown to be first'
    run -0 passgrid judge --model "$SHARED/stolen.safetensors" --test 200 --tsa-ca "$SHARED/other.pem" $(pair alice) $(pair stolen)
    assert_output --partial 'no claim is shown to be first'
}
