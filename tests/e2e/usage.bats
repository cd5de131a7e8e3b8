#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line: help, lists, --set, --profile, secrets, readers that close their end, files that are missing.
load ../common

plan() { "$PASSGRID" plan "$GRID" "$@"; }

# ---- help ---------------------------------------------------------------------------------------------------------------------
@test "every command prints its help for -h and --help" {
    for command in run plan why table data judge bench doctor list help; do
        run -0 passgrid $command -h
        short=$output
        run -0 passgrid $command --help
        assert_output "$short"
        assert_line --regexp '^usage: passgrid'
    done
    run -0 passgrid -h
}

@test "help explains sections, schemes, attacks, networks, data sets, presets and keys" {
    for word in config train data networks nets schemes attacks verify profiles presets set grid run table v1 uchida fake1 prune \
        alexnet cifar10 neurips19 seeds lr levels keep model evidence after scheme attack; do
        run -0 passgrid help $word
        assert_output
    done
}

@test "help train is about the training, with its keys" {
    run -0 passgrid help train
    assert_output --partial 'epochs  '
}

@test "help data is about the command and the section" {
    run -0 passgrid help data
    assert_output --partial 'usage: passgrid data fetch'
    assert_output --partial 'data: one map or a list of maps'
}

@test "help of a key says where the key stands" {
    run -0 passgrid help levels
    assert_output --partial 'in the attack prune:'
    assert_output --partial 'in the attack flip:'
    run -0 passgrid help keep
    assert_output --partial 'in every attack:'
}

@test "help of two words describes that one attack" {
    run -0 passgrid help attack fake1
    assert_output --partial 'attack fake1: '
}

@test "help explains chains of attacks" {
    run -0 passgrid help chain
    assert_line --partial 'attack: extract'
}

@test "a word, command or option that does not exist is refused, with a suggestion" {
    refuses "passgrid help: nothing is called 'trian', did you mean 'train'?" passgrid help trian
    refuses "passgrid: unknown command 'plann', did you mean 'plan'? (passgrid --help)" passgrid plann
    refuses "passgrid plan: unknown option '--ot', did you mean '--out'? (passgrid plan --help)" plan --ot x
    refuses "passgrid plan: unknown option '-x' (passgrid plan --help)" plan -x
}

# ---- lists --------------------------------------------------------------------------------------------------------------------
@test "lists are in columns: every summary begins behind the longest name" {
    for list in schemes attacks networks nets data presets; do
        run -0 passgrid list $list
        awk '{ at = match($0, / [^ ]/); if (NR > 1 && substr($0, column, 2) !~ /^ [^ ]/) exit 1
            if (NR == 1) { match($0, /  +/); column = RSTART + RLENGTH - 1 } }' <<<"$output"
    done
}

@test "every scheme is in a group, and its help tells the threat model" {
    run -0 passgrid list schemes
    assert_line --regexp '^plain +control '
    assert_line --regexp '^v1 +passports '
    assert_line --regexp '^uchida +white box '
    assert_line --regexp '^adi +black box '
    run -0 passgrid help scheme uchida
    assert_line --partial 'threat model: the judge has the weights'
    assert_line --partial 'differs from the source: '
}

@test "README counts the schemes and attacks, and names every scheme in its group" {
    readme=$ROOT/README.md
    passgrid list schemes | grep -v ' control ' >schemes
    run -0 grep -F "It has $(wc -l <schemes) schemes and $(($(passgrid list attacks | wc -l) - 1)) attacks" "$readme"
    while read -r scheme group _; do
        run -0 grep -E "^\\| .*$group.*\`$scheme\`" "$readme"
    done <schemes
}

# ---- --set --------------------------------------------------------------------------------------------------------------------
@test "--set with an index reaches into a list" {
    run -0 plan --set networks.0.width=0.125
    assert_output --partial '/alexnet'
    refuses "--set networks.7.width=0.125: networks: expected an index below 1, got '7'" plan --set networks.7.width=0.125
}

@test "--set ignores blanks around = and keys" {
    run -0 plan --set ' train . epochs = 3 '
    blanks=$output
    run -0 plan --set train.epochs=3
    assert_output "$blanks"
}

@test "--set without = or without a key is refused" {
    refuses 'expected KEY=VALUE, such as train.epochs=2' plan --set train.epochs
    refuses 'expected KEY=VALUE, but a key is empty' plan --set '=3'
}

@test "--set with a control character or bytes that are not UTF-8 is refused without printing them" {
    refuses '--set tr\xff=1: not UTF-8 (byte 0xff)' plan --set $'tr\xff=1'
    refuses '--set label=\xc3: not UTF-8 (byte 0xc3)' plan --set $'label=\xc3'
    refuses '--set label\x1b=1: control character 0x1b' plan --set $'label\x1b=1'
}

@test "--set of an unknown key is refused, and the message names the option" {
    refuses "--set train.epoch=3: train.epoch: unknown key, did you mean 'epochs'?" plan --set train.epoch=3
}

# ---- --profile ----------------------------------------------------------------------------------------------------------------
@test "a profile that does not exist is refused, and the message names the option" {
    refuses '--profile=big: profile: this configuration has no profiles' plan --profile big
    refuses '--profile=laptpo: profile: expected one of ' passgrid plan "$ROOT/configs/paper.yaml" --profile laptpo
    assert_output --partial "did you mean 'laptop'?"
    refuses '--set profile=big: profile: this configuration has no profiles' plan --set profile=big
}

# ---- secrets ------------------------------------------------------------------------------------------------------------------
signed=(--set 'schemes=[{scheme: v1, passport: random}]' --set 'attacks=[]')

@test "a signature from a file makes the same task as one on the command line" {
    printf 'zq' >secret
    run -0 plan "${signed[@]}" --set schemes.0.signature=hex:7a71
    typed=$output
    run -0 plan "${signed[@]}" --set schemes.0.signature=file:secret
    assert_output "$typed"
}

@test "a signature file that is missing is refused" {
    refuses "schemes.0.signature: $PWD/nowhere: No such file or directory" plan "${signed[@]}" --set schemes.0.signature=file:nowhere
}

@test "a signature that is too long is refused, and the message does not show it" {
    refuses 'schemes.0: synthetic, alexnet: signature: 10 bytes need 80 bits' plan "${signed[@]}" \
        --set schemes.0.signature=hex:7a717a717a717a717a71
    refute_output --partial 7a71
}

# ---- files and readers --------------------------------------------------------------------------------------------------------
@test "a configuration that is missing, a directory, or of 8 GB is refused, and nothing is made" {
    mkdir directory
    for command in run plan; do
        refuses "passgrid $command: nowhere.yaml: No such file or directory" passgrid $command nowhere.yaml
        refuses "passgrid $command: directory: not a regular file" passgrid $command directory
    done
    run -2 passgrid why x nowhere.yaml
    truncate -s 8G huge.yaml
    refuses 'passgrid plan: huge.yaml: the file has more than 1048576 bytes of YAML' passgrid plan huge.yaml
    assert_not_exists results
}

@test "a reader that stops reading or has closed the pipe is no error" {
    closed() {
        "$PASSGRID" "$@" 2>err | head -n 1
        [ "${PIPESTATUS[0]}" = 0 ] && [ ! -s err ]
    }
    run -0 closed plan "$GRID" --set "seeds=[$(seq -s, 1 30)]"
    late() {
        {
            sleep 0.3
            "$PASSGRID" "$@" && echo 0 >code
        } 2>err | :
        [ "$(cat code)" = 0 ] && [ ! -s err ]
    }
    run -0 late help config
    rm code
    run -0 late list nets
}

@test "a full disk behind standard output is an error, after little and after much" {
    run -3 sh -c '"$@" >/dev/full' sh "$PASSGRID" help config
    assert_output --partial 'passgrid: standard output: No space left on device'
    run -3 sh -c '"$@" >/dev/full' sh "$PASSGRID" plan "$GRID" --set "seeds=[$(seq -s, 1 30)]"
}

# ---- what a grid may not be ---------------------------------------------------------------------------------------------------
@test "a level or a seed that is listed twice is refused" {
    run -2 plan --set 'attacks=[{attack: prune, levels: [50, 50, 50.0]}]'
    assert_output --partial 'attacks.0.levels.1: the list already has 50'
    assert_output --partial 'attacks.0.levels.2: the list already has 50.0'
    refuses 'seeds.1: the list already has 1' plan --set 'seeds=[1, 1]'
}

@test "a grid of more than a million tasks is refused, and the message says the product" {
    list=$(seq -s, 1 300)
    refuses 'seeds 6 x (schemes 300 + attacks on them 180,000) = 1,081,800 tasks; at most 1,000,000 are allowed' \
        plan --set "seeds=[1, 2, 3, 4, 5, 6]" --set "schemes=[{scheme: v1, passport: random, images: [$list]}]" \
        --set "attacks=[{attack: [fake1, permute], repeats: [$list]}]"
}

@test "help on a key says once what several schemes or attacks share" {
    run -0 passgrid help secret
    assert_line --index 0 'in the schemes v1, v2, v3, pan, uchida, neuralmark, greedy, adi, zhang, margin:'
    assert_equal "${#lines[@]}" 3
    run -0 passgrid help epochs
    assert_line 'in the attacks fake2, fake3, substitute:'
    assert_line 'in the attacks overwrite, regularise:'
}
