# SPDX-License-Identifier: MIT OR Apache-2.0
"""Networks of sizes that papers on proving give: seeded weights, inputs like those they are made for, compiled to 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from verifiable_ml import api
from verifiable_ml.bench.architectures import Architecture, images, vgg_16
from verifiable_ml.bench.families import converted
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute import encode_inputs
from verifiable_ml.program import Program
from verifiable_ml.quantize.spec import QuantSpec

Inputs = dict[str, IntArray]
TREES, DEPTH, FEATURES = 128, 9, 32


@dataclass(frozen=True)
class Network:
    """make: a model, and samples for it. count: of how many inputs one proof is."""

    name: str
    make: Callable[[], tuple[Any, list[np.ndarray]]]
    count: int = 1

    def compiled(self) -> tuple[Program, list[Inputs]]:
        """The program, and as many inputs as one proof takes, in integers."""
        model, samples = self.make()
        program = api.compile(model, samples, spec=QuantSpec(width="8"), threshold=-1.0, refuse=False)
        given = (samples * self.count)[: self.count]
        return program, [encode_inputs(program, sample, saturate=True) for sample in given]


def cnn_264k() -> nn.Module:
    """Convolutions of 5 x 5, 16 and 32 channels, each with a maximum of 2 x 2; dense layers of 256, 168, 10; on 3 x 32 x 32."""
    dense = [part for a, b in pairwise((800, 256, 168)) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(
        nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), *dense, nn.Linear(168, 10),
    )  # fmt: skip


def dense(width: int, depth: int, inputs: int, outputs: int) -> nn.Module:
    """`depth` dense layers of `width` with ReLU, and a last one."""
    layers = [part for a, b in pairwise((inputs, *[width] * depth)) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def convolution(channels: int) -> nn.Module:
    """A convolution of 3 x 3 that keeps size and channels, after one that makes the channels: [n, 3, size, size]."""
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())


def vectors(width: int) -> Callable[[int], Tensor]:
    """Standard normal inputs [n, width]."""
    return lambda count: torch.randn(count, width, generator=torch.Generator().manual_seed(3))


def cropped(height: int, width: int) -> Callable[[int], Tensor]:
    """Images [n, 3, height, width]."""
    return lambda count: images(max(height, width))(count)[:, :, :height, :width].contiguous()


def _twice(low: int, high: int) -> list[int]:
    """Powers of two, each twice: of neighbours the product doubles. Others are padded to them, and cost as much."""
    return [1 << (place // 2) for place in range(2 * (low.bit_length() - 1), 2 * high.bit_length() - 1)]


def built(make: Callable[[], nn.Module], inputs: Callable[[int], Tensor]) -> Callable[[], tuple[Any, list[np.ndarray]]]:
    """A torch network with its samples."""
    return lambda: Architecture("", make, inputs).build()


def forest() -> tuple[Any, list[np.ndarray]]:
    """A random forest on seeded data of two classes, and rows that it has not seen."""
    rows, labels = make_classification(3000, FEATURES, n_informative=FEATURES // 2, random_state=0)
    learnt = RandomForestClassifier(TREES, max_depth=DEPTH, random_state=0, n_jobs=1).fit(rows[:2000], labels[:2000])
    return converted(learnt, rows), [row[None].astype(np.float32) for row in rows[2000:]][:256]


NETWORKS = (
    Network("CNN, 5 x 5, 32 x 32", built(cnn_264k, images(32))),
    Network("dense, 4 x 1,000", built(lambda: dense(1000, 4, 1000, 3), vectors(1000))),
    Network("VGG-16, 32 x 32", built(lambda: vgg_16(()), images(32))),
    Network(f"forest, {TREES} trees of depth {DEPTH}", forest, 128),
)
WIDER = tuple(
    Network(f"dense, {inputs:,} to {width:,} to 10", built(partial(dense, width, 1, inputs, 10), vectors(inputs)))
    for inputs, width in pairwise(_twice(128, 4096))
)
"""Weights double from one to the next, and with them little else."""
LARGER = tuple(
    Network(f"convolution, {height} x {width}", built(partial(convolution, 16), cropped(height, width)))
    for height, width in pairwise(_twice(8, 256))
)
"""Activations double from one to the next, and no weight is added."""
