#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The worked scheme, attack, network, data set and table, in a program that was built from their files and list lines alone.
PASSGRID=${PASSGRID:-$BATS_TEST_DIRNAME/../../build/tests/plugin}
load ../common

grid=$BATS_TEST_DIRNAME/grid.yaml
at=synthetic-lenet-bn

setup_file() {
    cd "$SHARED"
    passgrid run "$grid" --out run
}

column() { awk -F, -v want="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == want) c = i; next } { print $c }'; }
row() { grep -F ",$1," "run/tables/$2.csv" | cat <(head -n 1 "run/tables/$2.csv") -; } # row TEXT TABLE, under the head

@test "list and help show the worked plug-ins" {
    for name in 'schemes patch' 'attacks quantize' 'networks lenet'; do
        run -0 passgrid list "${name% *}"
        assert_line --regexp "^${name#* } "
        run -0 passgrid help "${name#* }"
        assert_line --partial "${name#* }: "
    done
    run -0 passgrid help quantize
    assert_line '  bits  a list of whole numbers in [1, 16], in bits, default [8, 6, 4, 3, 2]'
    refuses "did you mean 'quantize'" passgrid help quantise
}

@test "the program knows its own list and no other" {
    refuses "attacks.0.attack: expected one of unchanged, fake1, counterfeit-triggers, quantize, got \"prune\"" \
        passgrid plan "$grid" --set 'attacks=[{attack: prune}]'
}

@test "no other code names the worked plug-ins or looks up their options" {
    run -0 bash "$ROOT/tests/lint/names.sh" "$PASSGRID"
}

@test "faults in the options of worked plug-ins are found before the run" {
    refuses 'schemes.1: synthetic, lenet: count: expected at most the 100 test images of synthetic, got 101' \
        passgrid plan "$grid" --set schemes.1.count=101
    refuses 'attacks.1.bits' passgrid plan "$grid" --set 'attacks.1.bits=[17]'
}

@test "the owner's claim by the worked scheme stands" {
    cd "$SHARED"
    assert_equal "$(row patch schemes | column agrees)" 1
}

@test "the worked attack is judged at each level" {
    cd "$SHARED"
    says 'patch,quantize,bits=8,' run/tables/removal.csv
    says 'v2,quantize,bits=1,' run/tables/removal.csv
    assert_equal "$(row quantize,bits=8 removal | grep -e '^data' -e patch | column agrees)" 1
    assert_equal "$(row quantize,bits=1 removal | grep -e '^data' -e patch | column agrees)" 0
}

@test "attacks of the first program run on the worked scheme" {
    cd "$SHARED"
    says 'patch,counterfeit-triggers,' run/tables/ambiguity.csv
    says_not 'patch,fake1,' run/tables/ambiguity.csv
}

@test "the worked attack has the figure that it declares" {
    borrow run
    run -0 passgrid table run --figures
    assert_file_contains "run/figures/quantisation-lenet-bn.csv" '^line,bits,'
    says "set xlabel 'bits of a parameter'" run/figures/quantisation-lenet-bn.gp
}

@test "the worked table stands beside the others" {
    cd "$SHARED"
    assert_equal "$(row patch networks | column learnt)" 1
    assert_file_exists run/tables/networks.md
    assert_file_not_exists run/tables/settings.csv
}

@test "the worked data set is planned, trained on and learnt" {
    run -0 passgrid data list
    assert_line --regexp '^bars .* a grey bar in noise'
    passgrid run "$grid" --out run --set data.name=bars --set attacks=[] --set 'schemes=[{scheme: plain}]' --set train.epochs=3
    assert_file_contains run/tables/networks.csv '^bars,lenet,bn,plain,1,'
}

@test "the judge decides claims by evidence of the worked scheme" {
    cd "$SHARED"
    run -0 passgrid judge --model "run/models/$at-patch-s1.safetensors" --evidence "run/evidence/$at-patch-s1.safetensors" \
        --data synthetic
    assert_line --regexp '^  verdict +agrees$'
    run -0 passgrid judge --model "run/models/$at-plain-s1.safetensors" --evidence "run/evidence/$at-patch-s1.safetensors" \
        --data synthetic
    assert_line --regexp '^  verdict +neither: not significant$'
}

@test "two ranks write the same bytes" {
    ranks 2 "$PASSGRID" run "$grid" --out twice >/dev/null
    run -0 same "$SHARED/run" twice
}
