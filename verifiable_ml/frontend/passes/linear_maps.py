# SPDX-License-Identifier: MIT OR Apache-2.0
"""Operators that are linear in their one tensor become MatMul by a constant matrix, along one axis where that suffices.

The matrix is learnt from the operator itself: it is run on unit vectors, and tried on a random input before it is used.
"""

from __future__ import annotations

from math import prod

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.evaluate import evaluate
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "linear_maps"
MOST_ENTRIES = 1 << 22
LINEAR = frozenset({"AffineGrid", "Col2Im", "CumSum", "DFT", "GridSample", "Resize", "RoiAlign", "STFT", "Upsample"})
MAY_NOT = {"GridSample": ("mode", ("nearest",)), "RoiAlign": ("mode", ("max",))}


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without the operators of LINEAR, where all but their first operand is constant."""
    return rewrite_each(model, NAME, _cumulative, _resized, _linear)


def _ready(node: onnx.NodeProto, index: Index) -> tuple[int, ...] | None:
    """The shape of the one operand that depends on an input."""
    if node.op_type not in LINEAR or node.domain or not node.input or index.constant(node.input[0]) is not None:
        return None
    fixed = all(not name or index.constant(name) is not None for name in node.input[1:])
    shape = index.static_shape(node.input[0])
    return shape if fixed and shape and index.element_type(node.input[0]) == onnx.TensorProto.FLOAT else None


def _along(draft: Draft, x: str, rank: int, axis: int, matrix: np.ndarray) -> str:
    """X with its axis multiplied by a matrix [before, after]."""
    order = [*(a for a in range(rank) if a != axis), axis]
    product = draft.add("MatMul", draft.transpose(x, order), matrix.astype(np.float32))
    return draft.transpose(product, list(np.argsort(order)))


def _cumulative(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """A triangle of ones. Source: ONNX CumSum-14."""
    shape = _ready(node, index) if node.op_type == "CumSum" else None
    axis = index.operand(node, 1)
    if shape is None or axis is None:
        return None
    options, along = attributes(node), int(axis.reshape(())) % len(shape)
    triangle = np.triu(np.ones((shape[along], shape[along])), k=int(options.get("exclusive", 0)))
    draft = Draft(node, index)
    return draft.done(_along(draft, node.input[0], len(shape), along, triangle.T if options.get("reverse", 0) else triangle))


def _resized(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """One matrix for each axis whose extent changes. Source: ONNX Resize-19."""
    shape = _ready(node, index) if node.op_type in ("Resize", "Upsample") else None
    made = index.static_shape(node.output[0])
    if shape is None or made is None:
        return None
    matrices = {}
    for axis in range(len(shape)):
        matrix = _of_axis(node, index, shape, axis)
        if matrix is None:
            return None
        if matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, np.eye(len(matrix)), atol=1e-6):
            matrices[axis] = matrix
    trial = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found: np.ndarray = trial
    for axis, matrix in matrices.items():
        found = np.moveaxis(np.moveaxis(found, axis, -1) @ matrix, -1, axis)
    wanted = evaluate(node, index, {node.input[0]: trial})
    if wanted is None or wanted.shape != found.shape or not np.allclose(found, wanted, atol=1e-4):
        return None
    draft, x = Draft(node, index), node.input[0]
    for axis, matrix in matrices.items():
        x = _along(draft, x, len(shape), axis, matrix)
    return draft.done(x)


def _of_axis(node: onnx.NodeProto, index: Index, shape: tuple[int, ...], axis: int) -> np.ndarray | None:
    """Weights along one axis [before, after]: what stands in one line of the answer when all lines hold a unit vector."""
    rows, size = [], shape[axis]
    if size * prod(shape) > MOST_ENTRIES * 64:
        return None
    for place in range(size):
        unit = np.zeros(shape, np.float32)
        unit[(slice(None),) * axis + (place,)] = 1
        found = evaluate(node, index, {node.input[0]: unit})
        if found is None:
            return None
        rows.append(np.moveaxis(found, axis, -1).reshape(-1, found.shape[axis])[found.size // found.shape[axis] // 2])
    return np.array(rows)


def _linear(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = _ready(node, index)
    if shape is None or attributes(node).get(MAY_NOT.get(node.op_type, ("", ()))[0]) in MAY_NOT.get(node.op_type, ("", ()))[1]:
        return None
    for lead in (2, 1, 0):
        found = _matrix(node, index, shape, lead) if lead < len(shape) else None
        if found is not None:
            matrix, shift, made = found
            draft = Draft(node, index)
            product = draft.add("MatMul", draft.reshape(node.input[0], (prod(shape[:lead]), len(matrix))), matrix)
            shifted = draft.add("Add", product, shift) if shift.any() else product
            return draft.done(draft.reshape(shifted, made))
    return None


def _matrix(
    node: onnx.NodeProto, index: Index, shape: tuple[int, ...], lead: int
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]] | None:
    """[before, after], what is added, and the shape of the answer, with the first `lead` axes as a batch; else None.

    The shape is the operator's own: what onnx infers for some of them is not what they give.
    """
    trial = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    wanted = evaluate(node, index, {node.input[0]: trial})
    if wanted is None:
        return None
    before, after = prod(shape[lead:]), wanted.size // max(prod(shape[:lead]), 1)
    if before * after > MOST_ENTRIES:
        return None
    nothing, units = np.zeros((1, before), np.float32), np.eye(before, dtype=np.float32)
    rows = np.concatenate([nothing, units])
    if lead:
        found = evaluate(node, index, {node.input[0]: rows.reshape(*[1] * (lead - 1), before + 1, *shape[lead:])})
        answers = None if found is None or found.size != (before + 1) * after else found.reshape(before + 1, after)
    else:
        each = [evaluate(node, index, {node.input[0]: row.reshape(shape)}) for row in rows] if before <= 4096 else [None]
        answers = np.array([a.reshape(-1) for a in each if a is not None]) if all(a is not None for a in each) else None
    if answers is None or not np.isfinite(answers).all():
        return None
    shift, matrix = answers[0], answers[1:] - answers[:1]
    mapped = trial.reshape(-1, before) @ matrix + shift
    same = wanted.size == mapped.size and np.allclose(mapped.reshape(wanted.shape), wanted, atol=1e-3)
    return (matrix.astype(np.float32), shift.astype(np.float32), wanted.shape) if same else None
