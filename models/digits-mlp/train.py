# SPDX-License-Identifier: MIT OR Apache-2.0
"""Train digits-mlp: a 64-32-10 perceptron on scikit-learn's digits. Run: python models/digits-mlp/train.py"""

from __future__ import annotations

import argparse
import sys
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

import datasets  # noqa: E402
import recipe  # noqa: E402

CARD = recipe.Card(
    name="digits-mlp", title="Handwritten digits, two-layer perceptron", dataset="digits", task="classification",
    classes=tuple("0123456789"), input_name="pixels", low=0, high=16, licence="data: BSD-3-Clause (scikit-learn), after UCI optdigits")


def load_data() -> datasets.Split:
    """Digits as [n, 64] grey values 0..16."""
    split = datasets.digits()
    return datasets.Split(split.train_x.reshape(-1, 64), split.train_y, split.test_x.reshape(-1, 64), split.test_y)


def build() -> nn.Sequential:
    """64 -> 32 -> 10 with ReLU."""
    return nn.Sequential(OrderedDict(hidden=nn.Linear(64, 32), relu=nn.ReLU(), scores=nn.Linear(32, 10)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    recipe.deterministic(options.seed)
    split, model = load_data(), build()
    with torch.no_grad():
        model.hidden.weight /= 8          # raw grey values: start where inputs of order one would
    recipe.fit(model, split, epochs=options.epochs, batch=32, rate=1e-2, decay=1e-1)
    recipe.publish(model, split, CARD, options.out)


if __name__ == "__main__":
    main()
