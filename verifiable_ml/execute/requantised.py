# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requantisation in onnxruntime: clip((acc * multiplier + offset) >> shift, low, high), exactly.

Below 2^53 (2^24) in float64 (float32): multiplier and offset are scaled by 2^-shift, which loses nothing, and the floor is
the truncation of the last Cast where nothing is negative. Beyond, in int64, clipped before an unsigned shift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verifiable_ml.execute.graph import CONTRIBUTED, Graph, Value, arithmetic
from verifiable_ml.program import Requantise
from verifiable_ml.program.operator import Accumulator
from verifiable_ml.program.tensor import Interval, Shape


def requantised(graph: Graph, value: Value, form: Requantise, reached: Accumulator, dtype: str) -> Value:
    """The stored integers, in `dtype` or in the type of the arithmetic, from the accumulator."""
    scaled, bound = scaled_interval(form, reached)
    kind, permutation = arithmetic(bound), graph.order(value)
    if not value.layout.is_plain or value.stored[-1:] != value.shape[-1:]:  # else channels are innermost as it is
        value = graph.value(graph.laid(value, permutation), value.dtype, value.shape, permutation)
    if form.low == form.high:  # always saturated, perhaps at a bound that the arithmetic does not hold
        zero = graph.node("Mul", graph.cast(value, "int64").name, graph.constant(0, "int64"))
        return replace(value, name=graph.node("Add", zero, graph.constant(form.low, "int64")), dtype="int64")
    if kind == "int64":
        name = _integer(graph, graph.cast(value, kind).name, form, scaled, permutation)
        return replace(value, name=name, dtype=kind)
    return _floating(graph, value, form, scaled, (kind, dtype), permutation)


def scaled_interval(form: Requantise, reached: Accumulator) -> tuple[Interval, int]:
    """The interval of acc * multiplier + offset, and the greatest magnitude on the way there."""
    count = max(len(reached.lows), form.channels)
    multiplier, offset = (np.broadcast_to(each, count).tolist() for each in (form.multiplier, form.offset))
    ends = [
        (end * m, o)
        for ends in (reached.lows, reached.highs)
        for end, m, o in zip(ends * (count // len(ends)), multiplier, offset, strict=True)
    ]
    sums = [product + o for product, o in ends]
    magnitude = max(max(abs(product), abs(o)) for product, o in ends)
    return Interval(min(sums), max(sums)), max(magnitude, max(map(abs, sums)), reached.interval.magnitude)


def _floating(
    graph: Graph, value: Value, form: Requantise, scaled: Interval, types: tuple[str, str], permutation: Shape
) -> Value:
    kind, dtype = types
    name = _by_the_product(graph, value, form) if kind == "float32" else None
    name = name or _affine(graph, graph.cast(value, kind).name, form, kind, permutation, 2.0**-form.shift)
    if scaled.low >> form.shift < form.low or scaled.high >> form.shift > form.high:
        name = graph.node("Clip", name, graph.constant(form.low, kind), graph.constant(form.high, kind))
    if form.shift and form.low < 0:
        name = graph.node("Floor", name)
    value = replace(value, name=name, dtype=kind)
    return graph.cast(value, dtype) if form.shift else value


def _by_the_product(graph: Graph, value: Value, form: Requantise) -> str | None:
    """Multiplier and offset applied by the product of bytes that the accumulator comes from, on its way out, in float32."""
    made = graph.made(value.name)
    if made is None or made.op_type != "MatMulInteger" or len(value.stored) != 2 or not value.layout.is_plain:
        return None
    x, w, *zeros = made.input
    multiplier, offset = form.multiplier * 2.0**-form.shift, form.offset * 2.0**-form.shift
    scale = multiplier if len(multiplier) > 1 else multiplier.reshape(())
    after = [graph.constant(np.broadcast_to(offset, value.stored[-1:]), "float32")] if offset.any() else []
    scales = graph.constant(1, "float32"), graph.constant(scale, "float32")
    return graph.node("MatMulIntegerToFloat", x, w, *scales, *(*zeros, "")[:2], *after, domain=CONTRIBUTED)


def _integer(graph: Graph, name: str, form: Requantise, scaled: Interval, permutation: Shape) -> str:
    name = _affine(graph, name, form, "int64", permutation, 1)
    low, high = form.low << form.shift, ((form.high + 1) << form.shift) - 1
    if scaled.low < low or scaled.high > high:
        ends = (max(low, scaled.low), min(high, scaled.high))
        name = graph.node("Clip", name, *(graph.constant(end, "int64") for end in ends))
    if not form.shift:
        return name
    if form.low < 0:  # an unsigned shift floors what is not negative: add a multiple of 2^shift, and take it away after
        name = graph.node("Add", name, graph.constant(-form.low << form.shift, "int64"))
    name = graph.cast(graph.value(name, "int64", ()), "uint64").name
    name = graph.node("BitShift", name, graph.constant(form.shift, "uint64"), direction="RIGHT")
    name = graph.cast(graph.value(name, "uint64", ()), "int64").name
    return graph.node("Add", name, graph.constant(form.low, "int64")) if form.low < 0 else name


def _affine(graph: Graph, name: str, form: Requantise, kind: str, permutation: Shape, unit: float) -> str:
    multiplier, offset = form.multiplier * unit, form.offset * unit
    if (multiplier != 1).any():
        name = graph.node("Mul", name, graph.channels(multiplier, kind, permutation))
    if offset.any():
        name = graph.node("Add", name, graph.channels(offset, kind, permutation))
    return name
