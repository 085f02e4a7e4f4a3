# SPDX-License-Identifier: MIT OR Apache-2.0
"""What classifiers of ai.onnx.ml do with their scores: the label, and the post_transform.

Source: ONNX operator specification, domain ai.onnx.ml; where it is silent, what onnxruntime does
(core/providers/cpu/ml/ml_common.h).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft

TRANSFORMS = frozenset({"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"})
ZERO = 1e-7
"""SOFTMAX_ZERO takes less than this for a score that was never given."""


def label(draft: Draft, scores: str, labels: Sequence[int]) -> str:
    """The label of the first greatest of scores [N, C]: int64 [N]."""
    place = draft.add("ArgMax", scores, axis=1, keepdims=0)
    return place if list(labels) == list(range(len(labels))) else draft.add("Gather", np.array(labels, np.int64), place, axis=0)


def transformed(draft: Draft, scores: str, kind: str) -> str:
    """Scores [N, C] after a post_transform of TRANSFORMS."""
    if kind == "LOGISTIC":
        return draft.add("Sigmoid", scores)
    if kind == "SOFTMAX":
        return draft.add("Softmax", scores, axis=1)
    if kind == "SOFTMAX_ZERO":
        given = draft.add("Cast", draft.add("Greater", draft.add("Abs", scores), ZERO), to=TensorProto.FLOAT)
        shares = draft.add("Mul", draft.add("Softmax", scores, axis=1), given)
        return draft.add("Div", shares, draft.add("ReduceSum", shares, [1], keepdims=1))
    return scores


def pair(draft: Draft, score: str, first: float) -> str:
    """[first - score, score] of one score [N, 1]."""
    both = draft.add("Mul", score, np.array([[-1.0, 1.0]]))
    return draft.add("Add", both, np.array([[first, 0.0]])) if first else both
