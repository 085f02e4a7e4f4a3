# SPDX-License-Identifier: MIT OR Apache-2.0
"""Convolutions and pools state kernel, strides, pads, dilations and groups; auto_pad and a harmless ceil_mode go away."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "explicit_windows"
WINDOWED = frozenset({"Conv", "MaxPool", "AveragePool"})
DROPPED = frozenset({"auto_pad", "ceil_mode", "storage_order"})


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which every window is explicit. Source: ONNX operator specification, MaxPool, auto_pad and ceil_mode."""
    return rewrite_each(model, NAME, _explicit, _global_maximum)


def _explicit(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type not in WINDOWED or node.domain or len([name for name in node.output if name]) > 1:
        return None
    shape, made = index.static_shape(node.input[0]), index.static_shape(node.output[0])
    weights = index.static_shape(node.input[1]) if node.op_type == "Conv" else None
    options = attributes(node)
    kernel = list(options.get("kernel_shape", weights[2:] if weights else ()))
    if shape is None or made is None or not kernel or len(shape) != len(kernel) + 2:
        return None
    wanted = _window(node.op_type, options, kernel, shape[2:], made[2:])
    if wanted is None or wanted == options:
        return None
    windowed = make(node.op_type, tuple(node.input), (node.output[0],), node, **wanted)
    return Replacement(nodes=(windowed,), note="with explicit windows")


def _window(
    kind: str, options: dict[str, Any], kernel: list[int], before: tuple[int, ...], after: tuple[int, ...]
) -> dict[str, Any] | None:
    rank = len(kernel)
    strides, dilations = list(options.get("strides", [1] * rank)), list(options.get("dilations", [1] * rank))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    needed = [(a - 1) * s + span - b for a, s, span, b in zip(after, strides, spans, before, strict=True)]
    pads = _pads(options, needed, rank)
    if options.get("ceil_mode", 0):
        missing = [max(n - pads[i] - pads[i + rank], 0) for i, n in enumerate(needed)]
        if any(missing) and kind != "MaxPool":
            return None  # the mean over a window that sticks out has another divisor
        pads = pads[:rank] + [p + m for p, m in zip(pads[rank:], missing, strict=True)]
    kept = {key: value for key, value in options.items() if key not in DROPPED}
    groups = {"group": options.get("group", 1)} if kind == "Conv" else {}
    return kept | groups | {"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations}


def _pads(options: dict[str, Any], needed: list[int], rank: int) -> list[int]:
    mode = options.get("auto_pad", "NOTSET")
    if mode in ("", "NOTSET"):
        return list(options.get("pads", [0] * 2 * rank))
    if mode == "VALID":
        return [0] * 2 * rank
    total = [max(n, 0) for n in needed]
    less, more = [t // 2 for t in total], [t - t // 2 for t in total]
    return less + more if mode == "SAME_UPPER" else more + less


def _global_maximum(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "GlobalMaxPool" and not node.domain else None
    if shape is None:
        return None
    name = f"{node.output[0]}/axes"
    reduced = make("ReduceMax", (node.input[0], name), (node.output[0],), node, keepdims=1)
    return Replacement(nodes=(reduced,), constants={name: np.arange(2, len(shape), dtype=np.int64)})
