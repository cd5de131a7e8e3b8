# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed of passgrid and PyTorch on the same cores: the two programs take turns; prints the ratios and their spread.

usage: bench.py PASSGRID OUT_DIR [--rounds N] [--steps K] [--threads 1,2] [--rows TEXT] [--costs]

Every row is measured N times over by six programs that do a step each in turn, K times: passgrid, passgrid with all products on
BLIS, and PyTorch in each of its two layouts, as installed and keeping its memory. The C library gives PyTorch's large blocks back
to the system in every step, and the page faults can cost half of its time; the settings in KEEP prevent that. A row is the
median, over all turns, of our images per second over those of the strongest PyTorch, the one whose median step in these K is the
shortest; beside it stands the same ratio for PyTorch as installed, the better layout, and for passgrid on BLIS alone. Then what a
scheme costs beside the plain network, both ours, in the same way. Programs run one
after the other instead would differ by as much as the machine does from one minute to the next. Prints the rows and writes
OUT_DIR/bench.csv, OUT_DIR/costs.csv and OUT_DIR/machine.txt, each when it is complete. --rows keeps the rows whose name contains
TEXT, and writes nothing. --costs leaves PyTorch out and renews costs.csv alone. Fake 1 is 20 passports on 2,000 images;
PyTorch's time is that of one, times 20, and there is one turn.
"""
import argparse
import contextlib
import csv
import os
import platform
import statistics
import subprocess
import sys

KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "16000000000", "MALLOC_TOP_PAD_": "268435456"}
HERE = os.path.dirname(os.path.abspath(__file__))

# name, arch, scheme, norm, mode, batch
ROWS = [
    ("train alexnet plain bn", "alexnet", "plain", "bn", "train", 64),
    ("train resnet18 plain bn", "resnet18", "plain", "bn", "train", 64),
    ("train alexnet v2 gn", "alexnet", "v2", "gn", "train", 64),
    ("train resnet18 v2 gn", "resnet18", "v2", "gn", "train", 64),
    ("infer alexnet plain bn", "alexnet", "plain", "bn", "eval", 128),
    ("infer resnet18 plain bn", "resnet18", "plain", "bn", "eval", 128),
    ("fake1 alexnet v1 bn", "alexnet", "v1", "bn", "passports", 2000),
    ("fake1 resnet18 v1 bn", "resnet18", "v1", "bn", "passports", 2000),
]
# beside the plain network: arch, scheme, norm, mode, batch; every other scheme of the program in training AlexNet
COSTS = [(arch, scheme, "bn" if scheme == "v1" else "gn", mode, batch)
         for scheme, mode, batch in (("v1", "train", 64), ("v1", "eval", 128), ("v2", "train", 64), ("v3", "train", 64))
         for arch in ("alexnet", "resnet18")]


def costs(passgrid):
    """COSTS, and the rows of the schemes that it does not name."""
    lines = subprocess.run([passgrid, "list", "schemes"], check=True, capture_output=True, text=True).stdout.splitlines()
    named = {row[1] for row in COSTS}
    return COSTS + [("alexnet", scheme, "bn", "train", 64) for scheme, group in (line.split()[:2] for line in lines)
                    if scheme not in named and group != "control"]


def our_command(passgrid, row, threads, steps, products="auto"):
    _, arch, scheme, norm, mode, batch = row
    return [passgrid, "bench", "--arch", arch, "--scheme", scheme, "--norm", norm, "--batch", str(batch), "--threads",
            str(threads), "--steps", str(steps), "--mode", mode, "--products", products, "--turns"]


def their_command(row, threads, steps, layout):
    _, arch, scheme, norm, mode, batch = row
    return ["/usr/bin/python3", os.path.join(HERE, "peer.py"), arch, scheme, norm, mode, str(batch), str(threads), str(steps),
            layout]


def read_until(process, name):
    """The text after the next `name:` that a program prints."""
    for line in process.stdout:
        if line.startswith(name + ":"):
            return line.split(":")[1].strip()
    sys.exit(f"{' '.join(process.args)}: ended with exit code {process.wait()} and no '{name}'")


def turn(process):
    """Let a program do a step; returns its seconds."""
    process.stdin.write("\n")
    process.stdin.flush()
    return float(read_until(process, "seconds"))


def take_turns(commands, steps):
    """Run programs, one step each in turn. Returns seconds [command][step], minor page faults per step and
    peak bytes [command]."""
    with contextlib.ExitStack() as stack:
        processes = []
        for command in commands:
            processes.append(stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)))
            read_until(processes[-1], "ready")
        seconds = [[turn(process) for process in processes] for _ in range(steps)]
        faults = [float(read_until(process, "minor_faults_per_step")) for process in processes]
        peaks = [float(read_until(process, "peak_bytes")) for process in processes]
    return list(zip(*seconds)), faults, peaks


def measure(passgrid, row, threads, rounds, steps):
    """Per turn the seconds of passgrid, passgrid on BLIS, PyTorch as installed and the strongest PyTorch; page faults and
    peak bytes of each."""
    if row[4] == "passports":  # minutes a step
        rounds, steps = 1, 1
    commands = [our_command(passgrid, row, threads, steps, products) for products in ("auto", "blis")]
    theirs = [their_command(row, threads, steps, layout) for layout in ("nchw", "nhwc")]
    commands += theirs + [["env", *(f"{name}={value}" for name, value in KEEP.items()), *command] for command in theirs]
    turns, faults, peaks = [], [], []
    for _ in range(rounds):
        seconds, fault, peak = take_turns(commands, steps)
        installed = min((2, 3), key=lambda i: statistics.median(seconds[i]))
        strongest = min((2, 3, 4, 5), key=lambda i: statistics.median(seconds[i]))
        chosen = (0, 1, installed, strongest)
        turns += zip(*(seconds[i] for i in chosen))
        faults.append([fault[i] for i in chosen])
        peaks.append([peak[i] for i in chosen])
    return turns, [statistics.median(fault) for fault in zip(*faults)], [max(peak) for peak in zip(*peaks)]


def measure_cost(passgrid, row, threads, rounds, steps):
    """Extra seconds of the scheme for each turn, in percent of the plain network's."""
    arch, scheme, norm, mode, batch = row
    commands = [our_command(passgrid, ("", arch, s, norm, mode, batch), threads, steps) for s in (scheme, "plain")]
    percent = []
    for _ in range(rounds):
        (marked, plain), _, _ = take_turns(commands, steps)
        percent += [100 * (m / p - 1) for m, p in zip(marked, plain)]
    return percent


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def torch_version():
    """Version of PyTorch; None if it is missing."""
    done = subprocess.run(["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True)
    return None if done.returncode else done.stdout.strip()


@contextlib.contextmanager
def written(options, name):
    """A file in OUT_DIR, renamed to its name when it is complete."""
    path = os.devnull if options.rows else os.path.join(options.out, name + ".new")
    with open(path, "w", newline="") as file:
        yield file
    if not options.rows:
        os.replace(path, os.path.join(options.out, name))


def compare(options, threads_list):
    """Rows of passgrid beside those of PyTorch."""
    with written(options, "bench.csv") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["row", "threads", "turns", "ratio", "lowest", "highest", "installed_ratio", "blis_ratio", "images_per_s",
                        "torch_images_per_s", "installed_images_per_s", "blis_images_per_s", "faults_per_step", "torch_faults_per_step",
                        "installed_faults_per_step", "peak_MB", "torch_peak_MB"])
        for row, threads in ((r, t) for r in ROWS if options.rows in r[0] for t in threads_list):
            turns, faults, peaks = measure(options.passgrid, row, threads, options.rounds, options.steps)
            images = row[5] * (20 if row[4] == "passports" else 1)
            mine, blis, installed, strongest = (images / statistics.median(s) for s in zip(*turns))
            ratios = [turn[3] / turn[0] for turn in turns]
            beside_installed = statistics.median(turn[2] / turn[0] for turn in turns)
            of_blis = statistics.median(turn[3] / turn[1] for turn in turns)
            table.writerow([row[0], threads, len(ratios), f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f}",
                            f"{max(ratios):.2f}", f"{beside_installed:.2f}", f"{of_blis:.2f}", f"{mine:.1f}", f"{strongest:.1f}",
                            f"{installed:.1f}", f"{blis:.1f}", f"{faults[0]:.0f}", f"{faults[3]:.0f}",
                            f"{faults[2]:.0f}", f"{peaks[0] / 1e6:.0f}", f"{peaks[3] / 1e6:.0f}"])
            file.flush()
            print(f"{row[0]:26} {threads} threads: {statistics.median(ratios):.2f} times the strongest PyTorch ({min(ratios):.2f} to "
                  f"{max(ratios):.2f}), {beside_installed:.2f} times PyTorch as installed; on BLIS alone {of_blis:.2f}; "
                  f"{mine:.1f} against {strongest:.1f} images/s, at most {peaks[0] / 1e6:.0f} against {peaks[3] / 1e6:.0f} MB",
                  flush=True)


def weigh(options, threads_list):
    """The cost of schemes, beside the plain network."""
    with written(options, "costs.csv") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["row", "threads", "turns", "cost_percent", "lowest", "highest"])
        for row, threads in ((r, t) for r in costs(options.passgrid) for t in threads_list):
            name = f"{row[3]} {row[0]} {row[1]} {row[2]}"
            if options.rows not in name:
                continue
            percent = measure_cost(options.passgrid, row, threads, options.rounds, options.steps)
            table.writerow([name, threads, len(percent)] + [f"{f(percent):.1f}" for f in (statistics.median, min, max)])
            file.flush()
            print(f"{name:26} {threads} threads: {statistics.median(percent):+.1f} % beside plain ({min(percent):+.1f} to "
                  f"{max(percent):+.1f})", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("passgrid")
    parser.add_argument("out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rows", default="")
    parser.add_argument("--costs", action="store_true")
    options = parser.parse_args()
    threads_list = [int(t) for t in options.threads.split(",")]
    os.makedirs(options.out, exist_ok=True)
    if options.costs:
        return weigh(options, threads_list)
    torch = torch_version()
    if torch:
        compare(options, threads_list)
    else:
        print("skipped: PyTorch is not installed (Debian: python3-torch)")
    weigh(options, threads_list)
    with written(options, "machine.txt") as file:
        file.write(f"{machine()}, PyTorch {torch or 'missing'}\n")


if __name__ == "__main__":
    main()
