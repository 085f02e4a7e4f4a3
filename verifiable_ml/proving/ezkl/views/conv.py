# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: as a Gather of windows, which costs no cell, and a MatMul; or twice the conv, by fewer products (winograd.py).

Twice goes into the shift: floor(2t / 2^(s + 1)) = floor(t / 2^s). Where a max over windows follows, the sums are left
open: the maximum is taken first, and requantised once a window.
"""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import ConstantRef, Operator
from verifiable_ml.program.ops.conv import windows
from verifiable_ml.program.tensor import Shape
from verifiable_ml.proving.ezkl import winograd
from verifiable_ml.proving.ezkl.requantise import finish, folded, requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Windows of x times the kernel."""
    w, form, graph = operator.operands[1], operator.requantise, context.graph
    assert isinstance(w, ConstantRef)
    kernel = context.program.constants[w.index].astype(np.int64) - operator.attributes.w_zero
    if context.defers(operator) and form is not None:
        scaled = kernel * np.broadcast_to(form.multiplier, len(kernel)).reshape(-1, *[1] * (kernel.ndim - 1))
        doubled = _pays(operator, scaled)
        if doubled:
            context.doubled.add(context.index(operator))
        return _products(context, operator, scaled, doubled)
    pair = folded(operator, kernel)
    if pair is None:
        return requantise(graph, context.program, operator, _products(context, operator, kernel))
    scaled, rest = pair
    doubled = _pays(operator, scaled)
    negated = graph.plus(_products(context, operator, scaled, doubled), ((rest + 1) << doubled) - 1)
    return finish(graph, context.program, operator, negated, doublings=int(doubled))


def _pays(operator: Operator, kernel: IntArray) -> bool:
    """Whether twice the conv takes fewer cells than the conv. Neighbouring windows have to read neighbouring taps."""
    a, (*spatial, _) = operator.attributes, operator.output.shape
    one_group = kernel[: len(kernel) // a.groups].reshape(len(kernel) // a.groups, -1, *kernel.shape[-2:])
    return a.strides[-1] == a.dilations[-1] and winograd.pays(prod(spatial), spatial[-1], one_group)


def _products(context: Context, operator: Operator, kernel: IntArray, doubled: bool = False) -> str:
    """Sums over windows of x - x_zero with a kernel [O, *taps, C], or twice that, in the output's shape."""
    graph, a = context.graph, operator.attributes
    shape, width = context.shape(operator.operands[0]), operator.output.shape[-2]
    source = graph.reshape(context.centred(operator.operands[0], a.x_zero), (prod(shape),))
    positions = _positions(shape, kernel.shape, operator)
    if not doubled and (positions < 0).any():
        source = graph.op("Concat", source, graph.constant([0]), axis=0)
        positions = np.where(positions < 0, prod(shape), positions)
    inner, outer, parts = kernel.shape[-1], len(kernel) // a.groups, []
    for group in range(a.groups):
        read = positions[..., group * inner : (group + 1) * inner]
        weights = kernel[group * outer : (group + 1) * outer]
        if doubled:
            lines = read.reshape(-1, width, prod(kernel.shape[1:-2]), *kernel.shape[-2:])
            parts.append(winograd.twice(graph, source, prod(shape), lines, weights.reshape(outer, *lines.shape[2:])))
        else:
            columns = graph.op("Gather", source, graph.integers(read.reshape(len(read), -1)), axis=0)
            parts.append(graph.op("MatMul", columns, graph.constant(weights.reshape(outer, -1).T)))
    total = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    return graph.reshape(total, operator.output.shape)


def _positions(shape: Shape, kernel: Shape, operator: Operator) -> IntArray:
    """For each window and tap, which flat entry of x it reads: [windows, taps, C], -1 in the padding."""
    places = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    taps = np.stack(list(windows(operator.attributes, kernel).taps(places, fill=-1)), axis=-2)
    return taps.reshape(-1, *taps.shape[-2:])
