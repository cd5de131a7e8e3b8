#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Plug-ins are closed: no name of a scheme, attack or network, and no look-up of one of their options, stands in a string
# outside the plug-in's own file. Names and options come from the program; those of training belong to all that train.
# usage: names.sh PASSGRID
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$(dirname "$0")/../.."
passgrid=$1 wrong=0

# A metadata key of model files that is also the name of a scheme; examples of commands, which are documents.
allowed='^core/nets/state_spec\.c:.*"pan"|"  passgrid '

report() { # report FOUND WHAT: lines FILE:LINE:TEXT that are a fault
    [ -z "$1" ] && return
    sed "s/^\([^:]*:[^:]*\):.*/\1: $2/" <<<"$1"
    wrong=1
}

# Strings of the code, except names of includes: FILE:LINE:TEXT.
strings=$(grep -rnE '"' core attacks experiments --include='*.[ch]' | grep -v ':#include' | grep -vE "$allowed")

keys() { sed -n 's/^  \([a-z_0-9]*\)  .*/\1/p' | sort; } # of the options that help shows
"$passgrid" help train | keys >"$work/train"

for kind in scheme attack network; do
    for name in $("$passgrid" list "${kind}s" | awk '{print $1}'); do
        own=$({ grep -rlF ".name = \"$name\"" core attacks tests/plugin || true; } | tr '\n' '|') # none: a network file
        others=$(grep -vE "^(${own}none):" <<<"$strings")
        text="\"$name\""
        # A name that is no word of English may not be part of a longer string either.
        [[ $name =~ [0-9-] ]] && text="\"([^\"]*[^a-z0-9\"-])?$name([^a-z0-9\"-][^\"]*)?\""
        report "$(grep -E "$text" <<<"$others")" "names the $kind $name"
        for key in $("$passgrid" help "$kind" "$name" | keys | comm -23 - "$work/train"); do
            look_up="(options_(find|set)|parameters_(find|value))\(.*\"$key\""
            report "$(grep -E "$look_up" <<<"$others")" "looks up $key, an option of the $kind $name"
        done
    done
done
exit $wrong
