#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Deep Compression of a PyTorch network (Han, Mao, Dally, ICLR 2016): prune, share weights, fine-tune, export.

    from compress_torch import Recipe
    recipe = Recipe(net, density={"fc1": 0.05, "fc2": 0.08, "fc3": 0.3}, values=15)
    recipe.prune(batches, loss, epochs=14, rate=1e-3)    # least weights go, step by step; the others are trained on
    recipe.share(batches, loss, epochs=4, rate=1e-4)     # the others share few values, which are trained on
    recipe.export("net.onnx", example)

    eie import net.onnx --calib inputs.npy -o net.eie    # encodes just these values: "Rounded" is not said

`batches()` gives the pairs (inputs, targets) of an epoch, `loss(outputs, targets)` a scalar. The layers are the modules whose names density has; what it leaves
out stays dense float32. Codes have 4 bits with up to 15 values beside zero, with 255 they have 8; the file has fewer where fewer values are used.

    compress_torch.py OUT.onnx CALIB.npy    a small network on seeded data, as an example
"""

import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def nearest(centres, weights):
    """Number of the centre that is nearest to each weight; centres are in order."""
    return torch.bucketize(weights, (centres[1:] + centres[:-1]) / 2)


def kmeans(weights, values, steps=60):
    """Centres of 1-D k-means in order, begun at equal shares of the weights (density initialisation)."""
    weights = weights.sort().values
    values = min(values, len(weights))
    centres = weights[((torch.arange(values) + 0.5) / values * len(weights)).long()].unique()
    for _ in range(steps):
        code = nearest(centres, weights)
        count = torch.bincount(code, minlength=len(centres))
        sums = torch.zeros_like(centres).index_add_(0, code, weights)
        centres = torch.where(count > 0, sums / count.clamp(min=1), centres).sort().values
    return centres[centres != 0].unique()


def cosine(rate, done):
    """The rate when a share of the steps is done: from all of it to nothing."""
    return rate * 0.5 * (1 + math.cos(math.pi * done))


def steps(batches, epochs):
    """All batches of all epochs, each with its number and the share of the work that is done; of the first epoch nobody knows how long it is."""
    length = None
    for epoch in range(epochs):
        number = -1
        for number, batch in enumerate(batches()):
            yield number, (epoch + (number / length if length else 0)) / epochs, batch
        length = number + 1


class Recipe:
    def __init__(self, net, density, values=15):
        self.net = net
        modules = dict(net.named_modules())
        unknown = set(density) - set(modules)
        if unknown:
            raise ValueError(f"no layer is named {', '.join(sorted(unknown))}; there are {', '.join(n for n in modules if n)}")
        self.layers = [(modules[name], d) for name, d in density.items()]
        self.values = {module: values[name] if isinstance(values, dict) else values for (module, _), name in zip(self.layers, density)}
        self.masks = [torch.ones_like(module.weight) for module, _ in self.layers]

    def _cut(self, share):
        """Keeps the share of each layer on its way from dense to its density: 0 nothing is cut, 1 all that shall be."""
        for i, (module, density) in enumerate(self.layers):
            keep = max(1, round(module.weight.numel() * (density + (1 - density) * (1 - share) ** 3)))
            least = module.weight.detach().abs().flatten().kthvalue(module.weight.numel() - keep + 1).values
            self.masks[i] = (module.weight.detach().abs() >= least).float() * self.masks[i]
            module.weight.data *= self.masks[i]

    def prune(self, batches, loss, epochs, rate, ramp=0.5, every=16):
        """Gradual magnitude pruning (Zhu and Gupta, arXiv 1710.01878): each `every` batches, during a share `ramp` of all; the rest heals."""
        optimiser = torch.optim.Adam(self.net.parameters(), rate)
        self.net.train()
        for number, done, (inputs, targets) in steps(batches, epochs):
            if number % every == 0 and done < ramp:
                self._cut(done / ramp)
            optimiser.param_groups[0]["lr"] = cosine(rate, done)
            optimiser.zero_grad()
            loss(self.net(inputs), targets).backward()
            optimiser.step()
            with torch.no_grad():
                for (module, _), mask in zip(self.layers, self.masks):
                    module.weight *= mask
        self._cut(1)
        self.net.eval()

    def share(self, batches, loss, epochs, rate, move=0.7):
        """Weights of a layer get the nearest of its values; the gradient of a value is the sum of its weights' gradients (section 3.3 of the paper).

        During a share `move` of the epochs the weights behind the values move on as if they were not rounded (straight-through estimator, Bengio et al.,
        arXiv 1308.3432), and may so get another value.
        """
        shared = []
        for (module, _), mask in zip(self.layers, self.masks):
            there = mask.bool()
            behind = nn.Parameter(module.weight.data[there].clone())
            shared.append((module, there, nn.Parameter(kmeans(behind.data, self.values[module])), behind))
        weights = {id(module.weight) for module, _, _, _ in shared}
        others = [p for p in self.net.parameters() if id(p) not in weights]
        codes = [None] * len(shared)

        def spread(look):
            with torch.no_grad():
                for i, (module, there, centres, behind) in enumerate(shared):
                    if look:
                        centres.copy_(centres.sort().values)
                        codes[i] = nearest(centres, behind)
                    module.weight[there] = centres[codes[i]]

        optimiser = torch.optim.Adam([centres for _, _, centres, _ in shared] + others, rate)
        behinds = torch.optim.Adam([behind for _, _, _, behind in shared], rate)
        spread(True)
        self.net.train()
        for _, done, (inputs, targets) in steps(batches, epochs):
            self.net.zero_grad()
            loss(self.net(inputs), targets).backward()
            for i, (module, there, centres, behind) in enumerate(shared):
                behind.grad = module.weight.grad[there]
                centres.grad = torch.zeros_like(centres).index_add_(0, codes[i], behind.grad)
            for o in [optimiser] + [behinds] * (done < move):
                o.param_groups[0]["lr"] = cosine(rate, done)
                o.step()
            spread(done < move)
        # floats of 16 bits take half the room, and nobody trained their other bits
        with torch.no_grad():
            for p in [centres for _, _, centres, _ in shared] + others:
                p.copy_(p.bfloat16().float())
        spread(False)
        self.net.eval()

    def export(self, path, example):
        torch.onnx.export(self.net, example, path, input_names=["input"], output_names=["output"])


def main(out, calib):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    teacher = torch.randn(64, 10)
    inputs = torch.randn(2000, 64)
    targets = (inputs @ teacher).argmax(1)
    net = nn.Sequential()
    net.add_module("fc1", nn.Linear(64, 128))
    net.add_module("relu", nn.ReLU())
    net.add_module("fc2", nn.Linear(128, 10))

    def batches():
        order = torch.randperm(len(inputs))
        return ((inputs[i], targets[i]) for i in order.split(64))

    recipe = Recipe(net, {"fc1": 0.2, "fc2": 0.5})
    recipe.prune(batches, F.cross_entropy, epochs=12, rate=3e-3)
    recipe.share(batches, F.cross_entropy, epochs=3, rate=1e-3)
    recipe.export(out, torch.zeros(1, 64))
    np.save(calib, inputs[:200].numpy())
    right = (net(inputs).argmax(1) == targets).float().mean()
    print(f"{100 * right:.1f} % right of its training data")
    for name in ("fc1", "fc2"):
        weight = dict(net.named_modules())[name].weight
        print(f"{name}: {int((weight != 0).sum())} of {weight.numel()} weights, {len(weight[weight != 0].unique())} values")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
