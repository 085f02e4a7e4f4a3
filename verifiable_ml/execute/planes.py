# SPDX-License-Identifier: MIT OR Apache-2.0
"""Wide integers as planes of bytes, for the products that onnxruntime has for bytes only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from verifiable_ml.execute.graph import Graph, Step, Value
from verifiable_ml.program import Interval

MAX_TERMS = ((1 << 31) - 1) // (255 * 255)
"""Products of bytes that an int32 accumulator surely holds, whatever the order and the zero points."""


def byte_product_fits(step: Step, zeros: tuple[int, int], terms: int) -> bool:
    """Whether both operands and zero points are bytes, and no int32 accumulator overflows."""
    spans = [(k.interval.low, k.interval.high, zero) for k, zero in zip(step.operands, zeros, strict=True)]
    return terms <= MAX_TERMS and all(0 <= end <= 255 for span in spans for end in span)


@dataclass(frozen=True, slots=True)
class Plane:
    """Bytes [.., ..] of weight 2^(8 * place), and the byte of the zero point there."""

    value: Value
    zero: int
    place: int


def planes(graph: Graph, value: Value, interval: Interval, zero: int) -> list[Plane]:
    """Cut so that value - zero = sum of 2^(8 place) (plane - its zero). One plane, the value itself, if all are bytes."""
    if interval.low >= 0 and interval.high <= 255 and 0 <= zero <= 255:
        return [Plane(graph.cast(value, "uint8"), zero, 0)]
    base, highest = min(interval.low, zero), max(interval.high, zero)
    name = graph.cast(value, "int64").name
    name = graph.node("Sub", name, graph.constant(base, "int64"))
    whole = graph.cast(replace(value, name=name, dtype="int64"), "uint64")
    return [_plane(graph, whole, zero - base, place) for place in range(-(-(highest - base).bit_length() // 8))]


def _plane(graph: Graph, whole: Value, zero: int, place: int) -> Plane:
    name = whole.name
    if place:
        name = graph.node("BitShift", name, graph.constant(8 * place, "uint64"), direction="RIGHT")
    name = graph.node("BitwiseAnd", name, graph.constant(255, "uint64"))
    value = graph.cast(replace(whole, name=name), "uint8")
    return Plane(value, (zero >> (8 * place)) & 255, place)
