# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: as a Gather of windows, which costs no cell, and a MatMul.

Where a max over windows follows, the sums are left open: the maximum is taken first, and requantised once a window.
"""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import ConstantRef, Operator
from verifiable_ml.program.ops.conv import windows
from verifiable_ml.program.tensor import Shape
from verifiable_ml.proving.ezkl.requantise import finish, folded, requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Windows of x times the kernel."""
    w, form, graph = operator.operands[1], operator.requantise, context.graph
    assert isinstance(w, ConstantRef)
    kernel = context.program.constants[w.index].astype(np.int64) - operator.attributes.w_zero
    rows = kernel.reshape(len(kernel), -1)
    if context.defers(operator) and form is not None:
        return _products(context, operator, rows * np.broadcast_to(form.multiplier, len(rows))[:, None])
    pair = folded(operator, rows)
    if pair is None:
        return requantise(graph, context.program, operator, _products(context, operator, rows))
    scaled, rest = pair
    return finish(graph, context.program, operator, graph.plus(_products(context, operator, scaled), rest))


def _products(context: Context, operator: Operator, rows: IntArray) -> str:
    """Sums over windows of x - x_zero with the rows [O, K] as kernels, in the output's shape."""
    graph, a = context.graph, operator.attributes
    shape, kernel = context.shape(operator.operands[0]), context.shape(operator.operands[1])
    source = graph.reshape(context.centred(operator.operands[0], a.x_zero), (prod(shape),))
    positions = _positions(shape, kernel, operator)
    if (positions < 0).any():
        source = graph.op("Concat", source, graph.constant([0]), axis=0)
        positions = np.where(positions < 0, prod(shape), positions)
    inner, outer, parts = kernel[-1], len(rows) // a.groups, []
    for group in range(a.groups):
        read = positions[..., group * inner : (group + 1) * inner]
        columns = graph.op("Gather", source, graph.integers(read.reshape(len(read), -1)), axis=0)
        parts.append(graph.op("MatMul", columns, graph.constant(rows[group * outer : (group + 1) * outer].T)))
    total = parts[0] if len(parts) == 1 else graph.op("Concat", *parts, axis=1)
    return graph.reshape(total, operator.output.shape)


def _positions(shape: Shape, kernel: Shape, operator: Operator) -> IntArray:
    """For each window and tap, which flat entry of x it reads: [windows, taps, C], -1 in the padding."""
    places = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    taps = np.stack(list(windows(operator.attributes, kernel).taps(places, fill=-1)), axis=-2)
    return taps.reshape(-1, *taps.shape[-2:])
