# SPDX-License-Identifier: MIT OR Apache-2.0
"""Unary functions: a table over the integers that the operand can be."""

from __future__ import annotations

from collections.abc import Callable
from math import erf, pi, sqrt

import numpy as np

from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.value import FloatArray, Quantised

_erf = np.vectorize(erf, otypes=[np.float64])


def _gelu(x: FloatArray, node: Node) -> FloatArray:
    if node.get("approximate", b"none") == b"tanh":
        share: FloatArray = np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))
    else:
        share = _erf(x / sqrt(2))
    return 0.5 * x * (1 + share)


def _power(x: FloatArray, node: Node) -> FloatArray:
    return x**2


FUNCTIONS: dict[str, Callable[[FloatArray, Node], FloatArray]] = {
    "Sigmoid": lambda x, _: 1 / (1 + np.exp(-x)),
    "Tanh": lambda x, _: np.tanh(x),
    "Erf": lambda x, _: _erf(x),
    "Exp": lambda x, _: np.exp(x),
    "Abs": lambda x, _: np.abs(x),
    "Gelu": _gelu,
    "Log": lambda x, _: np.log(x),
    "Sqrt": lambda x, _: np.sqrt(x),
    "Reciprocal": lambda x, _: 1 / x,
}
"""By ONNX operator; where one has no value (a logarithm of 0) the table holds the nearest that it has."""


def table(lowering: Lowering, node: Node) -> Quantised:
    """Lookup over the operand's proven interval, at most 2^16 entries."""
    x = lowering.plain(node.inputs[0], lowering.affine(node.inputs[0]).layout)
    interval, grid = lowering.builder.spec(x.ref).interval, lowering.grid(node.output)
    integers = np.arange(interval.low, interval.high + 1)
    with np.errstate(all="ignore"):
        real = FUNCTIONS[node.kind](np.asarray((integers - x.zero) * float(x.scale[0]), dtype=np.float64), node)
    real = _defined(np.asarray(real, dtype=np.float64))
    low, high = grid.interval.low, grid.interval.high
    entries = np.clip(np.rint(real / grid.scale) + grid.zero, low, high).astype(np.int64)
    ref = lowering.builder.apply("lookup", x.ref, lowering.builder.constant(entries), label=node.name, base=interval.low)
    return Quantised(ref, np.array([grid.scale]), grid.zero, x.layout)


def _defined(real: FloatArray) -> FloatArray:
    """Places without a finite value take the nearest one that has."""
    places = np.arange(len(real))
    finite = np.isfinite(real)
    if not finite.any():
        return np.zeros_like(real)
    return np.asarray(real[finite][np.abs(places[:, None] - places[finite][None]).argmin(axis=1)] if not finite.all() else real)


LOWERINGS: dict[str, Lower] = dict.fromkeys(FUNCTIONS, table)
