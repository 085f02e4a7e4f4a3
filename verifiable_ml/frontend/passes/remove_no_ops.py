# SPDX-License-Identifier: MIT OR Apache-2.0
"""Remove nodes that hand on what they get: Identity, Dropout, a Cast to the same type, a Transpose that moves nothing …"""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "remove_no_ops"
SINGLE = frozenset({"Concat", "Sum", "Max", "Min", "Mean"})  # of one operand
SAME_SHAPE = frozenset({"Expand", "Tile", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Resize"})


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which every node does something. A node from an input straight to an output stays."""
    return rewrite_each(model, NAME, _no_op, _empty_operands, _dropout)


def _no_op(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.domain or not node.input or not _hands_on(node, index):
        return None
    source, target = node.input[0], node.output[0]
    if target not in index.outputs:
        return Replacement(alias={target: source}, note="nothing")
    if source in index.inputs or source in index.initialisers or source in index.outputs:
        same = make("Identity", (source,), (target,), node)
        return None if node.op_type == "Identity" else Replacement(nodes=(same,))
    return Replacement(alias={source: target}, note="nothing")


def _empty_operands(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Concat joins what has elements."""
    shapes = [index.static_shape(name) for name in node.input] if node.op_type == "Concat" and not node.domain else []
    kept = tuple(name for name, shape in zip(node.input, shapes, strict=False) if shape is None or 0 not in shape)
    if not kept or len(kept) == len(shapes):
        return None
    joined = make("Concat", kept, (node.output[0],), node, **attributes(node))
    return Replacement(nodes=(joined,), note="without its empty operands")


def _dropout(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """With a mask that is read, or from an input to an output: the mask is all ones. Source: ONNX Dropout-13."""
    if node.op_type != "Dropout" or node.domain or not _is_idle(node, index):
        return None
    shape, mask = index.static_shape(node.input[0]), [name for name in node.output[1:] if name]
    if mask and shape is None:
        return None
    nodes = [make("Identity", (node.input[0],), (node.output[0],), node)]
    names = [f"{name}/ones" for name in mask]
    nodes += [make("Identity", (one,), (name,), node) for one, name in zip(names, mask, strict=True)]
    return Replacement(nodes=tuple(nodes), constants={name: np.ones(shape or (), np.bool_) for name in names})


def _is_idle(node: onnx.NodeProto, index: Index) -> bool:
    training, ratio = index.operand(node, 2), index.operand(node, 1)
    off = len(node.input) < 3 or not node.input[2] or (training is not None and not training.any())
    return off or (ratio is not None and not ratio.any())


def _hands_on(node: onnx.NodeProto, index: Index) -> bool:
    kind, options = node.op_type, attributes(node)
    if any(name in index.readers or name in index.outputs for name in node.output[1:]):
        return False
    if kind == "Identity" or (kind in SINGLE and len(node.input) == 1):
        return True
    if kind == "Dropout":
        return _is_idle(node, index)
    if kind == "Cast":
        return bool(options["to"] == index.element_type(node.input[0]))
    if kind == "Transpose":
        permutation = options.get("perm")
        return permutation is not None and list(permutation) == sorted(permutation)
    if kind == "Pad":
        pads = index.operand(node, 1)
        return pads is not None and not np.any(pads)
    return kind in SAME_SHAPE and _keeps_shape(node, index)


def _keeps_shape(node: onnx.NodeProto, index: Index) -> bool:
    before, after = index.static_shape(node.input[0]), index.static_shape(node.output[0])
    return before is not None and before == after
