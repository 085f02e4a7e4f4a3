# SPDX-License-Identifier: MIT OR Apache-2.0
"""max: ReduceMax, or MaxPool with channels first."""

from __future__ import annotations

from math import prod

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.graph import CONTRIBUTED, EXACT, Graph, Step, Value, arithmetic
from verifiable_ml.execute.layout import channel_first

FLOATING = [dtype for dtype, _ in EXACT]


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Bytes as they are, what is wider in floating arithmetic."""
    (x,), a = operands, step.attributes
    windows = {"kernel_shape": a.kernel, "strides": a.strides, "pads": a.pads, "dilations": a.dilations}
    first = not a.axes and graph.order(x) == channel_first(len(x.shape))
    if not a.axes and not first and x.dtype == "uint8" and len(x.shape) <= 5:
        name = graph.node("NhwcMaxPool", graph.laid(x), domain=CONTRIBUTED, **windows)
        return graph.value(name, "uint8", step.output.shape)
    # bytes with channels first take 30 times as long as float32
    exact = x.dtype if x.dtype in FLOATING or (x.dtype == "uint8" and a.axes) else arithmetic(step.operands[0].interval.magnitude)
    x = graph.cast(x, exact)
    if a.axes:
        kept = x.shape[: -a.axes]
        x = graph.reshaped(x, (*kept, prod(x.shape[-a.axes :])))
        name = graph.node("ReduceMax", graph.laid(x), graph.constant([len(kept)], "int64"), keepdims=0)
        return graph.value(name, exact, kept)
    if len(x.shape) > 5 or exact == "int64":
        raise UnsupportedModel(
            thing=f"a maximum over windows of {list(x.shape)} in {step.operands[0].interval}",
            reason="onnxruntime has it over at most 3 axes, and exactly below 2^53",
            hint="narrow or reshape its operand",
        )
    order = channel_first(len(x.shape))
    return graph.value(graph.node("MaxPool", graph.laid(x, order), **windows), exact, step.output.shape, order)
