#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/earlier is the run of a version before 1.0.0: records of format 1, with parameters as text and the verdict `stands`, and
# one network with its evidence. This version reads it.
load ../common

earlier() { cp -a "$ROOT/tests/earlier" earlier && mkdir earlier/tables; } # git keeps no empty folder
uchida=80d5dc7eca30e819e496c63a930dc199a5e592704d974de96ab35988a34ec86c

@test "tables read the claims of an earlier run that stand as claims that agree" {
    earlier
    run -0 passgrid table earlier
    assert_line --regexp '^ +v1 +23\.00 .* 1/1 +agrees +1$'
    assert_line --regexp '^ +uchida +prune +level=50 +80\.00 +84\.38 +1/1 +agrees *$'
    assert_line --regexp '^ +uchida +prune +level=100 +10\.00 +0\.00 +0/1 +useless *$'
    assert_output --partial "4 files, listed by name in artefacts.csv; 2 of them are missing"
    assert_equal "$(grep -c ',agrees,1,' earlier/cells.csv)" 5
}

@test "the judge reads the network and the evidence of an earlier run" {
    earlier
    run -10 passgrid judge --model earlier/models/$uchida.safetensors --evidence earlier/evidence/$uchida.safetensors \
        --data synthetic --pixels cifar --test 100 --nulls 20 --level 0.01 --exit-code
    assert_output --partial "agreeing                  26 of 32 bits"
}

@test "a run continues beside the results of an earlier version and leaves them unchanged" {
    earlier
    run -0 passgrid run earlier/config.yaml --out earlier
    assert_output --partial "5 tasks done; 5 of them now"
    for record in "$ROOT"/tests/earlier/records/*.json; do assert cmp "$record" "earlier/records/${record##*/}"; done
}
