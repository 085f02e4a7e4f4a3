# SPDX-License-Identifier: MIT OR Apache-2.0
"""ConvTranspose becomes a convolution of the tensor with zeros between its elements; computed weights become a MatMul."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_convolutions"
Shape = tuple[int, ...]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose convolutions are Conv with constant weights. Source: ONNX ConvTranspose-11, Conv-11."""
    return rewrite_each(model, NAME, _transposed, _computed_bias, _computed_weights)


def _transposed(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type != "ConvTranspose" or node.domain:
        return None
    shape, weights, made = (index.static_shape(name) for name in (*node.input[:2], node.output[0]))
    if shape is None or weights is None or made is None:
        return None
    options, draft, rank = attributes(node), Draft(node, index), len(shape) - 2
    strides, dilations = (list(options.get(name, [1] * rank)) for name in ("strides", "dilations"))
    reach = [d * (k - 1) for d, k in zip(dilations, weights[2:], strict=True)]
    before = _begins(options, shape[2:], made[2:], strides, reach)
    x = _spread(draft, node.input[0], shape, strides)
    pads = []
    for a in range(rank):
        begin = reach[a] - before[a]
        pads.append((begin, made[2 + a] + reach[a] - begin - shape[2 + a] * strides[a]))
    x = _cropped(draft, x, [size * s for size, s in zip(shape[2:], strides, strict=True)], pads)
    explicit = [max(p[0], 0) for p in pads] + [max(p[1], 0) for p in pads]
    groups = int(options.get("group", 1))
    operands = (x, _turned(draft, index, node.input[1], weights, groups), *node.input[2:3])
    return draft.done(draft.add("Conv", *operands, pads=explicit, dilations=dilations, group=groups, strides=[1] * rank))


def _begins(options: dict[str, Any], before: Shape, after: Shape, strides: list[int], reach: list[int]) -> list[int]:
    """How much is cut off in front of each axis."""
    rank, mode = len(before), options.get("auto_pad", "NOTSET")
    if mode == "VALID":
        return [0] * rank
    if mode in ("", "NOTSET") and "output_shape" not in options:
        return list(options.get("pads", [0] * 2 * rank))[:rank]
    extra = options.get("output_padding", [0] * rank)
    total = [max(s * (b - 1) + e + r + 1 - a, 0) for s, b, e, r, a in zip(strides, before, extra, reach, after, strict=True)]
    return [t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in total]


def _spread(draft: Draft, x: str, shape: Shape, strides: list[int]) -> str:
    """Stride - 1 zeros after each element."""
    if all(s == 1 for s in strides):
        return x
    apart = (*shape[:2], *(n for size in shape[2:] for n in (size, 1)))
    ends = [0, 0, *(n for s in strides for n in (0, s - 1))]
    padded = draft.add("Pad", draft.reshape(x, apart), [0] * len(ends) + ends)
    return draft.reshape(padded, (*shape[:2], *(size * s for size, s in zip(shape[2:], strides, strict=True))))


def _cropped(draft: Draft, x: str, extents: list[int], pads: list[tuple[int, int]]) -> str:
    for axis, (size, (begin, end)) in enumerate(zip(extents, pads, strict=True)):
        if min(begin, end) < 0:
            x = draft.add("Slice", x, [max(-begin, 0)], [size - max(-end, 0)], [axis + 2], [1])
    return x


def _turned(draft: Draft, index: Index, name: str, weights: Shape, groups: int) -> str:
    """[C, O / groups, *kernel] to [O, C / groups, *kernel], the kernel backwards."""
    inner, outer, value = weights[0] // groups, weights[1], index.constant(name)
    if value is not None:
        swapped = value.reshape(groups, inner, outer, *weights[2:]).swapaxes(1, 2).reshape(groups * outer, inner, *weights[2:])
        return draft.constant(np.flip(swapped, tuple(range(2, len(weights)))))
    split = draft.reshape(name, (groups, inner, outer, *weights[2:]))
    turned = draft.transpose(split, (0, 2, 1, *range(3, len(weights) + 1)))
    turned = draft.reshape(turned, (groups * outer, inner, *weights[2:]))
    for axis, size in enumerate(weights[2:], start=2):
        turned = draft.add("Gather", turned, list(range(size))[::-1], axis=axis) if size > 1 else turned
    return turned


def _computed_bias(node: onnx.NodeProto, index: Index) -> Replacement | None:
    has_bias = node.op_type == "Conv" and not node.domain and len(node.input) > 2 and bool(node.input[2])
    shape = index.static_shape(node.input[0]) if has_bias else None
    if index.operand(node, 2) is not None or shape is None:
        return None
    draft = Draft(node, index)
    product = draft.add("Conv", *node.input[:2], **attributes(node))
    return draft.done(draft.add("Add", product, draft.reshape(node.input[2], (1, -1, *[1] * (len(shape) - 2)))))


def _computed_weights(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Every window as a row, times the weights."""
    if node.op_type != "Conv" or node.domain or index.operand(node, 1) is not None or len(node.input) > 2:
        return None
    shape, weights, made = (index.static_shape(name) for name in (*node.input[:2], node.output[0]))
    options = attributes(node)
    if shape is None or weights is None or made is None or "pads" not in options or "strides" not in options:
        return None  # the windows are made explicit first
    draft, groups, spatial, kernel = Draft(node, index), int(options.get("group", 1)), made[2:], weights[2:]
    windows = taps(draft, node.input[0], shape, kernel, spatial, options)  # [N, C, *(places, taps)]
    inner, outer, rank = shape[1] // groups, made[1] // groups, len(kernel)
    split = draft.reshape(windows, (shape[0], groups, inner, *(n for pair in zip(spatial, kernel, strict=True) for n in pair)))
    order = (0, 1, *range(3, 3 + 2 * rank, 2), 2, *range(4, 4 + 2 * rank, 2))
    rows = draft.reshape(draft.transpose(split, order), (shape[0], groups, prod(spatial), inner * prod(kernel)))
    columns = draft.transpose(draft.reshape(node.input[1], (1, groups, outer, inner * prod(kernel))), (0, 1, 3, 2))
    product = draft.transpose(draft.add("MatMul", rows, columns), (0, 1, 3, 2))
    return draft.done(draft.reshape(product, made))


def taps(draft: Draft, x: str, shape: Shape, kernel: Shape, spatial: Shape, options: dict[str, Any]) -> str:
    """X [N, C, *extent] to [N, C, *(places, taps)]: what each window reads, zeros in the padding."""
    rank, pads = len(kernel), list(options["pads"])
    if any(pads):
        x = draft.add("Pad", x, [0, 0, *pads[:rank], 0, 0, *pads[rank:]])
    for a in range(rank):
        rows = np.arange(spatial[a])[:, None] * options["strides"][a] + np.arange(kernel[a])[None] * options["dilations"][a]
        x = draft.add("Gather", x, rows.reshape(-1), axis=a + 2)
    return draft.reshape(x, (*shape[:2], *(n for pair in zip(spatial, kernel, strict=True) for n in pair)))
