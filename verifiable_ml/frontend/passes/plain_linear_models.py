# SPDX-License-Identifier: MIT OR Apache-2.0
"""LinearRegressor and LinearClassifier become MatMul and Add, and standard operators for the label and the post_transform.

Source: ONNX operator specification, domain ai.onnx.ml; where it is silent, what onnxruntime does.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each
from verifiable_ml.frontend.scores import TRANSFORMS, label, pair, transformed
from verifiable_ml.frontend.trees import DOMAIN

NAME = "plain_linear_models"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose linear models are products of matrices."""
    return rewrite_each(model, NAME, _regressor, _classifier)


def _sums(draft: Draft, node: onnx.NodeProto, index: Index, rows: int) -> str | None:
    """X w' + b: [N, rows]."""
    options, shape = attributes(node), index.static_shape(node.input[0])
    weights = np.array(options.get("coefficients", ()), np.float32)
    bias = np.array(options.get("intercepts", ()) or [0.0] * rows, np.float32)
    if shape is None or len(shape) != 2 or weights.size != rows * shape[1] or len(bias) != rows:
        return None
    x = node.input[0]
    x = x if index.element_type(x) == TensorProto.FLOAT else draft.add("Cast", x, to=TensorProto.FLOAT)
    return draft.add("Add", draft.add("MatMul", x, weights.reshape(rows, -1).T), bias)


def _regressor(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.domain != DOMAIN or node.op_type != "LinearRegressor":
        return None
    options, draft = attributes(node), Draft(node, index)
    rows, kind = int(options.get("targets", 1)), options.get("post_transform", "NONE")
    sums = _sums(draft, node, index, rows)
    if sums is None or kind not in TRANSFORMS:
        return None
    return draft.done(transformed(draft, sums, kind if rows > 1 else "NONE"))


def _classifier(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """One row and two labels: by the sign of its sum. Else the label of the greatest sum."""
    if node.domain != DOMAIN or node.op_type != "LinearClassifier":
        return None
    options, draft = attributes(node), Draft(node, index)
    kind, labels = options.get("post_transform", "NONE"), list(options.get("classlabels_ints", ()))
    rows = len(options.get("intercepts", ())) or len(labels)
    sums = _sums(draft, node, index, rows)
    if sums is None or kind not in TRANSFORMS or len(labels) != max(rows, 2):
        return None
    if rows > 1:
        found, scores = label(draft, sums, labels), transformed(draft, sums, kind)
    else:
        opposed = pair(draft, sums, 0.0)
        found = label(draft, opposed, labels)
        scores = draft.add("Sigmoid", opposed) if kind == "LOGISTIC" else pair(draft, sums, 1.0)
    named = [*node.output, ""][:2]
    return draft.done(*(each for each, name in zip((found, scores), named, strict=True) if name))
