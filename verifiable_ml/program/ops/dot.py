# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a sum of products can reach: shared by the two operators that are one, matmul and conv."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.program.operator import Accumulator, DomainError, Known
from verifiable_ml.program.tensor import Interval

MAX_WEIGHTS = 1 << 62


def weight_bounds(x: Interval, w: Known, w_zero: int) -> Accumulator:
    """Exact over all inputs in `x`: constant weights [N, ...], one pair a channel n.

    Raises DomainError where the sum of a channel's weights could wrap in 64 bits: a bound that wraps proves nothing.
    """
    assert w.values is not None
    reach = w.interval.shifted(-w_zero).magnitude * prod(w.shape[1:])
    if reach >= MAX_WEIGHTS:
        raise DomainError(f"its weights can sum up to {reach}, and 2^62 is the limit")
    weights = (w.values - w_zero).reshape(w.shape[0], -1)
    total, absolute = weights.sum(axis=-1), np.abs(weights).sum(axis=-1)
    positive, negative = ((absolute + total) // 2).tolist(), ((absolute - total) // 2).tolist()
    lows = [p * x.low - n * x.high for p, n in zip(positive, negative, strict=True)]
    highs = [p * x.high - n * x.low for p, n in zip(positive, negative, strict=True)]
    magnitude = max(p + n for p, n in zip(positive, negative, strict=True)) * x.magnitude
    return Accumulator(lows, highs, magnitude)


def tensor_bounds(x: Interval, y: Interval, terms: int) -> Accumulator:
    """Over all x and y in their intervals, for every channel alike."""
    product = x * y
    return Accumulator([product.low * terms], [product.high * terms], product.magnitude * terms)
