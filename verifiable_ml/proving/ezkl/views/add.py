# SPDX-License-Identifier: MIT OR Apache-2.0
"""add: coefficients are multiplications by constants, then a sum."""

from __future__ import annotations

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.requantise import requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """The sum of a_i x_i."""
    graph = context.graph
    coefficients = operator.attributes.coefficients
    terms = [graph.times(context.tensor(x), list(a)) for x, a in zip(operator.operands, coefficients, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = graph.op("Add", total, term)
    return requantise(graph, context.program, operator, total)
