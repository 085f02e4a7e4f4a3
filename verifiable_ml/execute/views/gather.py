# SPDX-License-Identifier: MIT OR Apache-2.0
"""gather: Gather along the first axis; bounds have proved that no index is negative or beyond."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value, index


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Rows of the data, as they are."""
    data, indices = operands
    plain = graph.value(graph.laid(indices), indices.dtype, indices.shape)
    return graph.value(graph.node("Gather", graph.laid(data), index(graph, plain), axis=0), data.dtype, step.output.shape)
