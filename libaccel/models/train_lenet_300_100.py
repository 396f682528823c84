#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Train, prune and weight-share LeNet-300-100 on Fashion-MNIST.

The recipe is the one of Deep Compression (Han, Mao, Dally, ICLR 2016) without
its Huffman stage, which the accelerator does not use:

  1. train a dense 784-300-100-10 network: the baseline to compare with;
  2. prune a copy of it gradually by magnitude, then retrain the surviving
     weights under the final masks;
  3. replace the surviving weights of each layer by at most 15 shared non-zero
     values (k-means), then retrain these values. With zero as the sixteenth
     entry, a weight is a 4-bit code.

The last 5,000 of the 60,000 training images are held out as validation set.
Whatever was chosen by looking at an accuracy was chosen there. The test set is
read at the very end, once.

Needs, from Debian 12: python3-torch python3-numpy libopenblas0-pthread
dataset-fashion-mnist. Debian's reference BLAS also works, but is 20 to 40 times
slower in the matrix products. The seed and the single thread are meant to make
runs repeat exactly on one machine; other BLAS libraries or CPU generations
round in a different order.
"""

import argparse
import copy
import gzip
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SEED = 20160502
VALIDATION = 5000            # held out: the last training images
BATCH = 128
CODEBOOK = 15                # non-zero shared values per layer
CALIBRATION = 512            # training images written by --calib

LAYERS = ("fc1", "fc2", "fc3")
SHAPE = (784, 300, 100, 10)
# Share of weights kept. The small layers keep more: they are cheap, and the
# last one has few weights for each decision. Overall: just under 8 %.
DENSITY = {"fc1": 0.075, "fc2": 0.10, "fc3": 0.35}

DENSE_EPOCHS, DENSE_RATE, DROPOUT = 20, 2e-3, 0.2
RAMP_EPOCHS, PRUNE_EPOCHS, PRUNE_RATE = 6, 16, 2e-3     # the ramp is included
SHARE_EPOCHS, SHARE_RATE = 2, 2e-4

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def read_idx(path):
    """Read a gzipped IDX file of unsigned bytes."""
    with gzip.open(path, "rb") as file:
        raw = file.read()
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load(folder, part):
    """Return images as float32 [n,784] in [0,1] and labels as int64 [n]."""
    images = read_idx(os.path.join(folder, part + "-images-idx3-ubyte.gz"))
    labels = read_idx(os.path.join(folder, part + "-labels-idx1-ubyte.gz"))
    images = images.reshape(len(images), -1).astype(np.float32) / 255
    return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))


class Net(nn.Module):
    """Three fully connected layers with ReLU between them."""

    def __init__(self):
        super().__init__()
        self.dropout = DROPOUT
        for name, inputs, outputs in zip(LAYERS, SHAPE, SHAPE[1:]):
            setattr(self, name, nn.Linear(inputs, outputs))

    def forward(self, x):
        for name in LAYERS[:-1]:
            x = F.relu(getattr(self, name)(x))
            x = F.dropout(x, self.dropout, self.training)
        return self.fc3(x)


class SharedNet(nn.Module):
    """A pruned network whose layers look their weights up in codebooks.

    A weight is codebook[code], with codebook[0] standing for the pruned ones
    and fixed to 0. Differentiating the look-up adds the gradients of all weights
    of a cluster, which is how Deep Compression (section 3) retrains centroids.
    """

    def __init__(self, net):
        super().__init__()
        for name in LAYERS:
            layer = getattr(net, name)
            weight = layer.weight.detach().numpy().astype(np.float64)
            kept = weight != 0
            centroids, member = kmeans(weight[kept], CODEBOOK)
            code = np.zeros(weight.shape, np.int64)
            code[kept] = 1 + member
            self.register_buffer(name + "_code", torch.from_numpy(code))
            setattr(self, name + "_values",
                    nn.Parameter(torch.from_numpy(centroids).float()))
            setattr(self, name + "_bias", nn.Parameter(layer.bias.detach().clone()))

    def weight(self, name):
        values = getattr(self, name + "_values")
        book = torch.cat((values.new_zeros(1), values))
        code = getattr(self, name + "_code")
        return book.index_select(0, code.flatten()).view(code.shape)

    def forward(self, x):
        for name in LAYERS:
            x = F.linear(x, self.weight(name), getattr(self, name + "_bias"))
            if name != LAYERS[-1]:
                x = F.relu(x)
        return x


def kmeans(values, count):
    """One-dimensional k-means: return the centroids and each value's cluster.

    The centroids start evenly between the extremes. Deep Compression found this
    best: starts that follow the density give the few large weights, which matter
    most, too few centroids.
    """
    centroids = np.linspace(values.min(), values.max(), count)
    for _ in range(300):
        # Nearest centroid of a sorted list: compare with the midpoints.
        member = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values)
        size = np.bincount(member, minlength=count)
        total = np.bincount(member, values, minlength=count)
        # An empty cluster keeps its centroid.
        centroids = np.sort(np.where(size > 0, total / np.maximum(size, 1), centroids))
    return centroids, np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values)


@torch.no_grad()
def predict(net, images):
    net.eval()
    return torch.cat([net(part).argmax(1) for part in images.split(1000)])


def accuracy(net, images, labels):
    """Accuracy in percent."""
    return 100.0 * (predict(net, images) == labels).double().mean().item()


def train(net, images, labels, epochs, rate, after_step=lambda progress: None):
    """Train in place. The rate rises to its peak, then falls, as cosines.

    The network of the last epoch is kept: no epoch is picked by its accuracy.
    """
    batches = len(images) // BATCH           # the last, partial one is left out
    optimizer = torch.optim.Adam(net.parameters(), foreach=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, epochs * batches, pct_start=0.2, cycle_momentum=False)
    net.train()
    for epoch in range(epochs):
        for pick in torch.randperm(len(images)).split(BATCH)[:batches]:
            optimizer.zero_grad()
            F.cross_entropy(net(images[pick]), labels[pick]).backward()
            optimizer.step()
            schedule.step()
            after_step(schedule.last_epoch / batches)


class Pruner:
    """Gradual magnitude pruning with masks (Zhu and Gupta, 2017)."""

    def __init__(self, net):
        self.weights = {name: getattr(net, name).weight.data for name in LAYERS}
        self.masks = {name: torch.ones_like(w) for name, w in self.weights.items()}
        self.steps = 0

    def __call__(self, epochs_done):
        self.steps += 1
        if self.steps % 50 == 0 and epochs_done < RAMP_EPOCHS + 1:
            # Cubic: fast while many weights are redundant, slow at the end.
            left = (1 - min(1.0, epochs_done / RAMP_EPOCHS)) ** 3
            for name, weight in self.weights.items():
                keep = DENSITY[name] + (1 - DENSITY[name]) * left
                score = (weight * self.masks[name]).abs().flatten()
                mask = torch.zeros_like(score)
                mask[score.topk(int(keep * len(score))).indices] = 1
                self.masks[name] = mask.view_as(weight)
        for name, weight in self.weights.items():
            weight.mul_(self.masks[name])


def to_csr(net, name):
    """Values, columns and row starts of the non-zero weights of a shared layer."""
    weight = net.weight(name).detach().numpy()
    starts = np.concatenate(([0], (weight != 0).sum(1).cumsum()))
    return (weight[weight != 0], weight.nonzero()[1].astype(np.int32),
            starts.astype(np.int32))


def write_npz(path, net):
    """Write the network for the importer: scipy's CSR keys, once per layer."""
    items = {"layers": np.array(LAYERS, "S")}
    for name, inputs, outputs in zip(LAYERS, SHAPE, SHAPE[1:]):
        for key, array in zip(("data", "indices", "indptr"), to_csr(net, name)):
            items[name + "." + key] = array
        items[name + ".shape"] = np.array((outputs, inputs), np.int64)
        items[name + ".format"] = np.array(b"csr")
        items[name + ".bias"] = getattr(net, name + "_bias").detach().numpy()
        items[name + ".activation"] = np.array(
            b"none" if name == LAYERS[-1] else b"relu")
    items["input.name"] = np.array(b"image")
    items["input.shape"] = np.array([28, 28], np.int64)
    items["input.scale"] = np.array(1 / 255, np.float32)
    items["input.range"] = np.array([0, 1], np.float32)
    items["classes"] = np.array(CLASSES, "S")
    np.savez(path, **items)


def write_calibration(folder, images):
    """Write a few training images, for choosing fixed-point ranges."""
    os.makedirs(folder, exist_ok=True)
    pick = np.random.default_rng(SEED).choice(len(images), CALIBRATION, False)
    np.save(os.path.join(folder, "calib.npy"), images.numpy()[np.sort(pick)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist",
                        help="folder of the four gzipped IDX files")
    parser.add_argument("--out", metavar="W.npz", help="write the weights here")
    parser.add_argument("--calib", metavar="DIR",
                        help="write DIR/calib.npy, %d training images" % CALIBRATION)
    parser.add_argument("--report", metavar="FILE",
                        help="write accuracies, sizes and dense predictions here")
    args = parser.parse_args()

    # One thread: sums are then always taken in the same order.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    start = time.time(), time.process_time()
    lines = []

    def say(text):
        lines.append(text)
        print("[%4.0f s] %s" % (time.process_time() - start[1], text), flush=True)

    images, labels = load(args.data, "train")
    training = images[:-VALIDATION], labels[:-VALIDATION]
    validation = images[-VALIDATION:], labels[-VALIDATION:]

    dense = Net()
    train(dense, *training, DENSE_EPOCHS, DENSE_RATE)
    say("dense: validation %.2f %%" % accuracy(dense, *validation))

    pruned = copy.deepcopy(dense)
    pruned.dropout = 0.0
    train(pruned, *training, PRUNE_EPOCHS, PRUNE_RATE, Pruner(pruned))
    say("pruned: validation %.2f %%" % accuracy(pruned, *validation))

    shared = SharedNet(pruned)
    say("shared: validation %.2f %%" % accuracy(shared, *validation))
    train(shared, *training, SHARE_EPOCHS, SHARE_RATE)
    say("shared, retrained: validation %.2f %%" % accuracy(shared, *validation))

    kept = total = 0
    for name in LAYERS:
        values, size = to_csr(shared, name)[0], shared.weight(name).numel()
        kept, total = kept + len(values), total + size
        say("%s: %d of %d weights, density %.2f %%, %d distinct values"
            % (name, len(values), size, 100 * len(values) / size,
               len(np.unique(values))))
    say("all: %d of %d weights, density %.2f %%" % (kept, total, 100 * kept / total))

    if args.out:
        write_npz(args.out, shared)
    if args.calib:
        write_calibration(args.calib, training[0])

    # Nothing is chosen or trained below this line.
    test = load(args.data, "t10k")
    say("dense: test %.2f %%" % accuracy(dense, *test))
    say("compressed: test %.2f %%" % accuracy(shared, *test))
    say("time: %.0f s of processor, %.0f s of wall clock"
        % (time.process_time() - start[1], time.time() - start[0]))
    if args.report:
        with open(args.report, "w") as file:
            file.write("\n".join(lines) + "\n\ndense network, class predicted for "
                       "each test image:\n")
            for part in predict(dense, test[0]).split(50):
                file.write(" ".join(map(str, part.tolist())) + "\n")


if __name__ == "__main__":
    main()
