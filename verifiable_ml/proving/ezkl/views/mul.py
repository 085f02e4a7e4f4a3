# SPDX-License-Identifier: MIT OR Apache-2.0
"""mul: the product of centred operands."""

from __future__ import annotations

from verifiable_ml.program import Operator
from verifiable_ml.proving.ezkl.requantise import requantise
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """(x - x_zero)(y - y_zero)."""
    x, y = operator.operands
    a = operator.attributes
    product = context.graph.op("Mul", context.centred(x, a.x_zero), context.centred(y, a.y_zero))
    return requantise(context.graph, context.program, operator, product)
