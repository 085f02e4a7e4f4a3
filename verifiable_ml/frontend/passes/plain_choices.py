# SPDX-License-Identifier: MIT OR Apache-2.0
"""Max, Min, Clip, PRelu, OneHot, Hardmax and TopK by Relu, comparisons and products."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_choices"
MOST_PAIRS = 1 << 22


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose choices are Relu, Clip around 0, comparisons and ArgMax."""
    return rewrite_each(model, NAME, _extreme, _clip, _sign, _prelu, _one_hot, _hardmax, _top_k)


def _extreme(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """max(a, b) = a + relu(b - a), or Clip by a constant number; min likewise; of many one after the other."""
    if node.op_type not in ("Max", "Min") or node.domain or index.element_type(node.output[0]) != TensorProto.FLOAT:
        return None
    draft, found = Draft(node, index), node.input[0]
    for name in node.input[1:]:
        found = _greater(draft, index, found, name, node.op_type == "Max")
    return draft.done(found)


def _greater(draft: Draft, index: Index, a: str, b: str, greatest: bool) -> str:
    for one, other in ((a, b), (b, a)):
        value = index.constant(other)
        if value is not None and value.size == 1 and value.ndim <= len(index.shape(one) or ()):
            bound = value.reshape(())
            return draft.add("Clip", one, bound) if greatest else draft.add("Clip", one, "", bound)
    if greatest:
        return draft.add("Add", a, draft.add("Relu", draft.add("Sub", b, a)))
    return draft.add("Sub", a, draft.add("Relu", draft.add("Sub", a, b)))


def _clip(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Bounds that leave out 0 are shifted to it; bounds that are computed become Max and Min."""
    if node.op_type != "Clip" or node.domain or index.element_type(node.output[0]) != TensorProto.FLOAT:
        return None
    names = [node.input[i] if len(node.input) > i else "" for i in (1, 2)]
    values = [index.constant(name) if name else None for name in names]
    draft, x = Draft(node, index), node.input[0]
    if any(name and value is None for name, value in zip(names, values, strict=True)):
        for name, kind in zip(names, ("Max", "Min"), strict=True):
            x = draft.add(kind, x, name) if name else x
        return draft.done(x)
    low, high = (None if v is None else float(v.reshape(())) for v in values)
    low = min(low, high) if low is not None and high is not None else low
    ends = (-np.inf if low is None else low), (np.inf if high is None else high)
    if ends[0] <= 0 <= ends[1]:
        return None
    middle = ends[0] if ends[0] > 0 else ends[1]
    moved = draft.add("Clip", draft.add("Add", x, -middle), *(draft.constant(e - middle) if np.isfinite(e) else "" for e in ends))
    return draft.done(draft.add("Add", moved, middle))


def _sign(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """[x > 0] - [x < 0]: a comparison reads more bits than a table."""
    if node.op_type != "Sign" or node.domain or index.element_type(node.output[0]) != TensorProto.FLOAT:
        return None
    draft = Draft(node, index)
    above, below = (draft.add("Cast", draft.add(kind, node.input[0], 0.0), to=TensorProto.FLOAT) for kind in ("Greater", "Less"))
    return draft.done(draft.add("Sub", above, below))


def _prelu(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """relu(x) - slope * relu(-x)"""
    if node.op_type != "PRelu" or node.domain:
        return None
    draft, x = Draft(node, index), node.input[0]
    below = draft.add("Relu", draft.add("Neg", x))
    return draft.done(draft.add("Sub", draft.add("Relu", x), draft.add("Mul", below, node.input[1])))


def _one_hot(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """(i == depth's entry, or that minus depth) * (on - off) + off. Source: ONNX OneHot-11."""
    if node.op_type != "OneHot" or node.domain:
        return None
    depth, values, shape = index.operand(node, 1), index.operand(node, 2), index.static_shape(node.output[0])
    if depth is None or values is None or shape is None or values.dtype != np.float32:
        return None
    axis, count, draft = int(attributes(node).get("axis", -1)) % len(shape), int(depth.reshape(())), Draft(node, index)
    entries = np.arange(count).reshape(-1, *[1] * (len(shape) - 1 - axis))
    whole = draft.add("Cast", node.input[0], to=TensorProto.INT64)
    column = draft.reshape(whole, [1 if a == axis else size for a, size in enumerate(shape)])
    equal = [draft.add("Equal", column, each) for each in (entries, entries - count)]
    found = draft.add("Cast", draft.add("Or", *equal), to=TensorProto.FLOAT)
    return draft.done(draft.add("Add", draft.add("Mul", found, float(values[1] - values[0])), float(values[0])))


def _hardmax(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "Hardmax" and not node.domain else None
    if shape is None:
        return None
    axis, draft = int(attributes(node).get("axis", -1)) % len(shape), Draft(node, index)
    place = draft.add("ArgMax", node.input[0], axis=axis, keepdims=1)
    entries = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - 1 - axis))
    return draft.done(draft.add("Cast", draft.add("Equal", place, entries), to=TensorProto.FLOAT))


def _top_k(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """An element's rank is the number of those that come before it; the entry of rank r is found by r == rank."""
    if node.op_type != "TopK" or node.domain or index.element_type(node.input[0]) != TensorProto.FLOAT:
        return None
    shape, k, options = index.static_shape(node.input[0]), index.operand(node, 1), attributes(node)
    axis = int(options.get("axis", -1)) % len(shape or (0,))
    if shape is None or k is None or k.size != 1 or int(np.prod(shape)) * shape[axis] > MOST_PAIRS:
        return None
    draft, size, count = Draft(node, index), shape[axis], int(k.reshape(()))
    order = [*(a for a in range(len(shape)) if a != axis), axis]
    rows = tuple(shape[a] for a in order[:-1])
    x = draft.transpose(node.input[0], order)
    ranks = _ranks(draft, x, rows, size, bool(options.get("largest", 1)))
    entries = np.arange(count).reshape(-1, 1)
    chosen = draft.add("Equal", draft.reshape(ranks, (*rows, 1, size)), entries)
    values = draft.add("MatMul", draft.add("Cast", chosen, to=TensorProto.FLOAT), draft.reshape(x, (*rows, size, 1)))
    numbers = draft.add("Mul", draft.add("Cast", chosen, to=TensorProto.INT64), np.arange(size))
    places = draft.add("ReduceSum", numbers, [len(rows) + 1], keepdims=0)
    back = list(np.argsort(order))
    results = [draft.transpose(draft.reshape(values, (*rows, count)), back), draft.transpose(places, back)]
    return draft.done(*(found for name, found in zip(node.output, results, strict=False) if name))


def _ranks(draft: Draft, x: str, rows: tuple[int, ...], size: int, largest: bool) -> str:
    """How many entries of its row come before each: those that are greater, and equal ones further left."""
    column, row = draft.reshape(x, (*rows, size, 1)), draft.reshape(x, (*rows, 1, size))
    before = draft.add("Greater" if largest else "Less", row, column)
    left = np.tri(size, k=-1, dtype=np.bool_)
    ties = draft.add("And", draft.add("Equal", row, column), left)
    counted = draft.add("Cast", draft.add("Or", before, ties), to=TensorProto.INT64)
    return draft.add("ReduceSum", counted, [len(rows) + 1], keepdims=0)
