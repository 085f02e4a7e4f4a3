# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: gathered windows times signed bytes where these are exact; else float32 for small sums, and ConvInteger on planes.

Gathered windows have channels last, as programs do; onnxruntime's own convolutions have them first.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.gathered import gathered
from verifiable_ml.execute.graph import EXACT, Graph, Step, Value, centred, floating
from verifiable_ml.execute.layout import channel_first
from verifiable_ml.execute.planes import FEW, MAX_TERMS, Plane, count, joined, planes
from verifiable_ml.execute.signed import signed_count, times_weights
from verifiable_ml.program.ops.conv import windows

MANY = 1 << 18
"""Products of weights by inputs from which it pays to gather windows."""
CHANNELS = 1 << 9
"""Input channels times output channels from which it does: what is gathered for fewer products costs more than they do."""
MOST_GATHERED = 1 << 28
"""Bytes of the matrix of windows."""


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [N, *spatial, C] and w [O, *kernel, C/groups]."""
    if _gathering_pays(graph, step):
        return _gathered(graph, step, operands[0])
    a, order = step.attributes, channel_first(len(step.output.shape))
    zeros, terms = (a.x_zero, a.w_zero), prod(step.operands[1].shape[1:])
    attributes = {"strides": a.strides, "pads": a.pads, "dilations": a.dilations, "group": a.groups}

    def real(values: tuple[Value, ...], zeros: tuple[int, ...]) -> tuple[str, str]:
        pair = [centred(graph, value, zero, "float32") for value, zero in zip(values, zeros, strict=True)]
        return graph.node("Conv", *(graph.laid(value, order) for value in pair), **attributes), "float32"

    def product(x: Plane, w: Plane) -> tuple[str, str]:
        if terms * 255 * 255 <= EXACT[0][1] and a.groups > 1:  # many small products: onnxruntime has no kernel of bytes for them
            return real((x.value, w.value), (x.zero, w.zero))
        names = [graph.laid(plane.value, order) for plane in (x, w)]
        zero_points = (graph.constant(plane.zero, "uint8") for plane in (x, w))
        return graph.node("ConvInteger", *names, *zero_points, **attributes), "int32"

    if floating(step, zeros) == "float32":
        name, dtype = real(operands, zeros)
    else:
        _check(terms, step)
        xs, ws = (planes(graph, v, k.interval, zero) for v, k, zero in zip(operands, step.operands, zeros, strict=True))
        name, dtype = joined(graph, xs, ws, terms, product)
    return graph.value(name, dtype, step.output.shape, order)


def _gathering_pays(graph: Graph, step: Step) -> bool:
    """One group, enough to do, and few planes."""
    (x, w), a = step.operands, step.attributes
    rows, terms = prod(step.output.shape[:-1]), prod(w.shape[1:])
    enough = rows * prod(w.shape) >= MANY and w.shape[0] * w.shape[-1] >= CHANNELS
    if not graph.signed or a.groups != 1 or not enough or terms > MAX_TERMS or rows * terms > MOST_GATHERED:
        return False
    pairs = count(x.interval, a.x_zero) * signed_count(w.interval.shifted(-a.w_zero))
    return pairs <= (2 if floating(step, (a.x_zero, a.w_zero)) == "float32" else 6)


def _gathered(graph: Graph, step: Step, x: Value) -> Value:
    (known, w), a = step.operands, step.attributes
    assert w.values is not None
    over, weights = windows(a, w.shape), (w.values - a.w_zero).reshape(w.shape[0], -1)
    rows, columns = prod(step.output.shape[:-1]), w.shape[0]
    if weights.shape[1] <= FEW and count(known.interval, a.x_zero) * signed_count(w.interval.shifted(-a.w_zero)) > 1:
        dtype = floating(step, (a.x_zero, a.w_zero))
        matrix = gathered(graph, centred(graph, x, a.x_zero, dtype), over, 0)
        name = graph.node("MatMul", matrix.name, graph.constant(weights.T, dtype))
        return graph.reshaped(graph.value(name, dtype, (rows, columns)), step.output.shape)
    xs = [
        replace(plane, value=gathered(graph, plane.value, over, plane.zero))
        for plane in planes(graph, x, known.interval, a.x_zero)
    ]
    name, dtype = times_weights(graph, xs, weights)
    return graph.reshaped(graph.value(name, dtype, (rows, columns)), step.output.shape)


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
