# SPDX-License-Identifier: MIT OR Apache-2.0
"""QuantizeLinear and DequantizeLinear of models that are quantised already: their grids are taken as they are."""

from __future__ import annotations

import numpy as np

from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.value import ONE, Quantised


def quantize(lowering: Lowering, node: Node) -> Quantised:
    """clip(round(x / scale) + zero), as whole numbers: what makes x has settled on this grid if nobody else reads it."""
    name, grid = node.inputs[0], lowering.given_grid(node)
    if grid is None:
        raise node.refuse("its scale is no constant number", "quantise with static scales, one a tensor")
    x = lowering.affine(name)
    same = x.plain and x.scale[0] == grid.scale and x.zero == grid.zero
    if not same or not lowering.builder.spec(x.ref).interval.within(grid.interval):
        x = lowering.rescaled(x, name, grid)
    return Quantised(x.ref, ONE, lowering.moved(node), x.layout)


def dequantize(lowering: Lowering, node: Node) -> Quantised:
    """(q - zero) * scale: no operator."""
    grid = lowering.given_grid(node)
    if grid is None:
        raise node.refuse("its scale is no constant number", "quantise with static scales, one a tensor")
    q = lowering.affine(node.inputs[0])
    return Quantised(q.ref, np.array([grid.scale]) * q.scale, grid.zero - lowering.moved(node) + q.zero, q.layout)


LOWERINGS: dict[str, Lower] = {"QuantizeLinear": quantize, "DequantizeLinear": dequantize}
