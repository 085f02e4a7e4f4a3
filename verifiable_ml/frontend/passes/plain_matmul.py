# SPDX-License-Identifier: MIT OR Apache-2.0
"""MatMul of equal ranks and equal batches, its constant matrix second."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, rewrite_each

NAME = "plain_matmul"
Shape = tuple[int, ...]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which a MatMul has a constant [K, N] second, or two operands of one rank >= 2 and one batch."""
    return rewrite_each(model, NAME, _vectors, _constant_matrix, _batches)


def _shapes(node: onnx.NodeProto, index: Index) -> tuple[Shape, Shape] | None:
    if node.op_type != "MatMul" or node.domain:
        return None
    x, w = (index.static_shape(name) for name in node.input[:2])
    return None if x is None or w is None else (x, w)


def _vectors(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """A row in front, a column behind: their axis is taken away afterwards."""
    found = _shapes(node, index)
    if found is None or min(map(len, found)) > 1:
        return None
    draft, (x, w) = Draft(node, index), found
    left = draft.reshape(node.input[0], (1, *x)) if len(x) == 1 else node.input[0]
    right = draft.reshape(node.input[1], (*w, 1)) if len(w) == 1 else node.input[1]
    return draft.done(draft.reshape(draft.add("MatMul", left, right), index.static_shape(node.output[0]) or ()))


def _constant_matrix(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """A batch of one matrix is that matrix; A x = (x' A')' where A is one constant matrix."""
    found = _shapes(node, index)
    if found is None or min(map(len, found)) < 2:
        return None
    draft, (x, w) = Draft(node, index), found
    left, right = index.operand(node, 0), index.operand(node, 1)
    if right is not None and len(w) > 2 and np.prod(w[:-2]) == 1 and len(w) <= len(x):
        return draft.done(draft.add("MatMul", node.input[0], right.reshape(w[-2:])))
    if left is None or right is not None or np.prod(x[:-2], dtype=np.int64) != 1 or len(x) > len(w):
        return None
    swapped = [*range(len(w) - 2), len(w) - 1, len(w) - 2]
    turned = draft.add("MatMul", draft.transpose(node.input[1], swapped), np.ascontiguousarray(left.reshape(x[-2:]).T))
    return draft.done(draft.transpose(turned, swapped))


def _batches(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Operands of other ranks or batches are repeated to one batch."""
    found = _shapes(node, index)
    if found is None or min(map(len, found)) < 2 or found[0][:-2] == found[1][:-2]:
        return None
    x, w = found
    if index.operand(node, 1) is not None and len(w) == 2:
        return None
    batch, draft = np.broadcast_shapes(x[:-2], w[:-2]), Draft(node, index)
    if len(w) == 2 and len(x) > 2:  # one matrix for all: the batch is more rows
        product = draft.add("MatMul", draft.reshape(node.input[0], (-1, x[-1])), node.input[1])
        return draft.done(draft.reshape(product, (*x[:-1], w[-1])))
    operands = []
    for name, shape in zip(node.input, found, strict=True):
        wide = (*[1] * (len(batch) + 2 - len(shape)), *shape)
        value = index.constant(name)
        if value is not None:
            operands.append(draft.constant(np.broadcast_to(value, (*batch, *shape[-2:]))))
            continue
        part = name if wide == shape else draft.reshape(name, wide)
        operands.append(part if wide[:-2] == batch else draft.add("Expand", part, (*batch, *shape[-2:])))
    return draft.done(draft.add("MatMul", *operands))
