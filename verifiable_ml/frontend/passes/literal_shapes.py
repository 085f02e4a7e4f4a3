# SPDX-License-Identifier: MIT OR Apache-2.0
"""Squeeze, Unsqueeze, Flatten and Reshape with 0 or -1 become Reshape with a literal shape."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "literal_shapes"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose only reshaping operator is Reshape, its shape a constant of positive numbers."""
    return rewrite_each(model, NAME, _literal, _of_a_reshape)


def _literal(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type not in ("Squeeze", "Unsqueeze", "Flatten", "Reshape") or node.domain:
        return None
    shape = index.static_shape(node.output[0])
    if shape is None:
        return None
    given = index.operand(node, 1)
    if node.op_type == "Reshape" and given is not None and given.tolist() == list(shape):
        return None
    name = f"{node.output[0]}/shape"
    reshaped = make("Reshape", (node.input[0], name), (node.output[0],), node)
    return Replacement(nodes=(reshaped,), constants={name: np.array(shape, np.int64)}, note=f"Reshape to {list(shape)}")


def _of_a_reshape(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Only the last of several in a row matters."""
    before = index.producer.get(node.input[0]) if node.op_type == "Reshape" and not node.domain else None
    if before is None or before.op_type != "Reshape" or index.operand(node, 1) is None:
        return None
    merged = make("Reshape", (before.input[0], node.input[1]), (node.output[0],), node, **attributes(node))
    return Replacement(nodes=(merged,), note="one Reshape with the one before it")
