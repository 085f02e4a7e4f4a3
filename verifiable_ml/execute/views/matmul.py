# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: MatMulInteger on bytes, or on planes of bytes where weights are many; otherwise in floating arithmetic.

The bound of 2^47 on every partial sum keeps float64 exact.
"""

from __future__ import annotations

from math import prod

from verifiable_ml.execute.graph import Graph, Step, Value, centred, floating
from verifiable_ml.execute.planes import MAX_TERMS, Plane, byte_product_fits, count, joined, planes

MANY = 1 << 14
"""Weights from which it pays to read bytes instead of float64 (measured: 16 x 8 bits at 1024 x 1024, one row)."""


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [..., m, K] and w [..., N, K]: one product if w is [N, K], one a batch otherwise."""
    x, w = operands
    shape, terms = step.output.shape, x.shape[-1]
    if len(w.shape) == 2:
        x = graph.reshaped(x, (prod(x.shape[:-1]), terms))
    swapped = (*range(len(w.shape) - 2), len(w.shape) - 1, len(w.shape) - 2)
    zeros = (step.attributes.x_zero, step.attributes.w_zero)

    def product(a: Plane, b: Plane) -> str:
        names = (graph.laid(a.value), graph.laid(b.value, swapped))
        return graph.node("MatMulInteger", *names, *(graph.constant(plane.zero, "uint8") for plane in (a, b)))

    dtype = floating(step, zeros)
    if byte_product_fits(step, zeros, terms) or (dtype != "float32" and _planes_pay(step, zeros)):
        cut = [planes(graph, v, k.interval, zero) for v, k, zero in zip((x, w), step.operands, zeros, strict=True)]
        name, dtype = joined(graph, cut[0], cut[1], terms, product)
    else:
        x, w = (centred(graph, value, zero, dtype) for value, zero in zip((x, w), zeros, strict=True))
        name = graph.node("MatMul", graph.laid(x), graph.laid(w, swapped))
    return graph.reshaped(graph.value(name, dtype, (*x.shape[:-1], w.shape[-2])), shape)


def _planes_pay(step: Step, zeros: tuple[int, int]) -> bool:
    """Two products of bytes cost less than one of float64; four do where few rows share the weights that are read."""
    x, w = step.operands
    pairs = count(x.interval, zeros[0]) * count(w.interval, zeros[1])
    few = prod(x.shape[:-1]) <= 16
    return w.values is not None and prod(w.shape) >= MANY and w.shape[-1] <= MAX_TERMS and pairs <= (4 if few else 2)
