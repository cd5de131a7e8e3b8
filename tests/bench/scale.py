#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time and memory of commands on a grid of 100,025 tasks: 25 trainings, each forged in 4,000 ways.

usage: tests/bench/scale.py [PROGRAM], default build/passgrid
It makes the records up here and lets run pack them, then measures run (which has nothing left to do), plan and table: once as
they are, and once with a millisecond more for every call that touches a file of the run (PROGRAM's tests/faults.so).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from tables import measure, record, write

ATTACK = "  - {attack: fake1, repeats: %s, images: %s, passport: shuffle}\n"
GRID = """name: scale
seeds: %s
data: {name: synthetic, train: 96, test: 50}
networks:
  - {arch: alexnet, norm: bn, width: 0.25}
schemes:
  - {scheme: v1, passport: random}
attacks:
"""


def numbers(first, count):
    return str(list(range(first, first + count)))


def make_grid(path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(GRID % numbers(1, 25))
        for k in range(5):
            file.write(ATTACK % (numbers(32 * k + 1, 32), numbers(1, 25)))


def make_records(program, grid, run):
    """A record for each task of the grid, with a public text of usual length."""
    os.makedirs(run + "/records")
    plan = subprocess.run([program, "plan", grid, "--out", run, "--export", "jsonl"], check=True, capture_output=True)
    for number, line in enumerate(plan.stdout.splitlines()):
        task = json.loads(line)
        made = record(number, task["key"], task["name"], 1)
        made["task"] = "x" * 1500
        made["labels"]["seed"] = number // 4001
        if made["labels"]["parameters"]:
            made["labels"]["parameters"]["repeats"] = number % 4001
        write("%s/records/%s.json" % (run, task["key"]), made)


def slowed(program, run):
    """The beginning of a command whose calls on files of the run take a millisecond more."""
    shim = os.path.join(os.path.dirname(program), "tests", "faults.so")
    return ["/usr/bin/env", "LD_PRELOAD=" + shim, "FAULT=latency", "FAULT_UNDER=" + run]


def main():
    program = os.path.abspath((sys.argv[1:] + ["build/passgrid"])[0])
    folder = tempfile.mkdtemp(prefix="passgrid-scale-")
    grid, run = folder + "/grid.yaml", folder + "/run"
    try:
        make_grid(grid)
        make_records(program, grid, run)
        print("command,latency_ms,cpu_seconds,seconds,MB")
        commands = ["run", grid, "--out", run], ["plan", grid, "--out", run], ["table", run]
        measure([program] + commands[0])
        for slow in [], slowed(program, run):
            for command in commands:
                seconds, memory, cpu = measure(slow + [program] + command)
                print("%s,%d,%.2f,%.2f,%.0f" % (command[0], bool(slow), cpu, seconds, memory), flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
