# SPDX-License-Identifier: MIT OR Apache-2.0
"""Batch normalisation with constant statistics is an affine map of the channels.

It goes into the convolution before it, else it becomes Mul + Add.
"""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "fold_batch_norm"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without BatchNormalization, where its statistics are constants (Ioffe and Szegedy, 2015, section 3.1)."""
    return rewrite_each(model, NAME, _fold)


def _fold(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type != "BatchNormalization" or node.domain or attributes(node).get("training_mode", 0):
        return None
    constants = [index.operand(node, i) for i in range(1, 5)]
    if any(value is None for value in constants):
        return None
    gamma, beta, mean, variance = (np.asarray(value, np.float64) for value in constants)
    factor = gamma / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
    shift = beta - mean * factor
    return _into_convolution(node, index, factor, shift) or _as_affine(node, index, factor, shift)


def _into_convolution(node: onnx.NodeProto, index: Index, factor: np.ndarray, shift: np.ndarray) -> Replacement | None:
    conv = index.producer.get(node.input[0])
    if conv is None or conv.op_type != "Conv" or not index.is_read_once(node.input[0]):
        return None
    weights, bias = index.operand(conv, 1), index.operand(conv, 2)
    if weights is None or (len(conv.input) > 2 and conv.input[2] and bias is None):
        return None
    kernel, offset = f"{node.output[0]}/weights", f"{node.output[0]}/bias"
    scaled = weights * factor.reshape(-1, *[1] * (weights.ndim - 1))
    moved = (0.0 if bias is None else bias) * factor + shift
    fused = make("Conv", (conv.input[0], kernel, offset), (node.output[0],), conv, **attributes(conv))
    return Replacement(
        nodes=(fused,),
        note="part of the Conv before it",
        constants={kernel: scaled.astype(weights.dtype), offset: np.asarray(moved).astype(weights.dtype)},
    )


def _as_affine(node: onnx.NodeProto, index: Index, factor: np.ndarray, shift: np.ndarray) -> Replacement | None:
    shape = index.shape(node.input[0])
    if shape is None:
        return None
    wide = (-1, *[1] * (len(shape) - 2))
    middle, scale, offset = (f"{node.output[0]}/{part}" for part in ("scaled", "scale", "offset"))
    nodes = (make("Mul", (node.input[0], scale), (middle,), node), make("Add", (middle, offset), (node.output[0],), node))
    return Replacement(
        nodes=nodes, constants={scale: factor.reshape(wide).astype(np.float32), offset: shift.reshape(wide).astype(np.float32)}
    )
