# SPDX-License-Identifier: MIT OR Apache-2.0
"""GatherElements and GatherND by computed indices become Gather of single elements, by indices into the flattened tensor."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "computed_indices"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose computed indices are read by Gather only. Source: ONNX GatherElements-13, GatherND-13."""
    return rewrite_each(model, NAME, _elements, _points)


def _shapes(node: onnx.NodeProto, kind: str, index: Index) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    if node.op_type != kind or node.domain or index.operand(node, 1) is not None:
        return None
    data, indices = index.static_shape(node.input[0]), index.static_shape(node.input[1])
    return (
        None
        if data is None or indices is None or index.element_type(node.input[1]) != onnx.TensorProto.INT64
        else (data, indices)
    )


def _elements(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Along one axis by the index, along the others where it stands."""
    found = _shapes(node, "GatherElements", index)
    if found is None:
        return None
    data, indices = found
    axis, draft = int(attributes(node).get("axis", 0)) % len(data), Draft(node, index)
    strides = [prod(data[a + 1 :]) for a in range(len(data))]
    places = np.indices(indices)
    others = sum((places[a] * strides[a] for a in range(len(data)) if a != axis), start=np.zeros(indices, np.int64))
    flat = draft.add("Add", draft.add("Mul", node.input[1], np.array(strides[axis])), others.astype(np.int64))
    return draft.done(draft.add("Gather", draft.reshape(node.input[0], [prod(data)]), flat, axis=0))


def _points(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The last axis of the indices names a place in the leading axes of the data."""
    found = _shapes(node, "GatherND", index)
    if found is None or attributes(node).get("batch_dims", 0):
        return None
    (data, indices), draft = found, Draft(node, index)
    depth = indices[-1]
    strides = np.array([prod(data[a + 1 : depth]) for a in range(depth)], np.int64)
    rows = draft.add("ReduceSum", draft.add("Mul", node.input[1], strides), [len(indices) - 1], keepdims=0)
    return draft.done(draft.add("Gather", draft.reshape(node.input[0], [prod(data[:depth]), *data[depth:]]), rows, axis=0))
