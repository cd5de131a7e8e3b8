#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# A thief who rewrites the network, and the owner's original, which the judge aligns it to.
load ../common
load authority

setup_file() {
    cd "$SHARED"
    (umask 077 && printf 'passgrid-secret-1 %064d\n' 7 >secret) # a fixed one: of fresh ones one in a thousand agrees anywhere
    cat >rewritten.yaml <<YAML
name: rewritten
data: {name: synthetic, train: 200, test: 100}
networks: [{arch: alexnet, width: 0.125, norm: bn}]
train: {epochs: 5, batch: 20, lr: 0.05}
schemes: [{scheme: uchida, bits: 160, strength: 3, projection: signs, bound: true, secret: "file:$SHARED/secret"}]
attacks: [{attack: rewrite, keep: true}]
YAML
    passgrid run rewritten.yaml --out grid
    cp grid/models/*-uchida-s1.safetensors original
    cp grid/evidence/*-uchida-s1.safetensors evidence
    cp grid/models/*-rewrite-*.safetensors sold
    authority
    passgrid commit --evidence evidence --model original --query original.tsq
    passgrid commit --evidence evidence --model sold --query sold.tsq
    grant_stamp original.tsq original.tsr
    grant_stamp sold.tsq sold.tsr
}

judge() {
    passgrid judge --dir "$BATS_TEST_TMPDIR" --test 100 --model "$SHARED/sold" --evidence "$SHARED/evidence" --exit-code "$@"
}
through() { judge --original "$SHARED/original" "$@"; }
stamped() { through --stamp "$SHARED/${1:-original}.tsr" --tsa-ca "$SHARED/ca.pem" "${@:2}"; }

bits_through() { sed -n 's/.*through the original .* agree, \(.*\) bits of proof/\1/p'; }

@test "a rewrite keeps the accuracy, and half of the owner's bits agree" {
    run -11 judge
    assert_output --partial 'neither: not significant'
    accuracy=$(passgrid judge --dir . --test 100 --model "$SHARED/original" --evidence "$SHARED/evidence" | grep 'as deployed')
    assert_line "$accuracy"
}

@test "through the original all bits agree, and without a stamp that is no proof" {
    run -10 through
    assert_output --regexp 'read as it is +[0-9]+ of 160 agree'
    assert_output --regexp 'read through the original +1[56][0-9] of 160 agree'
    assert_output --partial 'none: no stamp shows that evidence and original are older than the network'
    assert_output --regexp 'enough to prove +a stamp of evidence and original'
    run -10 through --published 2999-01-01
}

@test "a stamp older than the network makes the reading a proof" {
    run -0 stamped original --published 2999-01-01
    assert_output --regexp 'verdict +proves'
    assert_output --partial 'the reading through the original counts; two readings cost one bit'
    run -0 stamped original --published 2999-01-01 --json
    assert_output --partial '"counts": "aligned"'
    assert_output --partial '"unstamped": false'
}

@test "a younger stamp, or a network without a date, makes no proof" {
    run -10 stamped original --published 2000-01-01
    assert_output --partial 'the network was published: 2000-01-01'
    run -10 stamped original
    assert_output --partial 'the network was published: not known'
}

@test "a stamp counts from the latest time that its authority's accuracy allows" {
    cp "$SHARED"/{ca.cnf,ca.pem,tsa.pem,tsa.key,serial} .
    echo 'accuracy = secs:1000000, millisecs:500' >>ca.cnf # 11 days
    grant_stamp "$SHARED/original.tsq" inaccurate.tsr
    with() { through --stamp "$1" --tsa-ca "$SHARED/ca.pem" --published "$(date -u -d "$2 days" +%F)"; }
    run -10 with inaccurate.tsr 9
    run -0 with inaccurate.tsr 14
    run -0 with "$SHARED/original.tsr" 9
}

@test "a stamp for another model or of another authority makes no proof" {
    run -10 stamped sold --published 2999-01-01
    assert_output --partial 'does not hold: '
    assert_output --partial 'message imprint mismatch'
    run -10 through --stamp "$SHARED/original.tsr" --tsa-ca "$SHARED/other.pem" --published 2999-01-01
    assert_output --partial 'certificate verify error'
}

@test "the accused network, shown as its own original, carries no evidence" {
    run -11 judge --original "$SHARED/sold"
    assert_output --partial 'the original does not carry this evidence'
}

@test "the same evidence with and without an original counts as two, and each loses a bit" {
    run -11 judge --evidence "$SHARED/evidence" --original "$SHARED/original"
    refute_output --partial 'the same claim as'
    both=$(bits_through <<<"$output")
    alone=$(through | bits_through)
    assert_equal "$(awk "BEGIN {print $alone - $both}")" 1
}

@test "the page says how the network was read" {
    run -10 through --report page.html
    says 'The network was rewritten' page.html
    says 'No time stamp shows' page.html
}

@test "options that need others are refused" {
    refuses 'needs the --original that it stamps' judge --stamp "$SHARED/original.tsr" --tsa-ca "$SHARED/ca.pem"
    refuses 'needs --tsa-ca FILE' through --stamp "$SHARED/original.tsr"
    refuses 'expected a day as YYYY-MM-DD' through --published 2026-02-30
    refuses 'comes after the --evidence' passgrid judge --original x --model y --evidence z
}

@test "the judge stops if its certificates cannot be read" {
    echo nothing >empty.pem
    refuses 'empty.pem: ' through --stamp "$SHARED/original.tsr" --tsa-ca empty.pem
    run -3 through --stamp "$SHARED/original.tsr" --tsa-ca nowhere.pem
}

@test "an original that cannot be read refuses its claim" {
    echo nothing >broken
    refuses 'broken: ' judge --original broken
    run -3 judge --original nowhere
}
