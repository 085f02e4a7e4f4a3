# SPDX-License-Identifier: MIT OR Apache-2.0
"""A scatter that adds, multiplies or compares becomes that operation on what it reads, and a scatter that only moves."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.evaluate import evaluate
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_scatters"
READS = {"ScatterElements": "GatherElements", "ScatterND": "GatherND"}
KINDS = {"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}
MOST_ENTRIES = 1 << 22


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose scatters by constant indices have no reduction. Source: ONNX ScatterElements-18, ScatterND-18."""
    return rewrite_each(model, NAME, _reduced)


def _reduced(node: onnx.NodeProto, index: Index) -> Replacement | None:
    options = attributes(node)
    kind = KINDS.get(options.pop("reduction", "none")) if node.op_type in READS and not node.domain else None
    if kind is None:
        return None
    indices, shape, updates = index.operand(node, 1), index.static_shape(node.input[0]), index.static_shape(node.input[2])
    if indices is None or shape is None or updates is None:
        return None
    moved = _where(node, index, shape, updates)
    if moved is None:
        return None
    draft = Draft(node, index)
    if moved.size == prod(updates):
        read = draft.add(READS[node.op_type], node.input[0], indices, **options)
        changed = draft.add(kind, read, node.input[2])
        return draft.done(draft.add(node.op_type, node.input[0], indices, changed, **options))
    if kind != "Add" or prod(shape) * prod(updates) > MOST_ENTRIES:
        return None
    added = draft.add("MatMul", draft.reshape(node.input[2], (1, -1)), _sums(node, index, shape, updates))
    return draft.done(draft.add("Add", node.input[0], draft.reshape(added, shape)))


def _where(node: onnx.NodeProto, index: Index, shape: tuple[int, ...], updates: tuple[int, ...]) -> np.ndarray | None:
    """The numbers of the updates that are still seen after a scatter without reduction: all of them if no two fall together."""
    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    kept = [a for a in node.attribute if a.name != "reduction"]
    del plain.attribute[:]
    plain.attribute.extend(kept)
    numbers = np.arange(1, prod(updates) + 1, dtype=np.float32).reshape(updates)
    found = evaluate(plain, index, {node.input[0]: np.zeros(shape, np.float32), node.input[2]: numbers})
    return None if found is None else np.unique(found[found > 0])


def _sums(node: onnx.NodeProto, index: Index, shape: tuple[int, ...], updates: tuple[int, ...]) -> np.ndarray:
    """[updates, elements]: which update is added to which element."""
    nothing, rows = np.zeros(shape, np.float32), []
    for unit in np.eye(prod(updates), dtype=np.float32):
        found = evaluate(node, index, {node.input[0]: nothing, node.input[2]: unit.reshape(updates)})
        rows.append(np.zeros(prod(shape)) if found is None else found.reshape(-1))
    return np.array(rows)
