# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reshape, Transpose, Slice, Concat, Pad, Gather with constant indices: rearrangements; scales pass through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from verifiable_ml.program import Interval, Operand, Requantise, TraceRef
from verifiable_ml.program.ops.rearrange import Map, identity
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.value import FloatArray, Grid, Quantised

JOINED = 8
Part = tuple[Operand, int]
"""A tensor, and its length along the axis that is joined."""


def reshape(lowering: Lowering, node: Node) -> Quantised:
    """The same elements in ONNX order."""
    name, shape = node.inputs[0], lowering.shapes[node.output]
    x = lowering.affine(name)
    x = x if x.plain else lowering.plain(name, x.layout)
    return replace(lowering.laid_out(x, tuple(range(len(x.layout))), name, shape), layout=tuple(range(len(shape))))


def transpose(lowering: Lowering, node: Node) -> Quantised:
    """A new reading of the stored axes; no operator."""
    x = lowering.affine(node.inputs[0])
    rank = len(x.layout)
    order = [int(axis) for axis in node.get("perm", range(rank)[::-1])]
    return replace(x, layout=tuple(order.index(axis) for axis in x.layout))


def _slice_maps(lowering: Lowering, node: Node) -> tuple[Map, ...]:
    shape = lowering.shapes[node.inputs[0]]
    given: list[Any] = [lowering.constants.get(name) if name else None for name in node.inputs[1:]]
    if len(given) < 2 or any(name and name not in lowering.constants for name in node.inputs[1:]):
        raise node.refuse("its bounds are no constants", "fix the shapes at export")
    starts, ends = given[0].tolist(), given[1].tolist()
    axes = given[2].tolist() if len(given) > 2 and given[2] is not None else range(len(starts))
    steps = given[3].tolist() if len(given) > 3 and given[3] is not None else [1] * len(starts)
    maps = list(map(identity, shape))
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(shape[axis])[start:end:step]
        maps[axis % len(shape)] = (len(places), places.start, places.step, 1)
    return tuple(maps)


def slice_(lowering: Lowering, node: Node) -> Quantised:
    """Along each axis start, step and count."""
    x, maps = lowering.plain(node.inputs[0]), _slice_maps(lowering, node)
    shape = lowering.shapes[node.inputs[0]]
    ref = lowering.move(x.ref, label=node.name, view=shape, shape=tuple(m[0] for m in maps), maps=maps)
    return Quantised(ref, x.scale, x.zero, x.layout)


def concat(lowering: Lowering, node: Node) -> Quantised:
    """Operands brought to one grid, then joined: eight at a time, which a descriptor always holds."""
    shape = lowering.shapes[node.output]
    axis = int(node.get("axis", 0)) % len(shape)
    grid = lowering.grid(node.output)
    parts: list[Part] = [(_on_grid(lowering, name, grid), lowering.shapes[name][axis]) for name in node.inputs]
    while len(parts) > JOINED:
        parts = [_joined(lowering, node, parts[i : i + JOINED], shape, axis) for i in range(0, len(parts), JOINED)]
    return Quantised(_joined(lowering, node, parts, shape, axis)[0], np.array([grid.scale]), grid.zero, tuple(range(len(shape))))


def _joined(lowering: Lowering, node: Node, parts: Sequence[Part], whole: Shape, axis: int) -> tuple[TraceRef, int]:
    length = sum(part for _, part in parts)
    shape = (*whole[:axis], length, *whole[axis + 1 :])
    view = (prod(whole[:axis]), length, prod(whole[axis + 1 :]))
    (first, _), *others = parts
    return lowering.move(first, [ref for ref, _ in others], label=node.name, view=view, shape=shape, axis=1), length


def _on_grid(lowering: Lowering, name: str, grid: Grid) -> Operand:
    constant = lowering.constant(name)
    if constant is not None:
        integers = np.rint(np.clip(constant / grid.scale, -(2.0**40), 2.0**40)) + grid.zero
        return lowering.builder.constant(np.clip(integers, grid.interval.low, grid.interval.high).astype(np.int64))
    value = lowering.narrow(name, lowering.plain(name))
    if value.scale[0] == grid.scale and value.zero == grid.zero:
        return value.ref
    return lowering.rescaled(value, name, grid).ref


def pad(lowering: Lowering, node: Node) -> Quantised:
    """With a constant, which is 0 unless it is said."""
    if node.get("mode", b"constant") != b"constant" or node.inputs[1] not in lowering.constants:
        raise node.refuse("it pads by other than a constant", "only constant padding is lowered yet")
    x, shape = lowering.plain(node.inputs[0]), lowering.shapes[node.inputs[0]]
    pads = lowering.constants[node.inputs[1]].tolist()
    value = lowering.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1)
    axes = lowering.constants[node.inputs[3]].tolist() if len(node.inputs) > 3 and node.inputs[3] else list(range(len(shape)))
    if value is None:
        raise node.refuse("its value is no constant", "pad with a constant")
    maps = list(map(identity, shape))
    for place, axis in enumerate(axes):
        before, after = pads[place], pads[place + len(axes)]
        maps[axis % len(shape)] = (shape[axis] + before + after, -before, 1, 1)
    fill = round(float(value.reshape(-1)[0]) / float(x.scale[0])) + x.zero
    spec = lowering.builder.spec(x.ref).interval
    fill = min(max(fill, spec.dtype.low), spec.dtype.high)
    ref = lowering.move(x.ref, label=node.name, view=shape, shape=tuple(m[0] for m in maps), maps=tuple(maps), fill=fill)
    return Quantised(ref, x.scale, x.zero, x.layout)


def gather(lowering: Lowering, node: Node) -> Quantised:
    """Entries of one axis at constant places, or rows of a constant table by tokens."""
    data, indices = lowering.constant(node.inputs[0]), lowering.constants.get(node.inputs[1])
    axis = int(node.get("axis", 0))
    if data is not None and indices is None and axis == 0 and node.inputs[1] in lowering.inputs:
        return _embedding(lowering, node, data)
    if indices is None:
        return _computed(lowering, node, axis % len(lowering.shapes[node.inputs[0]]))
    shape, target = lowering.shapes[node.inputs[0]], lowering.shapes[node.output]
    axis %= len(shape)
    places = [int(i) % shape[axis] for i in indices.reshape(-1)]
    steps = {b - a for a, b in pairwise(places)}
    if len(steps) > 1:
        return _rows(lowering, node, axis, places)
    x, maps = lowering.plain(node.inputs[0]), list(map(identity, shape))
    maps[axis] = (len(places), places[0], steps.pop() if steps else 1, 1)
    ref = lowering.move(x.ref, label=node.name, view=shape, shape=target, maps=tuple(maps))
    return Quantised(ref, x.scale, x.zero, tuple(range(len(target))))


def _rows(lowering: Lowering, node: Node, axis: int, places: list[int]) -> Quantised:
    """Along the leading axis by a constant index; where the axis stands is a matter of layout."""
    target, rank = lowering.shapes[node.output], len(lowering.shapes[node.inputs[0]])
    order = (axis, *(other for other in range(rank) if other != axis))
    x = lowering.plain(node.inputs[0], order)
    ref = lowering.builder.apply("gather", x.ref, lowering.builder.constant(np.array(places)), label=node.name)
    picked = Quantised(ref, x.scale, x.zero, order)
    if len(target) == rank:
        return picked
    shaped = lowering.laid_out(picked, tuple(range(rank)), node.output, target)
    return Quantised(shaped.ref, x.scale, x.zero, tuple(range(len(target))))


def _computed(lowering: Lowering, node: Node, axis: int) -> Quantised:
    """By indices that are whole numbers of the trace, held to the rows that there are."""
    shape, count = lowering.shapes[node.inputs[0]], len(lowering.shapes[node.inputs[1]])
    if lowering.calibration.ranges[node.inputs[1]].low < 0:
        raise node.refuse("its computed indices are negative", "count from the front")
    order = (axis, *(other for other in range(len(shape)) if other != axis))
    indices, rows = lowering.plain(node.inputs[1]), Interval(0, shape[axis] - 1)
    places = indices.ref
    if not lowering.builder.spec(places).interval.within(rows):
        form = Requantise.clip(rows)
        places = lowering.builder.apply("add", places, requantise=form, label=f"{node.name} rows", coefficients=((1,),))
    data, scale, zero = _rows_of(lowering, node, order)
    ref = lowering.builder.apply("gather", data, places, label=node.name)
    others = tuple(other if other < axis else other + count - 1 for other in order[1:])
    return Quantised(ref, scale, zero, (*range(axis, axis + count), *others))


def _rows_of(lowering: Lowering, node: Node, order: Shape) -> tuple[Operand, FloatArray, int]:
    constant = lowering.constant(node.inputs[0])
    if constant is None:
        x = lowering.plain(node.inputs[0], order)
        return x.ref, x.scale, x.zero
    grid = lowering.grid(node.output)
    integers = np.rint(constant.transpose(order) / grid.scale) + grid.zero
    held = np.clip(integers, grid.interval.low, grid.interval.high).astype(np.int64)
    return lowering.builder.constant(held), np.array([grid.scale]), grid.zero


def _embedding(lowering: Lowering, node: Node, table: np.ndarray[Any, np.dtype[np.float64]]) -> Quantised:
    grid = lowering.grid(node.output)
    if not lowering.is_whole(node.output):
        grid = Grid.of(float(min(table.min(), 0)), float(max(table.max(), 0)), 8 if grid.interval.high == 255 else 16, 1.0)
    rows = np.clip(np.rint(table / grid.scale) + grid.zero, grid.interval.low, grid.interval.high).astype(np.int64)
    indices = lowering.affine(node.inputs[1])
    ref = lowering.builder.apply("gather", lowering.builder.constant(rows), indices.ref, label=node.name)
    return Quantised(ref, np.array([grid.scale]), grid.zero, tuple(range(len(lowering.shapes[node.output]))))


def same(lowering: Lowering, node: Node) -> Quantised:
    """What it gets, as an operator of its own: an output may be a copy of an input."""
    shape, constant = lowering.shapes[node.output], lowering.constant(node.inputs[0])
    if constant is not None:
        grid = lowering.grid(node.output)
        ref = lowering.builder.apply("add", _on_grid(lowering, node.inputs[0], grid), label=node.name, coefficients=((1,),))
        return Quantised(ref, np.array([grid.scale]), grid.zero, tuple(range(len(shape))))
    x = lowering.plain(node.inputs[0])
    return replace(x, ref=lowering.move(x.ref, label=node.name, view=shape, shape=shape))


LOWERINGS: dict[str, Lower] = {
    "Reshape": reshape,
    "Transpose": transpose,
    "Slice": slice_,
    "Concat": concat,
    "Pad": pad,
    "Gather": gather,
    "Identity": same,
}
