# SPDX-License-Identifier: GPL-3.0-or-later
"""Every convolution of a network, beside oneDNN's fastest algorithm for each of the three passes.

usage: layers.py PASSGRID ONEDNN OUT_DIR [--rounds N] [--threads T]

The two programs take turns, N times each, and a row has the fastest run of each pass. Layers of the same shape are measured once.
The first layer has no gradient of its images. Prints the rows and writes OUT_DIR/layers.csv when it is complete.
"""
import argparse
import csv
import os
import re
import subprocess

BATCH, RUNS = 64, 5
LAYER = re.compile(r"layer_\S+: (\d+)->(\d+) (\d+)x(\d+) kernel (\d+) stride (\d+) (\S+) forward ([\d.]+) ms backward ([\d.]+) ms")


def our_layers(passgrid, arch, threads):
    """{shape: (algorithm, milliseconds of all passes)}, shape = channels, filters, height, width, kernel, stride."""
    command = [passgrid, "bench", "--arch", arch, "--mode", "layers", "--batch", str(BATCH), "--threads", str(threads), "--steps",
               str(RUNS)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return {tuple(map(int, row[:6])): (row[6], float(row[7]) + float(row[8])) for row in LAYER.findall(text)}


def their_layers(onednn, shapes, threads):
    """For each shape ([milliseconds], [algorithm]) of forward, backward-data and backward-weights."""
    lines = "".join(" ".join(map(str, shape)) + f" {shape[4] // 2}\n" for shape in shapes)
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
    text = subprocess.run([onednn, str(BATCH), str(RUNS)], check=True, stdout=subprocess.PIPE, input=lines, text=True,
                          env=environment).stdout
    rows = [line.split() for line in text.splitlines()]
    return [([float(ms) for ms in row[::2]], row[1::2]) for row in rows]


def measure(options, arch):
    """{shape: (our algorithm, our milliseconds, their milliseconds, their algorithms)}, the fastest of the rounds."""
    best = {}
    for _ in range(options.rounds):
        ours = our_layers(options.passgrid, arch, options.threads)
        theirs = their_layers(options.onednn, list(ours), options.threads)
        for (shape, (algorithm, mine)), (passes, names) in zip(ours.items(), theirs):
            if shape[0] == 3:
                passes, names = [passes[0], passes[2]], [names[0], names[2]]
            old = best.get(shape, (algorithm, mine, passes, names))
            named = [min(pair) for pair in zip(zip(old[2], old[3]), zip(passes, names))]
            best[shape] = (algorithm, min(mine, old[1]), [ms for ms, _ in named], [name for _, name in named])
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("passgrid")
    parser.add_argument("onednn")
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    path = os.path.join(options.out, "layers.csv")
    os.makedirs(options.out, exist_ok=True)
    with open(path + ".new", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["arch", "channels", "filters", "height", "width", "kernel", "stride", "algorithm", "ms", "onednn_ms",
                        "onednn_algorithms", "ratio"])
        for arch in ("alexnet", "resnet18"):
            rows = measure(options, arch)
            for shape, (algorithm, mine, passes, names) in rows.items():
                table.writerow([arch, *shape, algorithm, f"{mine:.2f}", f"{sum(passes):.2f}", "/".join(names),
                                f"{sum(passes) / mine:.2f}"])
                print(f"{arch:9} {shape[0]:3}->{shape[1]:<3} {shape[2]:2}x{shape[3]:<2} kernel {shape[4]} stride {shape[5]} "
                      f"{algorithm:8} {mine:7.2f} ms, oneDNN {sum(passes):7.2f} ms ({'/'.join(names)}), ratio "
                      f"{sum(passes) / mine:.2f}", flush=True)
            ratio = sum(sum(row[2]) for row in rows.values()) / sum(row[1] for row in rows.values())
            print(f"{arch:9} all shapes: ratio {ratio:.2f}", flush=True)
    os.replace(path + ".new", path)


main()
