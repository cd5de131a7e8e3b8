#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-3.0-or-later
# What comes from the tables of the commands beside parsing and help: shell completion, and the manual page.
load ../common

# complete_words WORD...: what bash offers for this command line in place of its last word, sorted
complete_words() {
    source <("$PASSGRID" completion bash)
    COMP_WORDS=("$PASSGRID" "$@") COMP_CWORD=$# COMPREPLY=()
    _passgrid
    printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}
offers() { # offers EXPECTED WORD...
    run -0 complete_words "${@:2}"
    assert_output "$1"
}

# ---- bash ---------------------------------------------------------------------------------------------------------------------
@test "bash completes commands" {
    offers 'bench commit completion data doctor help import judge list mark plan report run secret status table task why' ''
    offers 'new' secret ''
    offers 'plan' pl
    offers 'adi greedy margin neuralmark uchida zhang' mark --scheme ''
    offers 'dispatch' bench d
    offers '' nonsense x
}

@test "bash completes options" {
    offers '--profile' plan --p
    offers '--data --deadline' run config.yaml --d
    offers '--help --records --tasks' bench dispatch -
    offers '--json' judge --model m --evidence e --js
}

@test "bash completes choices and names" {
    offers 'cifar imagenet' judge --pixels ''
    offers 'resnet18 resnet18-imagenet resnet20 resnet32 resnet34 resnet56 resnet9' bench --arch res
    offers 'attacks' list at
    offers 'fake1 fake2 fake3' help fake
    offers 'cifar10 cifar100' data fetch cif
}

@test "bash completes a value after =, where it splits the word" {
    offers 'eval layers model net passports train' bench --mode =
    offers 'train' bench --mode = tr
    offers '--turns' bench --mode = train --tu
}

@test "bash completes files and folders" {
    mkdir results
    touch grid.yaml results.csv
    offers 'results' table --out res
    offers 'results results.csv' table res
    offers 'results' run grid.yaml --out res
    offers 'results results.csv' run res
    offers 'grid.yaml' judge --model gr
}

@test "bash completes the profiles of the configuration" {
    printf 'profiles:\n  laptop: {}\n  large: {}\n  small: {}\n' >grid.yaml
    offers 'laptop large' run grid.yaml --profile la
    offers 'laptop large small' plan grid.yaml --profile =
    offers '' plan missing.yaml --profile la
}

@test "every shell has a completion script, which offers the program's words" {
    for shell in bash zsh fish; do
        run -0 passgrid completion $shell
        assert_line --partial 'completion words -- '
    done
    run -0 passgrid completion words -- bench --mode=t
    assert_output $'words\n--mode=train'
    refuses "expected one of bash, zsh, fish, words, got \"csh\"" passgrid completion csh
}

# ---- the manual page ----------------------------------------------------------------------------------------------------------
@test "the manual page has every command and every option" {
    run -0 passgrid help --man
    page=${output//\\-/-}
    for command in run plan why table data judge bench 'bench dispatch' doctor list help completion; do
        assert_regex "$page" $'\n\\.SS passgrid '"$command"$'\n'
        run -0 passgrid $command --help
        while read -r option _; do
            [ "$option" = --help ] || assert_regex "$page" $'\n\\.B '"$option"
        done < <(grep -o '^  --[a-z-]*' <<<"$output")
    done
    refuses '--man takes no words' passgrid help --man run
}
