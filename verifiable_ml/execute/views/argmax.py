# SPDX-License-Identifier: MIT OR Apache-2.0
"""argmax: ArgMax, first of equals."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Along the last axis. Beyond 2^53, of the places where the maximum stands."""
    (x,) = operands
    dtype = arithmetic(step.operands[0].interval.magnitude)
    name, axis = graph.laid(graph.cast(x, dtype)), len(x.shape) - 1
    if dtype == "int64":
        greatest = graph.node("ReduceMax", name, graph.constant([axis], "int64"), keepdims=1)
        name = graph.cast(graph.value(graph.node("Equal", name, greatest), "bool", x.shape), "float32").name
    place = graph.node("ArgMax", name, axis=axis, keepdims=0, select_last_index=0)
    return graph.value(place, "int64", step.output.shape)
