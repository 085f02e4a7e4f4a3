# SPDX-License-Identifier: MIT OR Apache-2.0
"""sum: a product with ones."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.requantise import requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """Multiply x [*kept, n] by ones [n, 1]."""
    (x,) = operator.operands
    graph, shape = context.graph, context.shape(x)
    terms = prod(shape[-operator.attributes.axes :])
    flat = graph.reshape(context.tensor(x), (prod(shape) // terms, terms))
    total = graph.op("MatMul", flat, graph.constant(np.ones((terms, 1), dtype=np.int64)))
    return requantise(graph, context.program, operator, graph.reshape(total, operator.output.shape))
