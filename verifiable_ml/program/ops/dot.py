# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a sum of products can reach: shared by the two operators that are one, matmul and conv."""

from __future__ import annotations

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator
from verifiable_ml.program.tensor import Interval


def weight_bounds(x: Interval, weights: IntArray) -> Accumulator:
    """Exact over all inputs in `x`: weights [N, K], one pair a channel n. Python integers, so that nothing wraps."""
    positive = np.where(weights > 0, weights, 0).sum(axis=-1).tolist()
    negative = np.where(weights < 0, -weights, 0).sum(axis=-1).tolist()
    lows = [p * x.low - n * x.high for p, n in zip(positive, negative, strict=True)]
    highs = [p * x.high - n * x.low for p, n in zip(positive, negative, strict=True)]
    magnitude = max(p + n for p, n in zip(positive, negative, strict=True)) * x.magnitude
    return Accumulator(lows, highs, magnitude)


def tensor_bounds(x: Interval, y: Interval, terms: int) -> Accumulator:
    """Over all x and y in their intervals, for every channel alike."""
    product = x * y
    return Accumulator([product.low * terms], [product.high * terms], product.magnitude * terms)
