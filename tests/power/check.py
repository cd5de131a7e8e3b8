# SPDX-License-Identifier: GPL-3.0-or-later
"""Read cells.csv of grid.yaml, or of a part of it: every genuine claim proves, and every trigger set was learned to 90 %.

usage: check.py CELLS.CSV"""

import collections
import csv
import sys

claims = collections.Counter()
faults = []
for row in csv.DictReader(open(sys.argv[1])):
    task, value = f"{row['scheme']}, seed {row['seed']}, {row['attack']}", row["value"]
    if row["metric"] == "proves":
        claims[row["scheme"]] += 1
        if float(value) != 1:
            faults.append(f"{task}: the evidence does not prove")
    if row["metric"] in ("trigger_public", "trigger_private") and row["attack"] == "-" and float(value) < 90:
        faults.append(f"{task}: the network learned only {value} % of the triggers")
for scheme, count in claims.items():
    print(f"{scheme}: {count} claims")
print(*faults, sep="\n", end="")
sys.exit(bool(faults) or not claims)
