# SPDX-License-Identifier: MIT OR Apache-2.0
"""Wide integers as planes of bytes, for the products that onnxruntime has for bytes only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic, centred, centred_bound
from verifiable_ml.program import Interval

MAX_TERMS = ((1 << 31) - 1) // (255 * 255)
"""Products of bytes that an int32 accumulator surely holds, whatever the order and the zero points."""

FEW = 64
"""Terms up to which one product in float64 takes less than to cut into planes and to add up (measured: 16 by 96 at 3136 rows)."""


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


Product = Callable[[Plane, Plane], tuple[str, str]]
"""Of two planes without their zero points: the name of the result, and its type."""


def count(interval: Interval, zero: int) -> int:
    """How many planes there are."""
    if interval.low >= 0 and max(interval.high, zero) <= 255 and zero >= 0:
        return 1
    return -(-(max(interval.high, zero) - min(interval.low, zero)).bit_length() // 8)


def planes(graph: Graph, value: Value, interval: Interval, zero: int) -> list[Plane]:
    """Cut so that value - zero = sum of 2^(8 place) (plane - its zero). One plane, the value itself, if all are bytes."""
    if interval.low >= 0 and interval.high <= 255 and 0 <= zero <= 255:
        return [Plane(graph.cast(value, "uint8"), zero, 0)]
    base, places = min(interval.low, zero), count(interval, zero)
    bits = 32 if max(centred_bound(interval, base), abs(zero - base)) < 1 << 31 else 64
    whole = graph.cast(centred(graph, value, base, f"int{bits}"), f"uint{bits}")
    return [_plane(graph, whole, zero - base, place, last=place == places - 1) for place in range(places)]


def _plane(graph: Graph, whole: Value, zero: int, place: int, *, last: bool) -> Plane:
    name = whole.name
    if place:
        name = graph.node("BitShift", name, graph.constant(8 * place, whole.dtype), direction="RIGHT")
    if not last:
        name = graph.node("BitwiseAnd", name, graph.constant(255, whole.dtype))
    value = graph.cast(replace(whole, name=name), "uint8")
    return Plane(value, (zero >> (8 * place)) & 255, place)


def joined(graph: Graph, xs: list[Plane], ws: list[Plane], terms: int, product: Product) -> tuple[str, str]:
    """The sum of 2^(8 place) * product over all pairs, and its type, which holds every partial sum. Raises UnsupportedModel."""
    pairs = [(x, w) for x in xs for w in ws]
    if len(pairs) == 1:
        return product(*pairs[0])
    bound = sum(terms * 255 * 255 << (8 * (x.place + w.place)) for x, w in pairs)
    if bound >= 1 << 62:
        raise UnsupportedModel(
            thing="a product", reason="its operands are wider than onnxruntime can multiply exactly", hint="narrow them"
        )
    dtype, total = arithmetic(bound), ""
    for x, w in pairs:
        name, made = product(x, w)
        term, place = graph.cast(graph.value(name, made, ()), dtype).name, x.place + w.place
        term = graph.node("Mul", term, graph.constant(1 << (8 * place), dtype)) if place else term
        total = graph.node("Add", total, term) if total else term
    return total, dtype
