# SPDX-License-Identifier: MIT OR Apache-2.0
"""compare: Less."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """0 or 1, in bytes."""
    dtype = arithmetic(max(known.interval.magnitude for known in step.operands))
    names, order = graph.aligned([graph.cast(value, dtype) for value in operands], step.output.shape)
    less = graph.value(graph.node("Less", *names), "bool", step.output.shape, order)
    return graph.cast(less, "uint8")
