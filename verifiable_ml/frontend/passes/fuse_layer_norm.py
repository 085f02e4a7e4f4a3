# SPDX-License-Identifier: MIT OR Apache-2.0
"""Find the chain (x - mean) / sqrt(mean((x - mean)^2) + epsilon) and put LayerNormalization in its place.

What follows it, a scale and a shift over the innermost axis, goes into the same node (Ba, Kiros, Hinton, 2016).
"""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "fuse_layer_norm"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model with LayerNormalization nodes where it had chains."""
    return rewrite_each(model, NAME, _normalisation, _scaled, _shifted)


def _normalisation(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Div(d, Sqrt(Add(ReduceMean(d * d), epsilon))) with d = Sub(x, ReduceMean(x))."""
    if node.op_type != "Div" or node.domain:
        return None
    centred = index.producer.get(node.input[0])
    root = index.producer.get(node.input[1])
    if centred is None or root is None or centred.op_type != "Sub" or root.op_type != "Sqrt":
        return None
    variance, epsilon = _operand_and_scalar(index.producer.get(root.input[0]), "Add", index)
    if epsilon is None or not _is_variance(index.producer.get(variance), centred.output[0], index):
        return None
    x = centred.input[0]
    width = _width_of_mean(index.producer.get(centred.input[1]), x, index)
    if width is None:
        return None
    scale = f"{node.output[0]}/ones"
    fused = make("LayerNormalization", (x, scale), (node.output[0],), node, axis=-1, epsilon=epsilon)
    return Replacement(nodes=(fused,), constants={scale: np.ones(width, np.float32)})


def _operand_and_scalar(node: onnx.NodeProto | None, kind: str, index: Index) -> tuple[str, float | None]:
    if node is None or node.op_type != kind:
        return "", None
    for i in (0, 1):
        value = index.operand(node, i)
        if value is not None and value.size == 1:
            return node.input[1 - i], float(value.reshape(()))
    return "", None


def _is_variance(node: onnx.NodeProto | None, centred: str, index: Index) -> bool:
    if node is None or _width_of_mean(node, node.input[0], index) is None:
        return False
    square = index.producer.get(node.input[0])
    if square is None or square.input[0] != centred:
        return False
    exponent = index.operand(square, 1)
    by_power = square.op_type == "Pow" and exponent is not None and exponent.size == 1 and float(exponent.reshape(())) == 2.0
    return by_power or (square.op_type == "Mul" and square.input[1] == centred)


def _width_of_mean(node: onnx.NodeProto | None, x: str, index: Index) -> int | None:
    """Size of the innermost axis if the node is the mean of x over it, dimension kept."""
    shape = index.static_shape(x)
    if node is None or not shape or node.op_type != "ReduceMean" or node.input[0] != x:
        return None
    axes = index.operand(node, 1)
    innermost = axes is not None and axes.tolist() in ([-1], [len(shape) - 1])
    return shape[-1] if innermost and attributes(node).get("keepdims", 1) else None


def _scaled(node: onnx.NodeProto, index: Index) -> Replacement | None:
    norm, factor = _after_norm(node, "Mul", index)
    if norm is None or factor is None or len(norm.input) > 2:
        return None
    scale, name = index.operand(norm, 1), f"{node.output[0]}/scale"
    if scale is None:
        return None
    fused = make("LayerNormalization", (norm.input[0], name), (node.output[0],), norm, **attributes(norm))
    return Replacement(nodes=(fused,), constants={name: np.asarray(scale * factor, np.float32)})


def _shifted(node: onnx.NodeProto, index: Index) -> Replacement | None:
    norm, shift = _after_norm(node, "Add", index)
    if norm is None or shift is None or len(norm.input) > 2:
        return None
    name = f"{node.output[0]}/shift"
    fused = make("LayerNormalization", (norm.input[0], norm.input[1], name), (node.output[0],), norm, **attributes(norm))
    return Replacement(nodes=(fused,), constants={name: np.asarray(shift, np.float32)})


def _after_norm(node: onnx.NodeProto, kind: str, index: Index) -> tuple[onnx.NodeProto | None, np.ndarray | None]:
    """The LayerNormalization of which only this node reads the result, and the constant of its width that this node applies."""
    if node.op_type != kind or node.domain:
        return None, None
    for i in (0, 1):
        norm, value = index.producer.get(node.input[i]), index.operand(node, 1 - i)
        if norm is None or value is None or norm.op_type != "LayerNormalization" or not index.is_read_once(node.input[i]):
            continue
        scale = index.operand(norm, 1)
        if scale is not None and scale.ndim == 1 and attributes(norm).get("axis", -1) == -1 and value.shape == scale.shape:
            return norm, value
    return None, None
