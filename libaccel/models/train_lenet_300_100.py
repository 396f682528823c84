#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Train, prune and weight-share LeNet-300-100 on Fashion-MNIST.

The recipe is the one of Deep Compression (Han, Mao, Dally, ICLR 2016) without
its Huffman stage, which the accelerator does not use:

  1. train a dense 784-300-100-10 network: the baseline to compare with;
  2. train a wider dense teacher, used only for knowledge distillation;
  3. prune a copy of the baseline gradually by magnitude, retraining the
     surviving weights under a mask;
  4. replace the surviving weights of each layer by at most 15 shared non-zero
     values (k-means), then retrain these values. With zero as the sixteenth
     entry, a weight is a 4-bit code.

The last 5,000 of the 60,000 training images are held out as validation set.
Whatever was chosen by looking at an accuracy was chosen there. The test set is
read at the very end, once.

Needs, from Debian 12: python3-torch python3-numpy python3-scipy
dataset-fashion-mnist. Debian's reference BLAS makes this take about an hour;
with libopenblas0-pthread it takes minutes. Runs are reproducible bit for bit on
one machine, but not across BLAS libraries or CPU generations, which round in a
different order.
"""

import argparse
import copy
import gzip
import os
import time

import numpy as np
import scipy.sparse
import torch
import torch.nn.functional as F
from torch import nn

SEED = 20160502
VALIDATION = 5000            # held out: the last training images
BATCH = 256
CODEBOOK = 15                # non-zero shared values per layer
CALIBRATION = 512            # training images written by --calib

LAYERS = ("fc1", "fc2", "fc3")
SHAPE = (784, 300, 100, 10)
TEACHER_SHAPE = (784, 800, 400, 10)

# Share of weights kept, per layer. The small layers keep more: they are cheap,
# and the last one has few weights for each decision. Overall: just under 8 %.
DENSITY = {"fc1": 0.075, "fc2": 0.10, "fc3": 0.35}

DENSE_EPOCHS = 20
TEACHER_EPOCHS = 30
PRUNE_EPOCHS = 20            # while the density falls
RETRAIN_EPOCHS = 25          # at the final density
SHARE_EPOCHS = 8             # retraining of the shared values

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


# ---------------------------------------------------------------- data

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


class Augment:
    """Random left-right flip and shift by at most `reach` pixels, per image.

    Every variant is one row of a table of source pixels, so that a whole batch
    is a single gather. Index 784 is an extra pixel that is always black.
    """

    def __init__(self, reach=1):
        rows = []
        y, x = np.mgrid[0:28, 0:28]
        for flip in (False, True):
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    sy, sx = y + dy, (27 - x if flip else x) + dx
                    inside = (sy >= 0) & (sy < 28) & (sx >= 0) & (sx < 28)
                    rows.append(np.where(inside, sy * 28 + sx, 784).ravel())
        self.table = torch.from_numpy(np.array(rows))

    def __call__(self, images):
        black = images.new_zeros(len(images), 1)
        variant = torch.randint(len(self.table), (len(images),))
        return torch.cat((images, black), 1).gather(1, self.table[variant])


# ---------------------------------------------------------------- network

class Net(nn.Module):
    """Three fully connected layers with ReLU between them."""

    def __init__(self, shape=SHAPE, dropout=0.0):
        super().__init__()
        self.dropout = dropout
        for name, inputs, outputs in zip(LAYERS, shape, shape[1:]):
            setattr(self, name, nn.Linear(inputs, outputs))

    def forward(self, x):
        drop = self.dropout
        x = F.dropout(x, drop / 2, self.training and drop > 0)
        x = F.dropout(F.relu(self.fc1(x)), drop, self.training and drop > 0)
        x = F.dropout(F.relu(self.fc2(x)), drop, self.training and drop > 0)
        return self.fc3(x)


@torch.no_grad()
def predict(net, images):
    net.eval()
    return torch.cat([net(part).argmax(1) for part in images.split(1000)])


def accuracy(net, images, labels):
    """Accuracy in percent."""
    return 100.0 * (predict(net, images) == labels).double().mean().item()


def distillation_loss(logits, labels, teacher_logits, temperature=3.0, soft=0.8):
    """Cross-entropy with the labels mixed with that with the teacher."""
    hard = F.cross_entropy(logits, labels)
    if teacher_logits is None:
        return hard
    target = F.softmax(teacher_logits / temperature, 1)
    kl = F.kl_div(F.log_softmax(logits / temperature, 1), target,
                  reduction="batchmean")
    # The squared temperature keeps the gradient of both parts comparable.
    return soft * temperature ** 2 * kl + (1 - soft) * hard


def train(net, data, epochs, rate, *, decay=0.0, parameters=None, augment=None,
          teacher=None, before_step=None, after_step=None, warmup=0.1):
    """Train in place. The rate rises linearly, then falls to 0 as a cosine.

    The network of the last epoch is kept: no epoch is picked by its accuracy.
    """
    images, labels = data
    steps = epochs * (len(images) // BATCH)
    optimizer = torch.optim.AdamW(parameters or net.parameters(), lr=rate,
                                  weight_decay=decay)
    step = 0
    for _ in range(epochs):
        order = torch.randperm(len(images))
        # The last, partial batch is left out; the shuffling makes it another
        # one in each epoch.
        for start in range(0, len(images) - BATCH + 1, BATCH):
            pick = order[start:start + BATCH]
            x, y = images[pick], labels[pick]
            if augment is not None:
                x = augment(x)
            done = step / steps
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (done + 1e-3) / warmup,
                                         0.5 + 0.5 * np.cos(np.pi * done))
            guide = None
            if teacher is not None:
                teacher.eval()
                with torch.no_grad():
                    guide = teacher(x)
            net.train()
            if before_step is not None:
                before_step(step)
            loss = distillation_loss(net(x), y, guide)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if after_step is not None:
                after_step()
            step += 1


# ---------------------------------------------------------------- pruning

class Pruner:
    """Gradual magnitude pruning with masks (Zhu and Gupta, 2017)."""

    EVERY = 50               # steps between two prunings

    def __init__(self, net, ramp, images):
        self.net = net
        self.ramp = ramp     # steps until the final density
        self.masks = {name: torch.ones_like(getattr(net, name).weight)
                      for name in LAYERS}
        # A pixel that is black in every image has weights nobody trains.
        self.masks["fc1"][:, images.amax(0) == 0] = 0

    @torch.no_grad()
    def prune(self, step):
        if step > self.ramp or step % self.EVERY:
            return
        # Cubic: fast while many weights are redundant, slow at the end.
        left = (1 - min(1.0, (step + self.EVERY) / self.ramp)) ** 3
        for name, mask in self.masks.items():
            weight = getattr(self.net, name).weight
            density = DENSITY[name] + (1 - DENSITY[name]) * left
            keep = int(density * mask.numel())
            score = (weight * mask).abs().flatten()
            chosen = torch.zeros_like(score)
            chosen[score.topk(keep).indices] = 1
            mask.mul_(chosen.view_as(mask))
        self.apply()

    @torch.no_grad()
    def apply(self):
        for name, mask in self.masks.items():
            getattr(self.net, name).weight.mul_(mask)

    @torch.no_grad()
    def drop_useless(self, images):
        """Remove hidden neurons that cannot matter; return how many.

        A neuron without outgoing weights, or which no training image switches
        on, is removed. One without incoming weights is a constant, which is
        moved to the biases it feeds. Each removal may make others useless.
        """
        fc = [getattr(self.net, name) for name in LAYERS]
        gone = [set(), set()]
        while True:
            before = sum(map(len, gone))
            x = images
            for i in range(2):
                this, after = fc[i], fc[i + 1]
                x = F.relu(this(x))
                constant = (this.weight == 0).all(1)
                after.bias += after.weight[:, constant] @ F.relu(this.bias[constant])
                dead = (constant | (after.weight == 0).all(0) | (x.amax(0) == 0))
                this.weight[dead] = 0
                this.bias[dead] = 0
                after.weight[:, dead] = 0
                x[:, dead] = 0
                gone[i].update(dead.nonzero().flatten().tolist())
            if sum(map(len, gone)) == before:
                break
        for name in LAYERS:
            self.masks[name] = (getattr(self.net, name).weight != 0).float()
        return [len(part) for part in gone]


# ---------------------------------------------------------------- sharing

def kmeans(values, count):
    """One-dimensional k-means, centroids started evenly between the extremes.

    Deep Compression found this linear start best: starts that follow the
    density give the few large weights, which matter most, too few centroids.
    """
    centroids = np.linspace(values.min(), values.max(), count)
    for _ in range(300):
        # Nearest centroid of a sorted list: compare with the midpoints.
        member = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values)
        size = np.bincount(member, minlength=count)
        total = np.bincount(member, values, minlength=count)
        # An empty cluster keeps its centroid.
        moved = np.where(size > 0, total / np.maximum(size, 1), centroids)
        moved.sort()
        if np.allclose(moved, centroids, rtol=0, atol=1e-7):
            break
        centroids = moved
    return centroids


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
            centroids = kmeans(weight[kept], CODEBOOK)
            code = np.zeros(weight.shape, np.int64)
            code[kept] = 1 + np.searchsorted(
                (centroids[1:] + centroids[:-1]) / 2, weight[kept])
            self.register_buffer(name + "_code", torch.from_numpy(code))
            setattr(self, name + "_values",
                    nn.Parameter(torch.from_numpy(centroids).float()))
            setattr(self, name + "_bias",
                    nn.Parameter(layer.bias.detach().clone()))

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


def to_csr(net, name):
    """The sparse weights of a shared layer, columns increasing in each row."""
    matrix = scipy.sparse.csr_matrix(net.weight(name).detach().numpy())
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


# ---------------------------------------------------------------- output

def write_npz(path, net):
    """Write the network for the importer: scipy's CSR keys, once per layer."""
    items = {"layers": np.array(LAYERS, "S")}
    for name in LAYERS:
        matrix = to_csr(net, name)
        items[name + ".data"] = matrix.data.astype(np.float32)
        items[name + ".indices"] = matrix.indices.astype(np.int32)
        items[name + ".indptr"] = matrix.indptr.astype(np.int32)
        items[name + ".shape"] = np.array(matrix.shape, np.int64)
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


# ---------------------------------------------------------------- main

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
    augment = Augment()

    dense = Net()
    train(dense, training, DENSE_EPOCHS, 1e-3)
    say("dense: validation %.2f %%" % accuracy(dense, *validation))

    teacher = Net(TEACHER_SHAPE, dropout=0.2)
    train(teacher, training, TEACHER_EPOCHS, 1e-3, augment=augment)
    say("teacher: validation %.2f %%" % accuracy(teacher, *validation))

    pruned = copy.deepcopy(dense)
    batches = len(training[0]) // BATCH
    pruner = Pruner(pruned, PRUNE_EPOCHS * batches, training[0])
    train(pruned, training, PRUNE_EPOCHS + RETRAIN_EPOCHS, 2e-3, augment=augment,
          teacher=teacher, before_step=pruner.prune, after_step=pruner.apply)
    say("pruned: validation %.2f %%" % accuracy(pruned, *validation))
    say("useless hidden neurons removed: %d and %d"
        % tuple(pruner.drop_useless(training[0])))
    say("pruned, cleaned: validation %.2f %%" % accuracy(pruned, *validation))

    shared = SharedNet(pruned)
    say("shared: validation %.2f %%" % accuracy(shared, *validation))
    train(shared, training, SHARE_EPOCHS, 1e-3, augment=augment, teacher=teacher)
    say("shared, retrained: validation %.2f %%" % accuracy(shared, *validation))

    kept = total = 0
    for name in LAYERS:
        matrix = to_csr(shared, name)
        size = matrix.shape[0] * matrix.shape[1]
        kept, total = kept + matrix.nnz, total + size
        say("%s: %d of %d weights, density %.2f %%, %d distinct values"
            % (name, matrix.nnz, size, 100 * matrix.nnz / size,
               len(np.unique(matrix.data))))
    say("all: %d of %d weights, density %.2f %%" % (kept, total, 100 * kept / total))

    if args.out:
        write_npz(args.out, shared)
    if args.calib:
        write_calibration(args.calib, training[0])

    # Nothing is chosen or trained below this line.
    test = load(args.data, "t10k")
    say("dense: test %.2f %%" % accuracy(dense, *test))
    say("teacher: test %.2f %%" % accuracy(teacher, *test))
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
