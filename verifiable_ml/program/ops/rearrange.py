# SPDX-License-Identifier: MIT OR Apache-2.0
"""rearrange: a static map of indices, an axis at a time, with a fill value.

Covers Reshape, Transpose, Slice, Concat, Pad, Split, nearest Resize. In four steps: operands, each seen as `view`, are
joined along `axis`; axes are permuted; along each, entry i reads (start + i*step) // divisor, and what lies outside is
`fill`; the result is seen as `shape`. Source: ONNX Transpose-21, Slice-13, Concat-13, Pad-21; design.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program.operator import Accumulator, Known, ShapeMismatch
from verifiable_ml.program.tensor import Interval, Shape

NAME, CODE, REQUANTISES = "rearrange", 13, False
Map = tuple[int, int, int, int]
"""(count, start, step, divisor) of one permuted axis."""
MAX_INDEX = 1 << 62
"""No start, step, divisor or numerator reaches it, so that none wraps in 64 bits."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """`view` is the joined operands' shape; `maps` has one entry for each axis after the permutation."""

    shape: Shape
    view: Shape
    permutation: Shape
    maps: tuple[Map, ...]
    axis: int = 0
    fill: int = 0


def identity(size: int) -> Map:
    """Every entry in its place."""
    return (size, 0, 1, 1)


def canonical(attributes: Attributes, shapes: tuple[Shape, ...]) -> Attributes:
    """One way to write a map: fractions reduced, none where steps are equal; of one operand also no axes of one entry, and
    neighbours that move together merged. Enough that what a compiler writes differently by accident has one id.
    """
    output_shape(attributes, shapes)
    reduced = replace(attributes, maps=tuple(map(_reduced, attributes.maps)))
    if not _fills(reduced):
        reduced = replace(reduced, fill=0)
    if len(shapes) > 1:
        return reduced
    return _merged(_without_unit_axes(replace(reduced, axis=0)))


def _reduced(of: Map) -> Map:
    count, start, step, divisor = of
    first, second = start // divisor, (start + step) // divisor
    if count == 1:
        return (1, first, 1, 1)
    drift = start - first * divisor + (count - 1) * (step - (second - first) * divisor)
    if 0 <= drift < divisor:  # linear in the entry, so that the last one says it for all: equal steps, no fraction
        return (count, first, second - first, 1)
    shared = gcd(start, step, divisor)
    return (count, start // shared, step // shared, divisor // shared)


def _without_unit_axes(a: Attributes) -> Attributes:
    kept = [axis for axis, size in enumerate(a.view) if size > 1 or a.maps[a.permutation.index(axis)] != identity(1)]
    maps = tuple(m for axis, m in zip(a.permutation, a.maps, strict=True) if axis in kept)
    permutation = tuple(kept.index(axis) for axis in a.permutation if axis in kept)
    return replace(a, view=tuple(a.view[axis] for axis in kept), permutation=permutation, maps=maps)


def _merged(a: Attributes) -> Attributes:
    for place in range(len(a.permutation) - 1):
        left, right = a.permutation[place : place + 2]
        whole = a.maps[place] == identity(a.view[left]) and a.maps[place + 1] == identity(a.view[right])
        if right == left + 1 and whole:
            joined = a.view[left] * a.view[right]
            view = (*a.view[:left], joined, *a.view[right + 1 :])
            rest = (*a.permutation[: place + 1], *a.permutation[place + 2 :])
            permutation = tuple(axis - (axis > left) for axis in rest)
            maps = (*a.maps[:place], identity(joined), *a.maps[place + 2 :])
            return _merged(replace(a, view=view, permutation=permutation, maps=maps))
    return a


def _sources(a: Attributes) -> list[IntArray]:
    return [(start + np.arange(count) * step) // divisor for count, start, step, divisor in a.maps]


def _fills(a: Attributes) -> bool:
    """Whether any entry of the output is the fill value. A map is monotone, so that its ends say it."""
    ends = [(start // divisor, (start + (count - 1) * step) // divisor) for count, start, step, divisor in a.maps]
    return any(min(pair) < 0 or max(pair) >= a.view[axis] for axis, pair in zip(a.permutation, ends, strict=True))


def output_shape(attributes: Attributes, shapes: tuple[Shape, ...]) -> Shape:
    """`shape`. Raises ShapeMismatch."""
    a = attributes
    if sorted(a.permutation) != list(range(len(a.view))) or len(a.maps) != len(a.view) or min(a.view, default=1) < 1:
        raise ShapeMismatch(f"{a}: the permutation or the maps do not fit the view")
    if any(len(m) != 4 or m[0] < 1 or m[3] < 1 for m in a.maps) or prod(m[0] for m in a.maps) != prod(a.shape):
        raise ShapeMismatch(f"{a}: the maps do not give as many entries as the output has")
    if any(max(abs(c), abs(s), abs(t), d, abs(s + (c - 1) * t)) >= MAX_INDEX for c, s, t, d in a.maps):
        raise ShapeMismatch(f"{a}: a map reaches 2^62")
    if min(a.shape, default=1) < 1 or (a.view and not 0 <= a.axis < len(a.view)):
        raise ShapeMismatch(f"{a}: no such axis or shape")
    sizes = [prod(shape) for shape in shapes]
    if sum(sizes) != prod(a.view) or any(size % prod(_others(a)) for size in sizes):
        raise ShapeMismatch(f"operands {[list(s) for s in shapes]} do not join to {list(a.view)} along axis {a.axis}")
    return a.shape


def _others(a: Attributes) -> Shape:
    return (*a.view[: a.axis], *a.view[a.axis + 1 :])


def accumulate(attributes: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    """Join, permute, map, reshape."""
    a = attributes
    source = operands[0].reshape(a.view) if not a.view else _joined(a, operands)
    result = source.transpose(a.permutation).astype(np.int64)
    for place, index in enumerate(_sources(a)):
        size = result.shape[place]
        inside = ((index >= 0) & (index < size)).reshape(-1, *[1] * (len(a.view) - place - 1))
        result = np.where(inside, np.take(result, np.clip(index, 0, size - 1), axis=place), a.fill)
    return result.reshape(a.shape)


def _joined(a: Attributes, operands: tuple[IntArray, ...]) -> IntArray:
    others = prod(_others(a))
    views = [x.reshape(*a.view[: a.axis], x.size // others, *a.view[a.axis + 1 :]) for x in operands]
    return np.concatenate(views, axis=a.axis)


def bounds(attributes: Attributes, operands: tuple[Known, ...]) -> Accumulator:
    """The hull of the operands, and of the fill value where there is one."""
    reached = [x.interval for x in operands]
    if _fills(attributes):
        reached.append(Interval(attributes.fill, attributes.fill))
    return Accumulator.of(Interval.hull(reached))


def runs(attributes: Attributes, shapes: tuple[Shape, ...]) -> tuple[tuple[int, ...], ...]:
    """One piece."""
    return ()
