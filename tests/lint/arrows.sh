#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The include graph by room: which room uses which, and how many includes each arrow stands for. Fails on an arrow that the
# table does not allow. usage: arrows.sh [--quiet]
set -euo pipefail
cd "$(dirname "$0")/../.."

# room: rooms that it may use, "core" standing for all below core
table='
core/base:
core/formats: core/base
core/compute: core/base
core/nets: core/base core/formats core/compute
core/data: core/base core/formats core/compute
core/ownership: core/base core/formats core/compute core/nets core/data
core/train: core/base core/formats core/compute core/nets core/data core/ownership
attacks: core
experiments/grid: core attacks
experiments/work: core attacks experiments/grid
experiments/run: core attacks experiments/grid experiments/work
experiments/report: core attacks experiments/grid experiments/work
experiments/commands: core attacks experiments/grid experiments/work experiments/run experiments/report
experiments: core experiments/run experiments/commands
'

find core attacks experiments -name '*.[ch]' | sort | xargs grep -nE '^#include "' |
    awk -v table="$table" -v quiet="${1:-}" '
    function room(path) { sub("/[^/]*$", "", path); return path }
    BEGIN {
        rows = split(table, row, "\n")
        for (r = 1; r <= rows; r++) {
            if (row[r] == "") continue
            split(row[r], side, ":"); known[side[1]] = 1
            n = split(side[2], one, " ")
            for (i = 1; i <= n; i++) allowed[side[1], one[i]] = 1
        }
    }
    {
        split($0, part, ":"); split($0, quoted, "\"")
        from = room(part[1]); to = room(quoted[2])
        if (from == to) next
        if (!(from in known) || !((from, to) in allowed || (to ~ /^core\// && (from, "core") in allowed))) {
            print part[1] ":" part[2] ": " from " may not use " to; wrong++
        }
        if (!((from, to) in arrows)) count++
        arrows[from, to]++
    }
    END {
        if (quiet == "") for (a in arrows) { split(a, side, SUBSEP); print side[1] " -> " side[2] " (" arrows[a] ")" | "sort" }
        close("sort")
        for (k in known) rooms++
        print rooms " rooms, " count " arrows, " wrong + 0 " of them not allowed"
        exit wrong > 0
    }'
