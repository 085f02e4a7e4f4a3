# SPDX-License-Identifier: MIT OR Apache-2.0
"""Softmax runs along the last axis; its logarithm is x less the logarithm of the sum of exponentials."""

from __future__ import annotations

import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_softmax"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without LogSoftmax, whose Softmax runs along the last axis. Source: ONNX Softmax-13, LogSoftmax-13."""
    return rewrite_each(model, NAME, _along_the_last, _logarithm)


def _along_the_last(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "Softmax" and not node.domain else None
    last = len(shape) - 1 if shape else 0
    axis = int(attributes(node).get("axis", -1)) % (last + 1)
    if shape is None or axis == last:
        return None
    order, draft = [*range(axis), *range(axis + 1, last + 1), axis], Draft(node, index)
    back = [*range(axis), last, *range(axis, last)]
    moved = draft.add("Softmax", draft.transpose(node.input[0], order), axis=last)
    return draft.done(draft.transpose(moved, back))


def _logarithm(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "LogSoftmax" and not node.domain else None
    if shape is None:
        return None
    draft, axis = Draft(node, index), int(attributes(node).get("axis", -1)) % len(shape)
    below = draft.add("Sub", node.input[0], draft.add("ReduceMax", node.input[0], [axis], keepdims=1))
    total = draft.add("ReduceSum", draft.add("Exp", below), [axis], keepdims=1)
    return draft.done(draft.add("Sub", below, draft.add("Log", total)))
