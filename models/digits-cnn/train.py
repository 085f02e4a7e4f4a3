# SPDX-License-Identifier: MIT OR Apache-2.0
"""digits-cnn: one small convolution on scikit-learn's digits. Run: python models/digits-cnn/train.py"""

from __future__ import annotations

import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import datasets
import recipe

CARD = recipe.Card(
    name="digits-cnn",
    title="handwritten digits, one convolution",
    dataset="digits",
    task="classification",
    classes=tuple("0123456789"),
    input_name="pixels",
    low=0,
    high=16,
    licence="BSD-3-Clause (scikit-learn), after UCI optdigits",
)


def load_data() -> datasets.Split:
    """Digits as [n, 1, 8, 8] grey values 0..16."""
    return datasets.digits()


def build(split: datasets.Split) -> nn.Module:
    """8 kernels of 3x3, ReLU, 2x2 maximum, 72 -> 10."""
    model = nn.Sequential(
        OrderedDict(
            convolution=nn.Conv2d(1, 8, 3), relu=nn.ReLU(), pool=nn.MaxPool2d(2), flatten=nn.Flatten(), scores=nn.Linear(72, 10)
        )
    )
    with torch.no_grad():
        model.convolution.weight /= 8  # grey values go up to 16: start where inputs of order one would
    return model


if __name__ == "__main__":
    recipe.main(CARD, load_data, build, recipe.Training(epochs=80, batch=32, rate=1e-2, decay=1e-1))
