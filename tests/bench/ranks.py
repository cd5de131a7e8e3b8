# SPDX-License-Identifier: GPL-3.0-or-later
"""Two ranks of one thread, as two processes that share nothing, against one rank of two: training images per second, runs that
alternate.

usage: ranks.py PASSGRID [PAIRS]
"""
import statistics
import subprocess
import sys

BATCH, STEPS = 64, 12


def start(passgrid, arch, threads):
    command = [passgrid, "bench", "--arch", arch, "--mode", "train", "--batch", str(BATCH), "--threads", str(threads), "--steps", str(STEPS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def images_per_s(process):
    text = process.communicate()[0]
    if process.returncode:
        sys.exit(process.returncode)
    seconds = [float(line.split(":")[1]) for line in text.splitlines() if line.startswith("seconds:")]
    return BATCH / statistics.median(seconds)


def main():
    passgrid, pairs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    for arch in ("alexnet", "resnet18"):
        ratios = []
        for _ in range(pairs):
            ranks = [start(passgrid, arch, 1), start(passgrid, arch, 1)]
            apart = sum(images_per_s(rank) for rank in ranks)
            together = images_per_s(start(passgrid, arch, 2))
            ratios.append(apart / together)
        print(f"{arch}: two ranks of one thread reach {statistics.median(ratios):.2f} times one rank of two "
              f"({min(ratios):.2f} to {max(ratios):.2f}), last {apart:.1f} against {together:.1f} images/s", flush=True)


main()
