# SPDX-License-Identifier: MIT OR Apache-2.0
"""mul: the zero points taken away, then the product."""

from __future__ import annotations

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic, centred, centred_bound


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Broadcast by onnxruntime, in the order of axes of the larger operand."""
    zeros = (step.attributes.x_zero, step.attributes.y_zero)
    widest = [centred_bound(k.interval, zero) for k, zero in zip(step.operands, zeros, strict=True)]
    dtype = arithmetic(max(step.bound, *widest))
    pair = [centred(graph, value, zero, dtype) for value, zero in zip(operands, zeros, strict=True)]
    names, order = graph.aligned(pair, step.output.shape)
    return graph.value(graph.node("Mul", *names), dtype, step.output.shape, order)
