# SPDX-License-Identifier: MIT OR Apache-2.0
"""Split becomes Slice, and every Slice gets all of starts, ends, axes and steps, within the bounds of its tensor."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "plain_slices"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without Split, whose Slices are explicit."""
    return rewrite_each(model, NAME, _split, _explicit)


def _split(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "Split" and not node.domain else None
    sizes = [index.static_shape(name) for name in node.output]
    if shape is None or any(size is None for size in sizes):
        return None
    axis = attributes(node).get("axis", 0) % len(shape)
    nodes, constants, start = list[onnx.NodeProto](), dict[str, np.ndarray](), 0
    for name, size in zip(node.output, sizes, strict=True):
        assert size is not None
        bounds = {f"{name}/starts": start, f"{name}/ends": start + size[axis], f"{name}/axes": axis, f"{name}/steps": 1}
        constants |= {key: np.array([value], np.int64) for key, value in bounds.items()}
        nodes.append(make("Slice", (node.input[0], *bounds), (name,), node))
        start += size[axis]
    return Replacement(nodes=tuple(nodes), constants=constants)


def _explicit(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "Slice" and not node.domain else None
    given = [index.operand(node, i) for i in range(1, 5)]
    if (
        shape is None
        or given[0] is None
        or given[1] is None
        or any(len(node.input) > i and node.input[i] and given[i - 1] is None for i in (3, 4))
    ):
        return None
    axes = [int(a) % len(shape) for a in (given[2] if given[2] is not None else range(len(given[0])))]
    steps = [int(s) for s in (given[3] if given[3] is not None else [1] * len(axes))]
    ranges = [_bounds(shape[a], int(s), int(e), t) for a, s, e, t in zip(axes, given[0], given[1], steps, strict=True)]
    wanted = [[r[0] for r in ranges], [r[1] for r in ranges], axes, steps]
    if [None if g is None else g.tolist() for g in given] == wanted:
        return None
    names = [f"{node.output[0]}/{part}" for part in ("starts", "ends", "axes", "steps")]
    sliced = make("Slice", (node.input[0], *names), (node.output[0],), node)
    return Replacement(nodes=(sliced,), constants={n: np.array(v, np.int64) for n, v in zip(names, wanted, strict=True)})


def _bounds(size: int, start: int, end: int, step: int) -> tuple[int, int]:
    """Python's own rules; an end of -1 would mean the last element again, so "before the first" is a large negative number."""
    first, last, _ = slice(start, end, step).indices(size)
    return first, last if last >= 0 else -(2**31)
