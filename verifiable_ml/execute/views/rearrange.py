# SPDX-License-Identifier: MIT OR Apache-2.0
"""rearrange: what only permutes is a matter of layout; the rest is Concat, Slice and Gather."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.graph import Graph, Step, Value
from verifiable_ml.program.ops.rearrange import Map, identity
from verifiable_ml.program.tensor import Shape


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Join, permute, map, reshape."""
    a = step.attributes
    joined = operands[0] if len(operands) == 1 else _joined(graph, step, operands)
    shape = tuple(a.view[axis] for axis in a.permutation)
    moved = graph.rearranged(joined, a.view, a.permutation, shape)
    mapped = [place for place, size in enumerate(shape) if a.maps[place] != identity(size)]
    if mapped:
        moved = graph.cast(moved, step.output.dtype.numpy.name) if _fills(a.maps, shape) else moved
        order = graph.order(moved)
        name = graph.laid(moved, order)
        sizes = [shape[axis] for axis in order]
        for place in mapped:
            name = _mapped(graph, name, sizes, order.index(place), a.maps[place], (a.fill, moved.dtype))
        moved = graph.value(name, moved.dtype, tuple(m[0] for m in a.maps), order)
    return graph.reshaped(moved, a.shape)


def _joined(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Along `axis` of the view, with channels first if the first operand has them so."""
    a, dtype = step.attributes, step.output.dtype.numpy.name
    others = prod(a.view[: a.axis]) * prod(a.view[a.axis + 1 :])
    pieces = [
        graph.reshaped(graph.cast(value, dtype), (*a.view[: a.axis], prod(value.shape) // others, *a.view[a.axis + 1 :]))
        for value in operands
    ]
    order = graph.order(pieces[0])
    names = [graph.laid(piece, order) for piece in pieces]
    return graph.value(graph.node("Concat", *names, axis=order.index(a.axis)), dtype, a.view, order)


def _sources(of: Map) -> IntArray:
    count, start, step, divisor = of
    return (start + np.arange(count) * step) // divisor


def _fills(maps: tuple[Map, ...], shape: Shape) -> bool:
    return any(bool(((_sources(m) < 0) | (_sources(m) >= size)).any()) for m, size in zip(maps, shape, strict=True))


def _mapped(graph: Graph, name: str, sizes: list[int], axis: int, of: Map, fill: tuple[int, str]) -> str:
    """One axis mapped; `sizes` follows. What lies outside reads an entry of the fill value, put behind the last."""
    sources, size = _sources(of), sizes[axis]
    inside = (sources >= 0) & (sources < size)
    if inside.all() and of[2:] == (1, 1):
        ends = (graph.constant([end], "int64") for end in (of[1], of[1] + of[0], axis))
        name = graph.node("Slice", name, *ends)
    else:
        if not inside.all():
            entry = graph.constant(np.full([*sizes[:axis], 1, *sizes[axis + 1 :]], fill[0]), fill[1])
            name = graph.node("Concat", name, entry, axis=axis)
        name = graph.node("Gather", name, graph.constant(np.where(inside, sources, size), "int64"), axis=axis)
    sizes[axis] = of[0]
    return name
