# SPDX-License-Identifier: MIT OR Apache-2.0
"""compare: x < y is one minus the step of x - y."""

from __future__ import annotations

from verifiable_ml.program import Interval, Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """1 where x < y."""
    x, y = operator.operands
    a, b = context.interval(x), context.interval(y)
    if (a.high - b.low).bit_length() > 20 or (b.high - a.low).bit_length() > 20:
        raise context.refuse(operator, "its operands differ by more than 20 bits, beyond what a table of ezkl holds")
    graph = context.graph
    step = graph.step(graph.op("Sub", context.tensor(x), context.tensor(y)), Interval(a.low - b.high, a.high - b.low))
    return graph.plus(graph.op("Neg", step), [1])
