# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of the benchmark in PyTorch, written as its users write them. Prints `ready:`, then does a step for each line of
standard input and prints its seconds.

usage: peer.py ARCH SCHEME NORM MODE BATCH THREADS STEPS LAYOUT
ARCH alexnet | resnet18, SCHEME plain | v1 | v2, NORM bn | gn, MODE train | eval | passports, LAYOUT nchw | nhwc.

Passport layers take gamma and beta from the mean of the convolved passports in every pass; V2 runs both branches through the
whole network, one after the other, and adds their losses; the sign loss takes the gamma of the private one. passports evaluates a
random passport on BATCH images and counts it 20 times: there every passport is the same work.
"""
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def norm_layer(kind, channels):
    return nn.BatchNorm2d(channels) if kind == "bn" else nn.GroupNorm(channels // 16, channels)


class Block(nn.Module):
    """Convolution, norm, affine of the branch, ReLU."""

    def __init__(self, norm, channels, filters, kernel, stride, pad, passport=None, private_only=False):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, stride, pad, bias=False)
        self.norm = norm_layer(norm, filters)
        self.passport = passport is not None
        self.private_only = private_only
        if self.passport:
            self.norm = nn.BatchNorm2d(filters, affine=False) if norm == "bn" else nn.GroupNorm(filters // 16, filters, affine=False)
            for name in ("key", "skey"):
                self.register_buffer(name, 2 * torch.rand(1, channels, passport, passport) - 1)
            self.register_buffer("b", torch.randn(filters).sign())
            self.scale = nn.Parameter(torch.ones(filters))
            self.bias = nn.Parameter(torch.zeros(filters))

    def gamma(self, key):
        return self.conv(key).mean(dim=(0, 2, 3))

    def forward(self, x, private):
        y = self.norm(self.conv(x))
        if self.passport:
            scale, bias = self.scale, self.bias
            if private or self.private_only:
                scale, bias = self.gamma(self.skey), self.gamma(self.key)
                self.signed = scale
            y = y * scale.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)
        return F.relu(y)

    def sign_loss(self):  # of the gamma of the last private pass
        return (0.1 * F.relu(0.1 - self.b * self.signed)).sum() + 1e-5 * (self.signed**2).sum()


class AlexNet(nn.Module):
    def __init__(self, norm, scheme):
        super().__init__()
        passport = 8 if scheme != "plain" else None
        v1 = scheme == "v1"
        self.blocks = nn.ModuleList(
            [Block(norm, 3, 64, 5, 1, 2), Block(norm, 64, 192, 5, 1, 2)]
            + [Block(norm, i, o, 3, 1, 1, passport, v1) for i, o in ((192, 384), (384, 256), (256, 256))]
        )
        self.linear = nn.Linear(4096, 10)

    def forward(self, x, private=False):
        for i, block in enumerate(self.blocks):
            x = block(x, private)
            if i in (0, 1, 4):
                x = F.max_pool2d(x, 2, 2)
        return self.linear(x.flatten(1))


class Residual(nn.Module):
    def __init__(self, norm, channels, filters, stride, side, v1):
        super().__init__()
        first = None if side is None else side * stride
        self.one = Block(norm, channels, filters, 3, stride, 1, first, v1)
        self.two = Block(norm, filters, filters, 3, 1, 1, side, v1)
        self.shortcut = Block(norm, channels, filters, 1, stride, 0, first, v1) if stride != 1 else None

    def forward(self, x, private):
        y = self.two(self.one(x, private), private)
        return F.relu(y + (self.shortcut(x, private) if self.shortcut else x))


class ResNet18(nn.Module):
    def __init__(self, norm, scheme):
        super().__init__()
        v1 = scheme == "v1"
        self.stem = Block(norm, 3, 64, 3, 1, 1)
        self.blocks = nn.ModuleList()
        channels = 64
        for layer, filters in enumerate((64, 128, 256, 512)):
            for b in range(2):
                side = 4 if layer == 3 and scheme != "plain" else None
                self.blocks.append(Residual(norm, channels, filters, 2 if layer and b == 0 else 1, side, v1))
                channels = filters
        self.linear = nn.Linear(512, 10)

    def forward(self, x, private=False):
        x = self.stem(x, private)
        for block in self.blocks:
            x = block(x, private)
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


def passport_blocks(net):
    return [m for m in net.modules() if isinstance(m, Block) and m.passport]


def train_step(net, scheme, optimizer, x, y):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    if scheme == "v2":
        loss = loss + F.cross_entropy(net(x, True), y)
    for block in passport_blocks(net):
        loss = loss + block.sign_loss()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def passports_step(net, x, chunk=128):
    for block in passport_blocks(net):
        block.key.uniform_(-1, 1)
        block.skey.uniform_(-1, 1)
    for part in x.split(chunk):
        net(part, True)


def main():
    arch, scheme, norm, mode, batch, threads, steps, layout = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    net = {"alexnet": AlexNet, "resnet18": ResNet18}[arch](norm, scheme)
    memory_format = torch.channels_last if layout == "nhwc" else torch.contiguous_format
    net = net.to(memory_format=memory_format)
    x = torch.randn(int(batch), 3, 32, 32).to(memory_format=memory_format)
    y = torch.randint(0, 10, (int(batch),))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    net.train(mode == "train")
    step = {"train": lambda: train_step(net, scheme, optimizer, x, y), "passports": lambda: passports_step(net, x),
            "eval": torch.no_grad()(lambda: net(x))}[mode]
    warm = (lambda: passports_step(net, x[:128])) if mode == "passports" else step
    warm()
    print("ready:", flush=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(int(steps)):
        sys.stdin.readline()
        start = time.perf_counter()
        step()
        print(f"seconds: {(time.perf_counter() - start) * (20 if mode == 'passports' else 1):.6f}", flush=True)
    print(f"minor_faults_per_step: {(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / int(steps):.1f}")
    print(f"peak_bytes: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}")


main()
