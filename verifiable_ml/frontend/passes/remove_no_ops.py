# SPDX-License-Identifier: MIT OR Apache-2.0
"""Remove nodes that hand on what they get: Identity, Dropout, a Cast to the same type, a Transpose that moves nothing …"""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "remove_no_ops"
SINGLE = frozenset({"Concat", "Sum", "Max", "Min", "Mean"})  # of one operand
SAME_SHAPE = frozenset({"Expand", "Tile", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Resize"})


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which every node does something. A node from an input straight to an output stays."""
    return rewrite_each(model, NAME, _no_op)


def _no_op(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.domain or not node.input or not _hands_on(node, index):
        return None
    source, target = node.input[0], node.output[0]
    if target not in index.outputs:
        return Replacement(alias={target: source}, note="nothing")
    if source in index.inputs or source in index.initialisers or source in index.outputs:
        return None
    return Replacement(alias={source: target}, note="nothing")


def _hands_on(node: onnx.NodeProto, index: Index) -> bool:
    kind, options = node.op_type, attributes(node)
    if any(name in index.readers or name in index.outputs for name in node.output[1:]):
        return False
    if kind == "Identity" or (kind in SINGLE and len(node.input) == 1):
        return True
    if kind == "Dropout":
        training = index.operand(node, 2)
        return len(node.input) < 3 or not node.input[2] or (training is not None and not training.any())
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
