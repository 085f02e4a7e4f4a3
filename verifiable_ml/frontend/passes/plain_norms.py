# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every normalisation becomes LayerNormalization over the last axis, then a scale and a shift.

Normalising the root mean square of x is normalising the row [x, -x], whose mean is 0: one lowering serves all of them.
"""

from __future__ import annotations

from math import prod

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_norms"
TINY = 1e-12  # where the operator has no epsilon of its own


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose normalisations are LayerNormalization over its last axis (Ba, Kiros, Hinton, 2016)."""
    return rewrite_each(model, NAME, _instance, _group, _layer, _root_mean_square, _length, _mean_variance, _local, _batch)


def normal(draft: Draft, x: str, size: int, epsilon: float) -> str:
    """(x - mean) / sqrt(variance + epsilon) along the last axis, of that size."""
    return draft.add("LayerNormalization", x, np.ones(size, np.float32), axis=-1, epsilon=epsilon)


def _root_mean_square_of(draft: Draft, x: str, shape: tuple[int, ...], epsilon: float) -> str:
    """X / sqrt(mean x^2 + epsilon) along the last axis."""
    last, size = len(shape) - 1, shape[-1]
    both = draft.add("Concat", x, draft.add("Neg", x), axis=last)
    return draft.add("Slice", normal(draft, both, 2 * size, epsilon), [0], [size], [last], [1])


def _affine(draft: Draft, x: str, node: onnx.NodeProto, index: Index, rank: int) -> str:
    """X times operand 1 plus operand 2, each one a channel of axis 1."""
    wide = (-1, *[1] * (rank - 2))
    for place, kind in ((1, "Mul"), (2, "Add")):
        if len(node.input) > place and node.input[place]:
            value, size = index.operand(node, place), index.static_shape(node.input[place]) or ()
            operand = draft.reshape(node.input[place], (*size, *wide[1:])) if value is None else value.reshape(wide)
            x = draft.add(kind, x, operand)
    return x


def _instance(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Source: ONNX InstanceNormalization-6."""
    shape = index.static_shape(node.input[0]) if node.op_type == "InstanceNormalization" and not node.domain else None
    if shape is None or len(shape) < 3:
        return None
    draft, size = Draft(node, index), prod(shape[2:])
    rows = normal(draft, draft.reshape(node.input[0], (*shape[:2], size)), size, attributes(node).get("epsilon", 1e-5))
    return draft.done(_affine(draft, draft.reshape(rows, shape), node, index, len(shape)))


def _group(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Source: ONNX GroupNormalization-21; before 21 scale and bias are one a group."""
    shape = index.static_shape(node.input[0]) if node.op_type == "GroupNormalization" and not node.domain else None
    if shape is None:
        return None
    options, draft = attributes(node), Draft(node, index)
    groups, size = int(options["num_groups"]), prod(shape[1:]) // int(options["num_groups"])
    x = normal(draft, draft.reshape(node.input[0], (shape[0], groups, size)), size, options.get("epsilon", 1e-5))
    if index.static_shape(node.input[1]) == (shape[1],):
        return draft.done(_affine(draft, draft.reshape(x, shape), node, index, len(shape)))
    return draft.done(draft.reshape(_affine(draft, x, node, index, 3), shape))


def _layer(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Several axes are one; a scale or a bias that is computed is a product or a sum of its own."""
    shape = index.static_shape(node.input[0]) if node.op_type == "LayerNormalization" and not node.domain else None
    if shape is None or len([name for name in node.output if name]) > 1:
        return None
    options, draft = attributes(node), Draft(node, index)
    axis, epsilon = int(options.get("axis", -1)) % len(shape), options.get("epsilon", 1e-5)
    size, lead = prod(shape[axis:]), shape[:axis] or (1,)
    operands = [index.operand(node, i) for i in range(1, len(node.input))]
    fixed = all(v is not None and v.size in (1, size) for v in operands)
    if axis == len(shape) - 1 and axis > 0 and fixed and all(v is not None and v.shape == (size,) for v in operands):
        return None
    x = draft.reshape(node.input[0], (*lead, size))
    if fixed:
        rows = [np.broadcast_to(v.reshape(-1), size) for v in operands if v is not None]
        return draft.done(draft.reshape(draft.add("LayerNormalization", x, *rows, axis=-1, epsilon=epsilon), shape))
    return draft.done(_scaled(draft, node, draft.reshape(normal(draft, x, size, epsilon), shape)))


def _scaled(draft: Draft, node: onnx.NodeProto, x: str) -> str:
    for name, kind in zip(node.input[1:], ("Mul", "Add"), strict=False):
        x = draft.add(kind, x, name) if name else x
    return x


def _root_mean_square(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Source: ONNX RMSNormalization-23 (Zhang and Sennrich, 2019), and SimplifiedLayerNormalization of onnxruntime."""
    known = node.op_type in ("RMSNormalization", "SimplifiedLayerNormalization") and len([n for n in node.output if n]) == 1
    shape = index.static_shape(node.input[0]) if known else None
    if shape is None:
        return None
    options, draft = attributes(node), Draft(node, index)
    axis = int(options.get("axis", -1)) % len(shape)
    flat = (*(shape[:axis] or (1,)), prod(shape[axis:]))
    x = _root_mean_square_of(draft, draft.reshape(node.input[0], flat), flat, options.get("epsilon", 1e-5))
    return draft.done(_scaled(draft, node, draft.reshape(x, shape)))


def _length(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """LpNormalization: x / |x| with the length (p = 2) or the sum of magnitudes (p = 1) along an axis."""
    shape = index.static_shape(node.input[0]) if node.op_type == "LpNormalization" and not node.domain else None
    if shape is None:
        return None
    options, draft = attributes(node), Draft(node, index)
    axis, power = int(options.get("axis", -1)) % len(shape), int(options.get("p", 2))
    if power == 1:
        total = draft.add("ReduceSum", draft.add("Abs", node.input[0]), [axis], keepdims=1)
        return draft.done(draft.add("Div", node.input[0], total))
    order = [*(a for a in range(len(shape)) if a != axis), axis]
    last = tuple(shape[a] for a in order)
    x = _root_mean_square_of(draft, draft.transpose(node.input[0], order), last, TINY)
    return draft.done(draft.transpose(draft.add("Mul", x, shape[axis] ** -0.5), list(np.argsort(order))))


def _mean_variance(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Source: ONNX MeanVarianceNormalization-13: over given axes."""
    shape = index.static_shape(node.input[0]) if node.op_type == "MeanVarianceNormalization" and not node.domain else None
    if shape is None:
        return None
    draft, axes = Draft(node, index), [int(a) % len(shape) for a in attributes(node).get("axes", [0, 2, 3])]
    order = [*(a for a in range(len(shape)) if a not in axes), *axes]
    moved = tuple(shape[a] for a in order)
    flat = (*(moved[: -len(axes)] or (1,)), prod(moved[-len(axes) :]))
    x = normal(draft, draft.reshape(draft.transpose(node.input[0], order), flat), flat[-1], 1e-9)
    return draft.done(draft.transpose(draft.reshape(x, moved), list(np.argsort(order))))


def _local(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """LRN: x / (bias + alpha / size * sum of squares over neighbouring channels)^beta. Source: ONNX LRN-13."""
    shape = index.static_shape(node.input[0]) if node.op_type == "LRN" and not node.domain else None
    if shape is None:
        return None
    options, draft, x = attributes(node), Draft(node, index), node.input[0]
    size, channels = int(options["size"]), np.arange(shape[1])
    apart = channels[:, None] - channels[None, :]  # of the neighbour from the channel
    band = ((apart >= -((size - 1) // 2)) & (apart <= size // 2)).astype(np.float32) * (options.get("alpha", 1e-4) / size)
    order = [0, *range(2, len(shape)), 1]
    total = draft.add("MatMul", draft.transpose(draft.add("Mul", x, x), order), band.astype(np.float32))
    total = draft.add("Add", draft.transpose(total, list(np.argsort(order))), float(options.get("bias", 1.0)))
    return draft.done(draft.add("Mul", x, draft.add("Pow", total, -float(options.get("beta", 0.75)))))


def _batch(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """With statistics that are computed: (x - mean) / sqrt(variance + epsilon) * scale + bias."""
    shape = index.static_shape(node.input[0]) if node.op_type == "BatchNormalization" and not node.domain else None
    options = attributes(node)
    if shape is None or options.get("training_mode", 0) or all(index.operand(node, i) is not None for i in range(1, 5)):
        return None
    draft, x = Draft(node, index), node.input[0]
    scale, bias, mean, variance = (draft.reshape(name, (-1, *[1] * (len(shape) - 2))) for name in node.input[1:])
    root = draft.add("Sqrt", draft.add("Add", variance, float(options.get("epsilon", 1e-5))))
    factor = draft.add("Div", scale, root)
    return draft.done(draft.add("Add", draft.add("Mul", draft.add("Sub", x, mean), factor), bias))
