#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time and memory of `passgrid table` on a run directory of many records, made up here.

usage: tests/bench/tables.py [PROGRAM] [TASKS] [OUTCOMES ...], default build/passgrid, 100000, 1 7
For every number of outcomes it writes TASKS records of 9 metrics an outcome, one task in a thousand a training and the others
forgeries that each differ in their options, and prints seconds and the peak of memory.
"""
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time

METRICS = [("accuracy", "%"), ("accuracy_claimed", "%"), ("bits", "bits"), ("detection", "%"), ("p_value", ""),
           ("owner_bits_matched", "%"), ("stands", ""), ("attack_images", "images"), ("attack_flops", "multiply-adds")]
SCHEME = {"passport": "random", "images": 20, "carrier": "pretrained", "alpha": 0.1, "layers": "default"}
TRAINING = {"epochs": 200, "batch": 64, "lr": 0.01, "steps": [100, 150], "crop": True}


def write(path, root):
    """A JSON file with the checksum that the program puts at its end."""
    body = json.dumps(root, indent=1)[:-2].encode()
    with open(path, "wb") as file:
        file.write(body + b',\n "sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n')


def cells_of(task, outcomes):
    return [{"outcome": outcome, "metric": metric, "value": (task * 31 + 7 * k) % 1000 / 10, "unit": unit}
            for outcome in outcomes for k, (metric, unit) in enumerate(METRICS)]


def record(task, key, name, outcomes):
    trained = task % 1000 == 0
    labels = {"data": "cifar10", "network": "alexnet", "norm": "bn", "scheme": "v1", "scheme_parameters": SCHEME,
              "training": TRAINING, "attack": "" if trained else "fake1",
              "parameters": {} if trained else {"repeats": task, "passport": "shuffle", "images": 20}, "seed": task // 1000}
    outcomes = [""] if trained else (["genuine"] + ["repeat=%d" % k for k in range(1, outcomes)])
    return {"format": 2, "key": key, "name": name, "task": "{kind: made up}", "labels": labels, "files": {}, "notes": {},
            "cells": cells_of(task, outcomes)}


def make(folder, tasks, outcomes):
    os.makedirs(folder + "/records")
    os.makedirs(folder + "/tables")
    listed = []
    for task in range(tasks):
        key = hashlib.sha256(b"%d" % task).hexdigest()
        name = "cifar10/alexnet-bn/v1/%ss%d/%s" % ("fake1/" if task % 1000 else "", task // 1000, key[:8])
        listed.append({"key": key, "name": name})
        write("%s/records/%s.json" % (folder, key), record(task, key, name, outcomes))
    write(folder + "/grid.json", {"format": 1, "name": "made-up", "label": "", "tasks": listed})


def measure(command):
    """Seconds, MB and seconds of processor time of a command that prints into nothing."""
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execvp(command[0], command)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit("%s failed" % " ".join(command))
    return time.monotonic() - start, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime


def main():
    program, tasks, *outcomes = sys.argv[1:] + ["build/passgrid", "100000", "1", "7"][len(sys.argv) - 1:]
    print("tasks,outcomes,cells,seconds,MB")
    for k in map(int, outcomes):
        folder = tempfile.mkdtemp(prefix="passgrid-tables-")
        try:
            make(folder, int(tasks), k)
            seconds, memory, _ = measure([program, "table", folder])
        finally:
            shutil.rmtree(folder)
        print("%s,%d,%d,%.2f,%.0f" % (tasks, k, int(tasks) * k * len(METRICS), seconds, memory), flush=True)


if __name__ == "__main__":
    main()
