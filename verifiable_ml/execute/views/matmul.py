# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: MatMulInteger on bytes, or on planes of bytes where weights are many; otherwise in floating arithmetic.

The bound of 2^47 on every partial sum keeps float64 exact.
"""

from __future__ import annotations

from math import prod

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.graph import Graph, Step, Value, centred, floating
from verifiable_ml.execute.planes import FEW, MAX_TERMS, Plane, byte_product_fits, count, joined, planes
from verifiable_ml.execute.signed import signed_count, times_weights

MANY = 1 << 14
"""Weights from which it pays to read bytes instead of float64 (measured: 16 x 8 bits at 1024 x 1024, one row)."""


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [..., m, K] and w [..., N, K]: one product if w is [N, K], one a batch otherwise."""
    x, w = operands
    shape, terms = step.output.shape, x.shape[-1]
    if len(w.shape) == 2:
        x = graph.reshaped(x, (prod(x.shape[:-1]), terms))
    zeros = (step.attributes.x_zero, step.attributes.w_zero)
    dtype, fits = floating(step, zeros), byte_product_fits(step, zeros, terms)
    if _signed_pays(graph, step, zeros, dtype, fits=fits):
        xs = planes(graph, graph.value(graph.laid(x), x.dtype, x.shape), step.operands[0].interval, zeros[0])
        name, dtype = times_weights(graph, xs, _weights(step))
    elif fits or (dtype != "float32" and _planes_pay(step, zeros)):
        name, dtype = _by_bytes(graph, step, (x, w), zeros)
    else:
        x, w = (centred(graph, value, zero, dtype) for value, zero in zip((x, w), zeros, strict=True))
        name = graph.node("MatMul", graph.laid(x), graph.laid(w, _swapped(w)))
    return graph.reshaped(graph.value(name, dtype, (*x.shape[:-1], w.shape[-2])), shape)


def _by_bytes(graph: Graph, step: Step, operands: tuple[Value, Value], zeros: tuple[int, int]) -> tuple[str, str]:
    def product(a: Plane, b: Plane) -> tuple[str, str]:
        names = (graph.laid(a.value), graph.laid(b.value, _swapped(b.value)))
        return graph.node("MatMulInteger", *names, *(graph.constant(plane.zero, "uint8") for plane in (a, b))), "int32"

    xs, ws = (planes(graph, v, k.interval, zero) for v, k, zero in zip(operands, step.operands, zeros, strict=True))
    return joined(graph, xs, ws, operands[0].shape[-1], product)


def _swapped(w: Value) -> tuple[int, ...]:
    return (*range(len(w.shape) - 2), len(w.shape) - 1, len(w.shape) - 2)


def _weights(step: Step) -> IntArray:
    """Constant weights [N, K], their zero point taken away."""
    values = step.operands[1].values
    assert values is not None
    weights: IntArray = values - step.attributes.w_zero
    return weights


def _signed_pays(graph: Graph, step: Step, zeros: tuple[int, int], dtype: str, *, fits: bool) -> bool:
    """Constant weights as signed bytes cost a quarter of other products; more planes of them pay where weights are many."""
    x, w = step.operands
    if not graph.signed or w.values is None or len(w.shape) != 2 or w.shape[-1] > MAX_TERMS:
        return False
    pairs = count(x.interval, zeros[0]) * signed_count(w.interval.shifted(-zeros[1]))
    many = prod(w.shape) >= MANY and w.shape[-1] > FEW
    return (fits and pairs == 1) or (many and pairs <= (2 if dtype == "float32" else 6))


def _planes_pay(step: Step, zeros: tuple[int, int]) -> bool:
    """Two products of bytes cost less than one of float64; four do where few rows share the weights that are read."""
    x, w = step.operands
    pairs = count(x.interval, zeros[0]) * count(w.interval, zeros[1])
    few = prod(x.shape[:-1]) <= 16
    return w.values is not None and prod(w.shape) >= MANY and w.shape[-1] <= MAX_TERMS and pairs <= (4 if few else 2)
