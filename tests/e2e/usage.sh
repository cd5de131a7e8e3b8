#!/usr/bin/env bash
# The command line: help, lists, --set, --profile, secrets, readers that go away, files that are not there.
# usage: tests/e2e/usage.sh [PROGRAM], default $PASSGRID or build/passgrid; prints one line per check; exit code 1 if any failed
set -uo pipefail
. tests/e2e/checks.bash

plan() { "$PASSGRID" plan "$GRID" "$@"; }
complains() { test "$(wc -l <err)" -eq 1 && says "$1"; } # one line to stderr, with this in it

# ---- help ---------------------------------------------------------------------------------------------------------------------
for command in run plan why table data judge bench doctor list help; do
    check "$command -h" code 0 "$PASSGRID" $command -h
    mv out short
    check "... as --help" code 0 "$PASSGRID" $command --help
    check "... which begins with its usage" grep -q '^usage: passgrid' out
    check "... the same" cmp out short
done
check "-h" code 0 "$PASSGRID" -h
for word in config train data networks nets schemes attacks verify profiles presets set grid run table v1 uchida fake1 prune alexnet cifar10 \
    neurips19 seeds lr levels keep model evidence after scheme attack; do
    check "help $word" code 0 "$PASSGRID" help $word
    check "... has words" test -s out
done
check "help train is about the training" code 0 "$PASSGRID" help train
check "... with its keys" says 'epochs  ' out
check "help data is about the command and the section" code 0 "$PASSGRID" help data
check "... the command" says 'usage: passgrid data fetch' out
check "... the section" says 'data: one map or a list of maps' out
check "help levels says where the key stands" code 0 "$PASSGRID" help levels
check "... prune" says 'in the attack prune:' out
check "... flip" says 'in the attack flip:' out
check "help keep says where the key stands" code 0 "$PASSGRID" help keep
check "... every attack" says 'in every attack:' out
check "help of two words" code 0 "$PASSGRID" help attack fake1
check "... the attack" says 'attack fake1: ' out
check "help of nonsense" code 2 "$PASSGRID" help trian
check "... suggests a word" complains "passgrid help: nothing is called 'trian', did you mean 'train'?"
check "a command that is none" code 2 "$PASSGRID" plann
check "... suggests one" complains "passgrid: unknown command 'plann', did you mean 'plan'? (passgrid --help)"
check "an option that is none" code 2 plan --ot x
check "... suggests one" complains "passgrid plan: unknown option '--ot', did you mean '--out'? (passgrid plan --help)"
check "a short option that is none" code 2 plan -x
check "... says so" complains "passgrid plan: unknown option '-x' (passgrid plan --help)"

# ---- lists --------------------------------------------------------------------------------------------------------------------
for list in schemes attacks networks nets data presets; do
    check "list $list" code 0 "$PASSGRID" list $list
    # a summary begins where the names have ended, in every line
    check "... in columns" awk '{ at = match($0, / [^ ]/); if (NR > 1 && substr($0, column, 2) !~ /^ [^ ]/) exit 1
        if (NR == 1) { match($0, /  +/); column = RSTART + RLENGTH - 1 } }' out
done

# ---- --set --------------------------------------------------------------------------------------------------------------------
resolved() { "$PASSGRID" run "$GRID" --set 'schemes=[{scheme: plain}]' --set 'attacks=[]' "$@"; }
check "an index into a list" code 0 plan --set networks.0.width=0.125
check "... counts" says '/alexnet' out
check "an index beyond a list" code 2 plan --set networks.7.width=0.125
check "... says so" complains "--set networks.7.width=0.125: networks: expected an index below 1, got '7'"
check "blanks around = and keys" code 0 plan --set ' train . epochs = 3 '
mv out blanks
check "... are none" code 0 plan --set train.epochs=3
check "... the same plan" cmp out blanks
check "no =" code 2 plan --set train.epochs
check "... says what is expected" complains 'expected KEY=VALUE, such as train.epochs=2'
check "no key" code 2 plan --set '=3'
check "... says so" complains 'expected KEY=VALUE, got an empty key'
check "a key that is not UTF-8" code 2 plan --set $'tr\xff=1'
check "... says so" complains '--set tr\xff=1: not UTF-8 (byte 0xff)'
check "a value that is not UTF-8" code 2 plan --set $'label=\xc3'
check "... says so" complains '--set label=\xc3: not UTF-8 (byte 0xc3)'
check "a control character" code 2 plan --set $'label\x1b=1'
check "... says so, without it" complains '--set label\x1b=1: control character 0x1b'
check "an unknown key" code 2 plan --set train.epoch=3
check "... names the option" complains "--set train.epoch=3: train.epoch: unknown key, did you mean 'epochs'?"

# ---- --profile ----------------------------------------------------------------------------------------------------------------
check "a profile where there is none" code 2 plan --profile big
check "... names the option" complains '--profile=big: profile: this configuration has no profiles'
check "a profile that is none" code 2 "$PASSGRID" plan "${GRID%/tests/*}/configs/paper.yaml" --profile laptpo
check "... names the option" complains '--profile=laptpo: profile: expected one of '
check "... suggests one" says "did you mean 'laptop'?"
check "a profile by --set" code 2 plan --set profile=big
check "... names that option" complains '--set profile=big: profile: this configuration has no profiles'

# ---- secrets ------------------------------------------------------------------------------------------------------------------
signed=(--set 'schemes=[{scheme: v1, passport: random}]' --set 'attacks=[]')
printf 'zq' >secret
check "a signature on the command line" code 0 plan "${signed[@]}" --set schemes.0.signature=hex:7a71
mv out typed
check "... and one from a file" code 0 plan "${signed[@]}" --set schemes.0.signature=file:secret
check "... are one task" cmp out typed
check "a file that is not there" code 2 plan "${signed[@]}" --set schemes.0.signature=file:nowhere
check "... says so" complains 'schemes.0.signature: nowhere: No such file or directory'
check "a signature that is too long" code 2 plan "${signed[@]}" --set schemes.0.signature=hex:7a717a717a717a717a71
check "... says so, without it" complains 'schemes.0: synthetic, alexnet: signature: 10 bytes need 80 bits'
check "... without it" test -z "$(grep 7a71 err)"

# ---- files and readers --------------------------------------------------------------------------------------------------------
mkdir directory
for command in run plan; do
    check "$command without its file" code 2 "$PASSGRID" $command nowhere.yaml
    check "... says so" complains "passgrid $command: nowhere.yaml: No such file or directory"
    check "$command of a directory" code 2 "$PASSGRID" $command directory
    check "... says so" complains "passgrid $command: directory: not a regular file"
done
check "why without its file" code 2 "$PASSGRID" why x nowhere.yaml
truncate -s 8G huge.yaml
check "a file of 8 GB" code 2 "$PASSGRID" plan huge.yaml
check "... says so" complains 'passgrid plan: huge.yaml: more than 1048576 bytes of YAML'
check "no results for them" test ! -e results
closed() { "$PASSGRID" "$@" 2>err | head -n 1 >out; test "${PIPESTATUS[0]}" -eq 0 && test ! -s err; }
seeds="seeds=[$(seq -s, 1 30)]"
check "a reader that stops reading" closed plan "$GRID" --set "$seeds"
gone() { { sleep 0.3; "$PASSGRID" "$@"; echo $? >code; } 2>err | :; test "$(cat code)" -eq 0 && test ! -s err; }
check "a reader that is gone" gone help config
check "... of a short text" gone list nets
check "a full disk" code 3 sh -c '"$@" >/dev/full' sh "$PASSGRID" help config
check "... says so" complains 'passgrid: standard output: No space left on device'
check "... also after much" code 3 sh -c '"$@" >/dev/full' sh "$PASSGRID" plan "$GRID" --set "$seeds"

# ---- what a grid may not be ---------------------------------------------------------------------------------------------------
check "a level twice" code 2 plan --set 'attacks=[{attack: prune, levels: [50, 50, 50.0]}]'
check "... says so" says 'attacks.0.levels.1: the list already has 50'
check "... each" says 'attacks.0.levels.2: the list already has 50.0'
check "a seed twice" code 2 plan --set 'seeds=[1, 1]'
check "... says so" complains 'seeds.1: the list already has 1'
list=$(seq -s, 1 300)
check "too many tasks" code 2 plan --set "seeds=[1, 2, 3, 4, 5, 6]" --set "schemes=[{scheme: v1, passport: random, images: [$list]}]" \
    --set "attacks=[{attack: [fake1, permute], repeats: [$list]}]"
check "... says the product" complains 'seeds 6 x (schemes 300 + attacks on them 180,000) = 1,081,800 tasks, more than 1,000,000'

finish
