# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: constant weights take the multiplier in, so that products come out as what the division wants."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import ConstantRef, Operator
from verifiable_ml.proving.ezkl.requantise import finish, folded, requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Multiply x by w transposed."""
    x, w = operator.operands
    graph, a = context.graph, operator.attributes
    if not isinstance(w, ConstantRef):
        rank = len(context.shape(w))
        swapped = graph.transpose(context.centred(w, a.w_zero), (*range(rank - 2), rank - 1, rank - 2))
        product = graph.op("MatMul", context.centred(x, a.x_zero), swapped)
        return requantise(graph, context.program, operator, product)
    weights = context.program.constants[w.index].astype(np.int64) - a.w_zero
    pair = folded(operator, weights) if weights.ndim == 2 else None
    if pair is None:
        product = _product(context, operator, context.centred(x, a.x_zero), weights)
        return requantise(graph, context.program, operator, product)
    scaled, rest = pair
    u = _product(context, operator, context.tensor(x), scaled)
    return finish(graph, context.program, operator, graph.plus(u, rest - a.x_zero * scaled.sum(axis=1)))


def _product(context: Context, operator: Operator, x: str, weights: IntArray) -> str:
    """The product with constant weights. Both get the same rank, else ezkl would copy the weights under another shape."""
    graph, shape = context.graph, context.shape(operator.operands[0])
    right = graph.constant(np.swapaxes(weights, -1, -2))
    if weights.ndim == len(shape):
        return graph.op("MatMul", x, right)
    flat = graph.reshape(x, (prod(shape[:-1]), shape[-1]))
    return graph.reshape(graph.op("MatMul", flat, right), operator.output.shape)
