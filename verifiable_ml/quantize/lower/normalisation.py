# SPDX-License-Identifier: MIT OR Apache-2.0
"""LayerNormalization over the last axis: centred at 16 bits, squared, a root, one division an element."""

from __future__ import annotations

import numpy as np

from verifiable_ml.program import Interval, Requantise
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Sum, half
from verifiable_ml.quantize.value import Quantised

FINE = 1 << 13
"""Steps of the quotient (x - mean) / root of the squares' sum, which lies in [-1, 1]."""
CENTRED = Interval(-32767, 32767)


def layer_normalization(lowering: Lowering, node: Node) -> Quantised:
    """Y = sqrt(D) * d / sqrt(sum d^2 + D * eps) * gamma + beta with d = x - mean, D the length of the axis."""
    shape = lowering.shapes[node.inputs[0]]
    if int(node.get("axis", -1)) % len(shape) != len(shape) - 1:
        raise node.refuse("it normalises over several axes", "reshape so that one axis is normalised")
    size, column = shape[-1], (*shape[:-1], 1)
    x, builder = lowering.plain(node.inputs[0]), lowering.builder
    total = lowering.move(
        builder.apply("sum", x.ref, label=f"{node.name} sum", axes=1), label=f"{node.name} sum", view=shape[:-1], shape=column
    )
    # d in steps of scale * 2^shift / D: as fine as 16 bits hold the widest row seen, with headroom
    spread = 2 * lowering.calibration.ranges[node.inputs[0]].magnitude * size / float(x.scale[0])
    shift = max(0, int(np.ceil(np.log2(max(spread, 1) / CENTRED.high))))
    form = Requantise(np.ones(1, np.int64), np.array([half(shift)]), shift, CENTRED.low, CENTRED.high)
    centred = builder.apply("add", x.ref, total, requantise=form, label=f"{node.name} centred", coefficients=((size,), (-1,)))
    squares = builder.apply("mul", centred, centred, label=f"{node.name} squares")
    step = float(x.scale[0]) * (1 << shift) / size
    epsilon = round(float(node.get("epsilon", 1e-5)) * size / step**2)
    form = Requantise.bias(np.array([epsilon]), Interval(1, size * CENTRED.high**2 + epsilon))
    variance = builder.apply("sum", squares, requantise=form, label=f"{node.name} variance", axes=1)
    root = builder.apply("isqrt", variance, label=f"{node.name} root")
    root = lowering.move(root, label=f"{node.name} root", view=shape[:-1], shape=column)
    quotient = builder.apply("divide", centred, root, label=f"{node.name} quotient", scale=FINE)
    clipped = builder.apply(
        "add", quotient, requantise=Requantise.clip(Interval(-FINE, FINE)), label=f"{node.name} quotient", coefficients=((1,),)
    )
    return _scale_and_shift(lowering, node, Quantised(clipped, np.array([np.sqrt(size) / FINE]), 0, x.layout))


def _scale_and_shift(lowering: Lowering, node: Node, normal: Quantised) -> Quantised:
    gamma = lowering.constant(node.inputs[1])
    beta = lowering.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(1)
    if gamma is None or beta is None:
        raise node.refuse("its scale or bias is no constant", "fold what makes it into a constant")
    value = Sum(((normal.ref, normal.scale * gamma.reshape(-1)),), beta.reshape(-1), normal.layout, node.name)
    return value.settle(lowering, node.output)


LOWERINGS: dict[str, Lower] = {"LayerNormalization": layer_normalization}
