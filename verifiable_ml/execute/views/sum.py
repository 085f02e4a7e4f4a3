# SPDX-License-Identifier: MIT OR Apache-2.0
"""sum: ReduceSum in floating arithmetic, exact below 2^53 (onnxruntime's own for int64 goes through float64 anyway)."""

from __future__ import annotations

from math import prod

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """The innermost axes as one."""
    (x,) = operands
    kept = x.shape[: -step.attributes.axes]
    rows = (*kept, prod(x.shape[-step.attributes.axes :]))
    dtype = arithmetic(max(step.bound, step.operands[0].interval.magnitude))
    x = graph.reshaped(graph.cast(x, dtype), rows)
    axes = graph.constant([len(kept)], "int64")
    return graph.value(graph.node("ReduceSum", graph.laid(x), axes, keepdims=0), dtype, step.output.shape)
