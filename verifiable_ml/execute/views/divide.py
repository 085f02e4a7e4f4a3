# SPDX-License-Identifier: MIT OR Apache-2.0
"""divide: in float64 where a rounded quotient cannot pass an integer, in int64 with a fix for negative numerators beyond."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value

SAFE = 1 << 52
"""If |n| + 2b < 2^52, a quotient n/b that is no integer is at least 1/b away from the next one, more than it is rounded."""


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """floor((a * scale + b // 2) / b), broadcast."""
    a, b = (known.interval for known in step.operands)
    dtype = "float64" if a.magnitude * step.attributes.scale + 2 * b.high < SAFE else "int64"
    (numerator, divisor), order = graph.aligned([graph.cast(value, dtype) for value in operands], step.output.shape)
    if step.attributes.scale != 1:
        numerator = graph.node("Mul", numerator, graph.constant(step.attributes.scale, dtype))
    if dtype == "float64":
        half = graph.node("Floor", graph.node("Mul", divisor, graph.constant(0.5, dtype)))
        quotient = graph.node("Floor", graph.node("Div", graph.node("Add", numerator, half), divisor))
    else:
        half = graph.node("Div", divisor, graph.constant(2, dtype))
        quotient = _floored(graph, graph.node("Add", numerator, half), divisor, negative=a.low < 0)
    return graph.value(quotient, dtype, step.output.shape, order)


def _floored(graph: Graph, numerator: str, divisor: str, *, negative: bool) -> str:
    """Truncated by onnxruntime, so one less where that has left a negative rest."""
    quotient = graph.node("Div", numerator, divisor)
    if not negative:
        return quotient
    above = graph.node("Less", numerator, graph.node("Mul", quotient, divisor))
    return graph.node("Sub", quotient, graph.cast(graph.value(above, "bool", ()), "int64").name)
