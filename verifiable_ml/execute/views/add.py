# SPDX-License-Identifier: MIT OR Apache-2.0
"""add: products with the coefficients, then sums."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Broadcast by onnxruntime, in the order of axes of the largest operand."""
    dtype = arithmetic(max(step.bound, *(k.interval.magnitude for k in step.operands)))
    names, order = graph.aligned([graph.cast(value, dtype) for value in operands], step.output.shape)
    total = ""
    for name, coefficients in zip(names, step.attributes.coefficients, strict=True):
        if set(coefficients) != {1}:
            name = graph.node("Mul", name, graph.channels(coefficients, dtype, order))
        total = graph.node("Add", total, name) if total else name
    return graph.value(total, dtype, step.output.shape, order)
