# SPDX-License-Identifier: MIT OR Apache-2.0
"""digits-mlp: a 64-32-10 perceptron on scikit-learn's digits. Run: python models/digits-mlp/train.py"""

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
    name="digits-mlp",
    title="handwritten digits, perceptron with one hidden layer",
    dataset="digits",
    task="classification",
    classes=tuple("0123456789"),
    input_name="pixels",
    low=0,
    high=16,
    licence="BSD-3-Clause (scikit-learn), after UCI optdigits",
)


def load_data() -> datasets.Split:
    """Digits as [n, 64] grey values 0..16."""
    split = datasets.digits()
    return datasets.Split(split.train_x.reshape(-1, 64), split.train_y, split.test_x.reshape(-1, 64), split.test_y)


def build(split: datasets.Split) -> nn.Module:
    """64 -> 32 -> 10 with ReLU, on raw grey values."""
    model = nn.Sequential(OrderedDict(hidden=nn.Linear(64, 32), relu=nn.ReLU(), scores=nn.Linear(32, 10)))
    with torch.no_grad():
        model.hidden.weight /= 8  # grey values go up to 16: start where inputs of order one would
    return model


if __name__ == "__main__":
    recipe.main(CARD, load_data, build, recipe.Training(epochs=40, batch=32, rate=1e-2, decay=1e-1))
