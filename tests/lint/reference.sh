#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The reference of every key in configs/README.md, from the program's own tables. usage: reference.sh PASSGRID [--check]
set -euo pipefail
cd "$(dirname "$0")/../.."
passgrid=$1 page=configs/README.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
    sed '/^`make reference` writes/q' "$page"
    echo
    echo '```text'
    "$passgrid" help config
    echo '```'
    for kind in schemes attacks; do
        for name in $("$passgrid" list "$kind" | awk '{print $1}'); do
            printf '\n### %s %s\n\n```text\n' "${kind%s}" "$name"
            "$passgrid" help "${kind%s}" "$name"
            echo '```'
        done
    done
} | sed 's/[ \t]*$//' >"$new"
if [ "${2:-}" = --check ]; then
    cmp -s "$new" "$page" || {
        echo "$page is stale: run make reference"
        exit 1
    }
else
    cp "$new" "$page"
fi
