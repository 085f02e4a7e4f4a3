# SPDX-License-Identifier: MIT OR Apache-2.0
"""gather: rows of a constant table by an index that its own input holds to the rows."""

from __future__ import annotations

from math import prod

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """data[indices]."""
    data, indices = operator.operands
    graph, shape = context.graph, context.shape(indices)
    flat = graph.reshape(context.tensor(indices), (prod(shape),))
    return graph.reshape(graph.op("Gather", context.tensor(data), flat, axis=0), operator.output.shape)
