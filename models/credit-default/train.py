# SPDX-License-Identifier: MIT OR Apache-2.0
"""credit-default: a tabular perceptron on ISLP's Default. Run: python models/credit-default/train.py"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import datasets
import recipe

CARD = recipe.Card(
    name="credit-default",
    title="credit card default from student, balance and income",
    dataset="credit-default",
    task="classification",
    classes=("pays", "defaults"),
    input_name="applicant",
    low=0,
    high=100_000,
    licence="simulated data of James et al., package ISLP: BSD-2-Clause",
)


class Applicant(nn.Module):
    """Raw applicant [n, 3] (student 0/1, balance, income in dollars) -> scores [n, 2]; the standardisation is inside."""

    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.layers = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, applicant: torch.Tensor) -> torch.Tensor:
        return self.layers((applicant - self.mean) / self.deviation)


def load_data() -> datasets.Split:
    """Applicants as [n, 3] whole numbers."""
    return datasets.credit_default()


def build(split: datasets.Split) -> nn.Module:
    """3 -> 16 -> 16 -> 2 with ReLU, standardised by the training rows."""
    x = torch.from_numpy(split.train_x).double()
    return Applicant(x.mean(0).float(), x.std(0).float())


if __name__ == "__main__":
    recipe.main(CARD, load_data, build, recipe.Training(epochs=20, batch=64, rate=1e-2, decay=1e-2))
