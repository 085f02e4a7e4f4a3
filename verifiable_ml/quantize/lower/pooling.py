# SPDX-License-Identifier: MIT OR Apache-2.0
"""MaxPool, AveragePool, GlobalAveragePool, over channel-last tensors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from verifiable_ml.program import ConstantRef, Requantise, TraceRef
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Linear, Product
from verifiable_ml.quantize.value import Pending, Quantised


def _windows(node: Node) -> dict[str, Any]:
    kernel = tuple(map(int, node.get("kernel_shape", [])))
    rank = len(kernel)
    if node.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or node.get("ceil_mode", 0):
        raise node.refuse("its windows depend on the shape (auto_pad or ceil_mode)", "give explicit pads")
    return {
        "kernel": kernel,
        "strides": tuple(map(int, node.get("strides", [1] * rank))),
        "pads": tuple(map(int, node.get("pads", [0] * 2 * rank))),
        "dilations": tuple(map(int, node.get("dilations", [1] * rank))),
    }


def max_pool(lowering: Lowering, node: Node) -> Quantised:
    """The maximum commutes with the scale: no requantisation."""
    windows = _windows(node)
    layout = (0, *range(2, len(windows["kernel"]) + 2), 1)
    x = lowering.plain(node.inputs[0], layout)
    return Quantised(lowering.builder.apply("max", x.ref, label=node.name, **windows), x.scale, x.zero, layout)


def average_pool(lowering: Lowering, node: Node) -> Pending:
    """A grouped conv of ones, divided by the window's size; with padding only if padding counts."""
    windows = _windows(node)
    kernel = windows.pop("kernel")
    if any(windows["pads"]) and not node.get("count_include_pad", 0):
        raise node.refuse("its padded windows are divided by fewer elements", "set count_include_pad, or pad before it")
    layout = (0, *range(2, len(kernel) + 2), 1)
    x = lowering.plain(node.inputs[0], layout)
    channels = lowering.shapes[node.inputs[0]][1]
    weights = np.full((channels, *kernel, 1), 1 / prod(kernel))

    def emit(ref: ConstantRef, w_zero: int, form: Requantise) -> TraceRef:
        return lowering.builder.apply(
            "conv", x.ref, ref, requantise=form, label=node.name, x_zero=x.zero, w_zero=w_zero, groups=channels, **windows
        )

    return Linear(weights * x.scale, np.zeros(channels), emit, layout, lowering.magnitude(x))


def global_average_pool(lowering: Lowering, node: Node) -> Pending:
    """The mean over all spatial axes, which are brought innermost."""
    rank = len(lowering.shapes[node.inputs[0]])
    x = lowering.plain(node.inputs[0])
    extents = lowering.shapes[node.inputs[0]][2:]
    kept = lowering.shapes[node.inputs[0]][:2]
    terms = prod(extents)

    def emit(form: Requantise) -> TraceRef:
        flat = lowering.builder.apply("sum", x.ref, requantise=form, label=node.name, axes=rank - 2)
        return lowering.move(flat, label=f"{node.name} shape", view=kept, shape=(*kept, *[1] * (rank - 2)))

    return Product(float(x.scale[0]) / terms, emit, tuple(range(rank)), bias=-x.zero * x.scale)


LOWERINGS: dict[str, Lower] = {"MaxPool": max_pool, "AveragePool": average_pool, "GlobalAveragePool": global_average_pool}
