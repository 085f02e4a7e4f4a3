# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reductions, Softmax, ArgMax, Concat, Gather and LayerNormalization name their axes by non-negative numbers."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "explicit_axes"
REDUCTIONS = frozenset({"ReduceMean", "ReduceSum", "ReduceMax"})
DEFAULT_AXIS = {"Softmax": -1, "ArgMax": 0, "Gather": 0, "LayerNormalization": -1, "Concat": None}


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose axes are all explicit, sorted and non-negative."""
    return rewrite_each(model, NAME, _reduction, _one_axis)


def _reduction(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.shape(node.input[0]) if node.op_type in REDUCTIONS and not node.domain else None
    has_axes = len(node.input) > 1 and bool(node.input[1])
    given, options = index.operand(node, 1), attributes(node)
    if shape is None or (has_axes and given is None):
        return None
    none_named = given is None or given.size == 0
    if none_named and options.get("noop_with_empty_axes", 0):
        return Replacement(nodes=(make("Identity", (node.input[0],), (node.output[0],), node),))
    wanted = list(range(len(shape))) if given is None or given.size == 0 else sorted(int(a) % len(shape) for a in given)
    if given is not None and given.tolist() == wanted and set(options) == {"keepdims"}:
        return None
    name = f"{node.output[0]}/axes"
    reduced = make(node.op_type, (node.input[0], name), (node.output[0],), node, keepdims=options.get("keepdims", 1))
    return Replacement(nodes=(reduced,), constants={name: np.array(wanted, np.int64)}, note=f"over axes {wanted}")


def _one_axis(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.shape(node.input[0]) if node.op_type in DEFAULT_AXIS and not node.domain else None
    if not shape:
        return None
    options = attributes(node)
    axis = options.get("axis", DEFAULT_AXIS[node.op_type])
    if axis is None or ("axis" in options and axis >= 0):
        return None
    changed = make(node.op_type, tuple(node.input), tuple(node.output), node, **(options | {"axis": axis % len(shape)}))
    return Replacement(nodes=(changed,), note=f"axis {axis % len(shape)}")
