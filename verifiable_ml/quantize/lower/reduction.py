# SPDX-License-Identifier: MIT OR Apache-2.0
"""ReduceMean, ReduceSum, ReduceMax, ArgMax: the reduced axes are brought innermost."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.program import Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Product
from verifiable_ml.quantize.value import Pending, Quantised


def _axes(lowering: Lowering, node: Node) -> Shape:
    rank = len(lowering.shapes[node.inputs[0]])
    named = lowering.constants.get(node.inputs[1]) if len(node.inputs) > 1 and node.inputs[1] else None
    given = named.tolist() if named is not None else node.get("axes", None)
    if not given:
        return () if node.get("noop_with_empty_axes", 0) else tuple(range(rank))
    return tuple(sorted(int(axis) % rank for axis in given))


def _innermost(lowering: Lowering, node: Node, axes: Shape) -> tuple[Quantised, Shape]:
    """The operand with `axes` last, and the shape of what is kept."""
    rank = len(lowering.shapes[node.inputs[0]])
    kept = tuple(axis for axis in range(rank) if axis not in axes)
    return lowering.plain(node.inputs[0], (*kept, *axes)), tuple(lowering.shapes[node.inputs[0]][axis] for axis in kept)


def _shaped(lowering: Lowering, node: Node, ref: TraceRef, kept: Shape) -> TraceRef:
    """With the reduced axes as ones, where the node keeps them."""
    shape = lowering.shapes[node.output]
    return ref if kept == shape else lowering.move(ref, label=f"{node.name} shape", view=kept, shape=shape)


def _add_up(lowering: Lowering, node: Node, mean: bool) -> Quantised | Pending:
    axes = _axes(lowering, node)
    if not axes:
        return lowering.open(node.inputs[0])
    x, kept = _innermost(lowering, node, axes)
    terms, shape = prod(lowering.shapes[node.inputs[0]][axis] for axis in axes), lowering.shapes[node.output]
    scale = float(x.scale[0]) / (terms if mean else 1)

    def emit(form: Requantise) -> TraceRef:
        ref = lowering.builder.apply("sum", x.ref, requantise=form, label=node.name, axes=len(axes))
        return _shaped(lowering, node, ref, kept)

    return Product(scale, emit, tuple(range(len(shape))), bias=np.array([-x.zero * terms * scale]))


def reduce_sum(lowering: Lowering, node: Node) -> Quantised | Pending:
    """The sum over axes."""
    return _add_up(lowering, node, mean=False)


def reduce_mean(lowering: Lowering, node: Node) -> Quantised | Pending:
    """The sum over axes, its scale divided by the number of terms."""
    return _add_up(lowering, node, mean=True)


def reduce_max(lowering: Lowering, node: Node) -> Quantised:
    """The maximum commutes with the scale."""
    axes = _axes(lowering, node)
    if not axes:
        return lowering.plain(node.inputs[0])
    x, kept = _innermost(lowering, node, axes)
    ref = lowering.builder.apply("max", x.ref, label=node.name, axes=len(axes))
    return Quantised(_shaped(lowering, node, ref, kept), x.scale, x.zero, tuple(range(len(lowering.shapes[node.output]))))


def argmax(lowering: Lowering, node: Node) -> Quantised:
    """The first index of the maximum, on raw accumulators where they are at hand."""
    if node.get("select_last_index", 0):
        raise node.refuse("it asks for the last of equal maxima", "set select_last_index to 0")
    rank = len(lowering.shapes[node.inputs[0]])
    axis = int(node.get("axis", 0)) % rank
    kept = tuple(other for other in range(rank) if other != axis)
    value = lowering.exact(node.inputs[0])
    value = value if value.plain else lowering.rescaled(value, node.inputs[0])
    x = lowering.laid_out(value, (*kept, axis), node.inputs[0])
    ref = lowering.builder.apply("argmax", x.ref, label=node.name)
    shape = tuple(lowering.shapes[node.inputs[0]][other] for other in kept)
    return Quantised(_shaped(lowering, node, ref, shape), np.ones(1), 0, tuple(range(len(lowering.shapes[node.output]))))


LOWERINGS: dict[str, Lower] = {"ReduceMean": reduce_mean, "ReduceSum": reduce_sum, "ReduceMax": reduce_max, "ArgMax": argmax}
