# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: ConvInteger on bytes, channels first; small sums in float32; what is wider as planes of bytes."""

from __future__ import annotations

from math import prod

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.graph import Graph, Step, Value, centred, floating
from verifiable_ml.execute.layout import channel_first
from verifiable_ml.execute.planes import MAX_TERMS, Plane, byte_product_fits, joined, planes


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [N, *spatial, C] and w [O, *kernel, C/groups] as [N, C, *spatial] and [O, C/groups, *kernel]."""
    a = step.attributes
    zeros, terms = (a.x_zero, a.w_zero), prod(step.operands[1].shape[1:])
    order = channel_first(len(step.output.shape))
    attributes = {"strides": a.strides, "pads": a.pads, "dilations": a.dilations, "group": a.groups}
    if not byte_product_fits(step, zeros, terms) and floating(step, zeros) == "float32":
        pair = [centred(graph, value, zero, "float32") for value, zero in zip(operands, zeros, strict=True)]
        name = graph.node("Conv", *(graph.laid(value, order) for value in pair), **attributes)
        return graph.value(name, "float32", step.output.shape, order)
    _check(terms, step)

    def product(x: Plane, w: Plane) -> str:
        names = [graph.laid(plane.value, order) for plane in (x, w)]
        return graph.node("ConvInteger", *names, *(graph.constant(plane.zero, "uint8") for plane in (x, w)), **attributes)

    cut = [planes(graph, v, k.interval, zero) for v, k, zero in zip(operands, step.operands, zeros, strict=True)]
    name, dtype = joined(graph, cut[0], cut[1], terms, product)
    return graph.value(name, dtype, step.output.shape, order)


def _check(terms: int, step: Step) -> None:
    if terms > MAX_TERMS:
        raise UnsupportedModel(
            thing=f"a convolution with a kernel of {terms:,} terms",
            reason=f"an int32 accumulator holds {MAX_TERMS:,} of them for sure",
            hint="split its input channels into two convolutions and add them",
        )
    if len(step.output.shape) > 5:
        raise UnsupportedModel(
            thing=f"a convolution over {len(step.output.shape) - 2} axes", reason="onnxruntime has at most 3", hint="merge axes"
        )
