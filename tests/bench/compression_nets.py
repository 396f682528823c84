# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Networks and data of compression.py: made once, kept in a cache outside the tree.

A network is kept as .onnx under a name with a checksum of all that it comes from: the functions that make it, and what the caller says. What is kept is what
training gave; sizes and errors of .eie files are always measured anew. A run that was broken off goes on with the next network.
"""

import gzip
import hashlib
import inspect
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import compress_torch
from compress_torch import Recipe

CACHE = os.path.join(os.environ.get("EIE_TEST_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "eie-tests"),
                     "compression")
FASHION = os.environ.get("EIE_FASHION", "/usr/share/datasets/fashion-mnist")


def lenet_300_100():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def lenet_5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)).to(memory_format=torch.channels_last)


NETWORKS = {"LeNet-300-100": lenet_300_100, "LeNet-5": lenet_5}


def float_bytes(name):
    return 4 * sum(p.numel() for p in NETWORKS[name]().parameters())


# ---------------------------------------------------------------- data

def read_digits(folder):
    """Pictures [n, 28, 28] of bytes and labels, in an order by chance that is always the same."""
    pictures, labels = [], []
    for digit in range(10):
        with open(os.path.join(folder, f"{digit}.json"), encoding="ascii") as file:
            values = np.array(json.load(file)["data"]).reshape(-1, 28, 28)
        pictures.append(np.rint(values * 255).astype(np.uint8))
        labels += [digit] * len(values)
    order = np.random.default_rng(1).permutation(len(labels))
    return np.concatenate(pictures)[order], np.array(labels)[order]


def read_fashion(part):
    """Pictures and labels of Debian's dataset-fashion-mnist; part: train or t10k."""
    def idx(what, head):
        with gzip.open(os.path.join(FASHION, f"{part}-{what}-ubyte.gz")) as file:
            return np.frombuffer(file.read(), np.uint8)[head:]

    return idx("images-idx3", 16).reshape(-1, 28, 28), idx("labels-idx1", 8).astype(np.int64)


def inputs_of(pictures):
    return (pictures[:, None] / 255).astype(np.float32)


def batches_of(pictures, labels, size):
    """A function that gives the batches of an epoch, in another order each time."""
    x, y = torch.from_numpy(inputs_of(pictures)), torch.from_numpy(labels)

    def batches():
        for j in torch.randperm(len(y)).split(size):
            yield x[j], y[j]

    return batches


def write_idx(folder, pictures, labels):
    """As `eie eval --data` takes them."""
    os.makedirs(folder, exist_ok=True)
    for name, values in (("t10k-images-idx3-ubyte", pictures), ("t10k-labels-idx1-ubyte", labels)):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(bytes([0, 0, 8, values.ndim]))
            for size in values.shape:
                file.write(size.to_bytes(4, "big"))
            file.write(values.astype(np.uint8).tobytes())


# ---------------------------------------------------------------- training

def train(net, batches, epochs):
    optimiser = torch.optim.Adam(net.parameters(), 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    net.train()
    for _ in range(epochs):
        for inputs, targets in batches():
            optimiser.zero_grad()
            F.cross_entropy(net(inputs), targets).backward()
            optimiser.step()
        schedule.step()
    net.eval()


def retrain(net, dense, batches, plan):
    """Trains net as compress_torch.py says, with labels and after the dense network, which has seen the same pictures. plan: one of PLANS."""
    begin, prune, share = plan["epochs"]
    train(net, batches, begin)

    def told():
        for inputs, targets in batches():
            with torch.no_grad():
                scores = dense(inputs)
            yield inputs, (targets, scores)

    def loss(outputs, told_of):
        targets, scores = told_of
        follow = F.kl_div(F.log_softmax(outputs / 3, 1), F.softmax(scores / 3, 1), reduction="batchmean")
        return F.cross_entropy(outputs, targets) + 9 * follow

    recipe = Recipe(net, plan["density"], plan["values"])
    recipe.prune(told, loss, prune, 2e-3)
    recipe.share(told, loss, share, 5e-4)


def predict(net, pictures):
    with torch.no_grad():
        return net(torch.from_numpy(inputs_of(pictures))).argmax(1).numpy()


# ---------------------------------------------------------------- cache

MADE_BY = (lenet_300_100, lenet_5, read_digits, read_fashion, inputs_of, batches_of, train, retrain,
           compress_torch.nearest, compress_torch.kmeans, compress_torch.cosine, compress_torch.steps, Recipe)


def kept(name, make, *said):
    """Path of NAME.onnx, exported from make() unless it is there; said: all that make() depends on beside these files."""
    what = hashlib.sha256("".join([inspect.getsource(f) for f in MADE_BY] + [repr(said)]).encode()).hexdigest()[:12]
    path = os.path.join(CACHE, f"{name}-{what}.onnx")
    if not os.path.exists(path):
        os.makedirs(CACHE, exist_ok=True)
        temporary = f"{path}.{os.getpid()}"
        net = make()
        torch.onnx.export(net, torch.zeros(1, 1, 28, 28), temporary, input_names=["image"], output_names=["scores"])
        torch.save(net.state_dict(), temporary + ".pt")
        os.rename(temporary + ".pt", path + ".pt")
        os.rename(temporary, path)
    return path


def load(name, path):
    net = NETWORKS[name]()
    net.load_state_dict(torch.load(path + ".pt"))
    net.eval()
    return net
