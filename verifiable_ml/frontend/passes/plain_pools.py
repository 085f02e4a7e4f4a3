# SPDX-License-Identifier: MIT OR Apache-2.0
"""Pools whose windows reach beyond the tensor in ways that no integer operator has."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.evaluate import evaluate
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_pools"
Shape = tuple[int, ...]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """AveragePool counts its padding and has no ceil_mode; MaxPool has no padding beyond its kernel, nor with dilation."""
    return rewrite_each(model, NAME, _mean, _maximum)


def _needed(node: onnx.NodeProto, kind: str, index: Index) -> tuple[Shape, Shape] | None:
    if node.op_type != kind or node.domain or len([name for name in node.output if name]) > 1:
        return None
    shape, made = index.static_shape(node.input[0]), index.static_shape(node.output[0])
    return None if shape is None or made is None else (shape, made)


def _mean(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The mean with padding counted, times how much fewer elements each window has. Source: ONNX AveragePool-22."""
    found, options = _needed(node, "AveragePool", index), attributes(node)
    if found is None:
        return None
    (shape, made), kernel = found, options["kernel_shape"]
    before, after = _reach(options, shape, made)
    if not any(before + after) or (options.get("count_include_pad", 0) and not options.get("ceil_mode", 0)):
        return None
    counted = {"kernel_shape": kernel, "strides": options.get("strides", [1] * len(kernel)), "count_include_pad": 1}
    counted |= {"pads": before + after, "dilations": options.get("dilations", [1] * len(kernel))}
    draft = Draft(node, index)
    if any(b >= k or a >= k for b, a, k in zip(before, after, kernel, strict=True)):
        return None
    mean = draft.add("AveragePool", node.input[0], **counted)
    plain = onnx.helper.make_node("AveragePool", list(node.input), list(node.output), **counted)
    ones = {node.input[0]: np.ones((1, 1, *shape[2:]), np.float32)}
    wanted, got = evaluate(node, index, ones), evaluate(plain, index, ones)
    if wanted is None or got is None or wanted.shape != got.shape or not got.all():
        return None
    return draft.done(draft.add("Mul", mean, wanted / got))


def _reach(options: dict[str, Any], shape: Shape, made: Shape) -> tuple[list[int], list[int]]:
    """How far windows reach beyond the tensor, before and after, on each axis."""
    kernel = options["kernel_shape"]
    rank = len(kernel)
    strides, dilations = options.get("strides", [1] * rank), options.get("dilations", [1] * rank)
    before = list(options.get("pads", [0] * 2 * rank))[:rank]
    after = [
        max((made[a + 2] - 1) * strides[a] + (kernel[a] - 1) * dilations[a] + 1 - before[a] - shape[a + 2], 0)
        for a in range(rank)
    ]
    return before, after


def _maximum(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """A tap in the padding reads another tap of its own window, which changes no maximum. Source: ONNX MaxPool-12."""
    found, options = _needed(node, "MaxPool", index), attributes(node)
    if found is None or "pads" not in options:
        return None
    (shape, made), kernel = found, options["kernel_shape"]
    rank = len(kernel)
    strides, dilations = options.get("strides", [1] * rank), options.get("dilations", [1] * rank)
    before, after = _reach(options, shape, made)
    beyond = any(max(b, a) >= k or (d > 1 and b + a) for b, a, k, d in zip(before, after, kernel, dilations, strict=True))
    if not beyond:
        return None
    draft, x = Draft(node, index), node.input[0]
    for a in range(rank):
        rows = np.arange(made[a + 2])[:, None] * strides[a] + np.arange(kernel[a])[None] * dilations[a] - before[a]
        inside = (rows >= 0) & (rows < shape[a + 2])
        if not inside.any(axis=1).all():
            return None
        first = rows[np.arange(len(rows)), inside.argmax(axis=1)]
        x = draft.add("Gather", x, np.where(inside, rows, first[:, None]).reshape(-1), axis=a + 2)
    windows = draft.reshape(x, (*shape[:2], *(n for a in range(rank) for n in (made[a + 2], kernel[a]))))
    return draft.done(draft.add("ReduceMax", windows, list(range(3, 3 + 2 * rank, 2)), keepdims=0))
