# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: constant weights take the multiplier in, so that products come out as what the division wants."""

from __future__ import annotations

import numpy as np

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
        product = graph.op("MatMul", context.centred(x, a.x_zero), graph.constant(np.swapaxes(weights, -1, -2)))
        return requantise(graph, context.program, operator, product)
    scaled, rest = pair
    u = graph.op("MatMul", context.tensor(x), graph.constant(scaled.T))
    return finish(graph, context.program, operator, graph.plus(u, rest - a.x_zero * scaled.sum(axis=1)))
