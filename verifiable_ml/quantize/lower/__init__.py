# SPDX-License-Identifier: MIT OR Apache-2.0
"""lower: what each ONNX operator becomes, one file a family. The table is what a prepared graph may consist of."""

from __future__ import annotations

from verifiable_ml.quantize.lower import (
    affine,
    choice,
    division,
    linear,
    movement,
    normalisation,
    pooling,
    quantised,
    reduction,
    softmax,
    trees,
    unary,
)
from verifiable_ml.quantize.lowering import Lower

LOWERINGS: dict[str, Lower] = {
    **linear.LOWERINGS,
    **affine.LOWERINGS,
    **pooling.LOWERINGS,
    **reduction.LOWERINGS,
    **movement.LOWERINGS,
    **unary.LOWERINGS,
    **softmax.LOWERINGS,
    **normalisation.LOWERINGS,
    **choice.LOWERINGS,
    **division.LOWERINGS,
    **trees.LOWERINGS,
    **quantised.LOWERINGS,
}

__all__ = ["LOWERINGS"]
