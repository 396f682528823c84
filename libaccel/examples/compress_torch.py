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
out stays dense float32. With 15 values beside zero codes have 4 bits, with 255 they have 8.

    compress_torch.py OUT.onnx CALIB.npy    a small network on seeded data, as an example
"""

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

    def prune(self, batches, loss, epochs, rate, ramp=0.5):
        """Gradual magnitude pruning (Zhu and Gupta, arXiv 1710.01878) during a share `ramp` of the epochs; the rest heals."""
        optimiser = torch.optim.Adam(self.net.parameters(), rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
        self.net.train()
        for epoch in range(epochs):
            self._cut(min(1, (epoch + 1) / max(1, round(ramp * epochs))))
            for inputs, targets in batches():
                optimiser.zero_grad()
                loss(self.net(inputs), targets).backward()
                optimiser.step()
                with torch.no_grad():
                    for (module, _), mask in zip(self.layers, self.masks):
                        module.weight *= mask
            schedule.step()
        self.net.eval()

    def share(self, batches, loss, epochs, rate):
        """Weights of a layer get the nearest of its values; the gradient of a value is the sum of its weights' gradients (section 3.3 of the paper)."""
        shared = []
        for (module, _), mask in zip(self.layers, self.masks):
            weight, there = module.weight.data, mask.bool()
            centres = kmeans(weight[there], self.values[module])
            shared.append((module, there, nn.Parameter(centres), nearest(centres, weight[there])))
        weights = {id(module.weight) for module, _, _, _ in shared}
        others = [p for p in self.net.parameters() if id(p) not in weights]

        def spread():
            with torch.no_grad():
                for module, there, centres, code in shared:
                    module.weight[there] = centres[code]

        optimiser = torch.optim.Adam([centres for _, _, centres, _ in shared] + others, rate)
        spread()
        self.net.train()
        for _ in range(epochs):
            for inputs, targets in batches():
                self.net.zero_grad()
                loss(self.net(inputs), targets).backward()
                for module, there, centres, code in shared:
                    centres.grad = torch.zeros_like(centres).index_add_(0, code, module.weight.grad[there])
                optimiser.step()
                spread()
        # floats of 16 bits take half the room, and nobody trained their other bits
        with torch.no_grad():
            for p in [centres for _, _, centres, _ in shared] + others:
                p.copy_(p.bfloat16().float())
        spread()
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
