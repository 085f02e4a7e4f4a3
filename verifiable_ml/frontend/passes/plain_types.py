# SPDX-License-Identifier: MIT OR Apache-2.0
"""CastLike is a Cast to a known type; a Cast to truth values is a comparison with 0."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_types"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose Casts are between numbers, or from truth values. Source: ONNX Cast-19, CastLike-19."""
    return rewrite_each(model, NAME, _like, _to_truth)


def _like(node: onnx.NodeProto, index: Index) -> Replacement | None:
    found = index.element_type(node.input[1]) if node.op_type == "CastLike" and not node.domain else 0
    if not found:
        return None
    draft = Draft(node, index)
    return draft.done(draft.add("Cast", node.input[0], to=found))


def _to_truth(node: onnx.NodeProto, index: Index) -> Replacement | None:
    kind = index.element_type(node.input[0]) if node.op_type == "Cast" and not node.domain else 0
    if kind in (0, TensorProto.BOOL, TensorProto.STRING) or attributes(node)["to"] != TensorProto.BOOL:
        return None
    draft = Draft(node, index)
    return draft.done(draft.add("Not", draft.add("Equal", node.input[0], np.zeros((), helper.tensor_dtype_to_np_dtype(kind)))))
