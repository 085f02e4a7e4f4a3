# SPDX-License-Identifier: MIT OR Apache-2.0
"""digits-transformer: one encoder block on scikit-learn's digits. Run: python models/digits-transformer/train.py"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import datasets
import recipe

CARD = recipe.Card(
    name="digits-transformer",
    title="handwritten digits, one transformer block over the rows",
    dataset="digits",
    task="classification",
    classes=tuple("0123456789"),
    input_name="pixels",
    low=0,
    high=16,
    licence="BSD-3-Clause (scikit-learn), after UCI optdigits",
)
WIDTH, HEADS = 16, 2


class Attention(nn.Module):
    """Self-attention over [n, tokens, WIDTH], written out (Vaswani et al., 2017, section 3.2)."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (layer(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value))
        weights = (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)).softmax(-1)
        return self.mix((weights @ v).transpose(1, 2).flatten(-2))


class Encoder(nn.Module):
    """The 8 rows of a digit [n, 8, 8] are 8 tokens; one pre-norm block, the mean over tokens, scores [n, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(8, WIDTH)
        self.position = nn.Parameter(torch.randn(8, WIDTH) * 0.1)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention = Attention()
        self.feed = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))
        self.scores = nn.Linear(WIDTH, 10)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        x = self.embed(pixels) + self.position
        x = x + self.attention(self.norm1(x))
        x = x + self.feed(self.norm2(x))
        return self.scores(self.norm3(x).mean(1))


def load_data() -> datasets.Split:
    """Digits as [n, 8, 8] grey values 0..16."""
    split = datasets.digits()
    return datasets.Split(split.train_x[:, 0], split.train_y, split.test_x[:, 0], split.test_y)


def build(split: datasets.Split) -> nn.Module:
    """One block of width 16, two heads."""
    model = Encoder()
    with torch.no_grad():
        model.embed.weight /= 8  # grey values go up to 16: start where inputs of order one would
    return model


if __name__ == "__main__":
    recipe.main(CARD, load_data, build, recipe.Training(epochs=80, batch=32, rate=5e-3, decay=1e-1))
