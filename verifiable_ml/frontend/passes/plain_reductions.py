# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every reduction becomes ReduceSum, ReduceMax or ArgMax, and what is done to elements before and after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_reductions"
MOST_FACTORS = 1024


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without the other reductions. Source: ONNX operator specification, ReduceL1 to ReduceSumSquare, LpPool, ArgMin."""
    return rewrite_each(model, NAME, _reduction, _stable, _global_norm, _window_norm, _least, _last_of_equals)


def _minimum(d: Draft, x: str, axes: list[int], keep: int) -> str:
    return d.add("Neg", d.add("ReduceMax", d.add("Neg", x), axes, keepdims=keep))


def _l1(d: Draft, x: str, axes: list[int], keep: int) -> str:
    return d.add("ReduceSum", d.add("Abs", x), axes, keepdims=keep)


def _squares(d: Draft, x: str, axes: list[int], keep: int) -> str:
    return d.add("ReduceSum", d.add("Mul", x, x), axes, keepdims=keep)


def _l2(d: Draft, x: str, axes: list[int], keep: int) -> str:
    return d.add("Sqrt", _squares(d, x, axes, keep))


def _log_sum(d: Draft, x: str, axes: list[int], keep: int) -> str:
    return d.add("Log", d.add("ReduceSum", x, axes, keepdims=keep))


REDUCTIONS: dict[str, Callable[[Draft, str, list[int], int], str]] = {
    "ReduceMin": _minimum,
    "ReduceL1": _l1,
    "ReduceL2": _l2,
    "ReduceSumSquare": _squares,
    "ReduceLogSum": _log_sum,
}


def _reduction(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type.startswith("Reduce") and not node.domain else None
    if shape is None or index.element_type(node.input[0]) != onnx.TensorProto.FLOAT:
        return None
    axes = _axes(node, index, len(shape))
    keep, draft = int(attributes(node).get("keepdims", 1)), Draft(node, index)
    if axes is None:
        return None
    if node.op_type in REDUCTIONS:
        return draft.done(REDUCTIONS[node.op_type](draft, node.input[0], axes, keep))
    if node.op_type == "ReduceLogSumExp":
        return draft.done(draft.reshape(_log_sum_exp(draft, node.input[0], axes), _kept(shape, axes, keep)))
    factors = int(np.prod([shape[axis] for axis in axes], dtype=np.int64))
    if node.op_type != "ReduceProd" or factors > MOST_FACTORS:
        return None
    others = [axis for axis in range(len(shape)) if axis not in axes]
    first = draft.transpose(node.input[0], [*axes, *others])
    rows = draft.reshape(first, (factors, *(shape[axis] for axis in others)))
    return draft.done(draft.reshape(_product(draft, rows, factors), _kept(shape, axes, keep)))


def _stable(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """log(sum exp x) written out: the greatest is taken away first, so that integers can hold the exponentials."""
    total = index.producer.get(node.input[0]) if node.op_type == "Log" and not node.domain else None
    exponential = index.producer.get(total.input[0]) if total is not None and total.op_type == "ReduceSum" else None
    if total is None or exponential is None or exponential.op_type != "Exp":
        return None
    below = index.producer.get(exponential.input[0])
    greatest = index.producer.get(below.input[1]) if below is not None and below.op_type == "Sub" else None
    shape = index.static_shape(exponential.input[0])
    axes = _axes(total, index, len(shape or ()))
    if shape is None or not axes or (greatest is not None and greatest.op_type == "ReduceMax"):
        return None
    draft, keep = Draft(node, index), int(attributes(total).get("keepdims", 1))
    return draft.done(draft.reshape(_log_sum_exp(draft, exponential.input[0], axes), _kept(shape, axes, keep)))


def _log_sum_exp(draft: Draft, x: str, axes: list[int]) -> str:
    """log(sum exp x), dimensions kept, the greatest taken away first so that no exponential overflows."""
    greatest = draft.add("ReduceMax", x, axes, keepdims=1)
    total = draft.add("ReduceSum", draft.add("Exp", draft.add("Sub", x, greatest)), axes, keepdims=1)
    return draft.add("Add", greatest, draft.add("Log", total))


def _axes(node: onnx.NodeProto, index: Index, rank: int) -> list[int] | None:
    """Sorted and not negative; None where they are not known, or where there is nothing to reduce."""
    given = index.operand(node, 1)
    if len(node.input) > 1 and node.input[1] and given is None:
        return None
    if given is None or not given.size:
        return (
            None
            if attributes(node).get("noop_with_empty_axes", 0) and node.op_type not in REDUCTIONS
            else ([] if attributes(node).get("noop_with_empty_axes", 0) else list(range(rank)))
        )
    return sorted(int(axis) % rank for axis in given.reshape(-1))


def _kept(shape: tuple[int, ...], axes: list[int], keep: int) -> list[int]:
    return [1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes]


def _product(draft: Draft, rows: str, count: int) -> str:
    """By halves: log2(count) products in a row."""
    while count > 1:
        half = count // 2
        left, right = (draft.add("Slice", rows, [start], [start + half], [0], [1]) for start in (0, half))
        product = draft.add("Mul", left, right)
        if count % 2:
            product = draft.add("Concat", product, draft.add("Slice", rows, [count - 1], [count], [0], [1]), axis=0)
        rows, count = product, half + count % 2
    return rows


def _powered(draft: Draft, x: str, power: float) -> str:
    if power == 2:
        return draft.add("Mul", x, x)
    return draft.add("Abs", x) if power == 1 else draft.add("Pow", draft.add("Abs", x), float(power))


def _rooted(draft: Draft, x: str, power: float) -> str:
    if power == 2:
        return draft.add("Sqrt", x)
    return x if power == 1 else draft.add("Pow", x, 1 / power)


def _global_norm(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type == "GlobalLpPool" and not node.domain else None
    if shape is None:
        return None
    power, draft = float(attributes(node).get("p", 2)), Draft(node, index)
    total = draft.add("ReduceSum", _powered(draft, node.input[0], power), list(range(2, len(shape))), keepdims=1)
    return draft.done(_rooted(draft, total, power))


def _window_norm(node: onnx.NodeProto, index: Index) -> Replacement | None:
    options = attributes(node)
    if node.op_type != "LpPool" or node.domain or options.get("ceil_mode", 0):
        return None
    power, draft = float(options.pop("p", 2)), Draft(node, index)
    taps = float(np.prod(options["kernel_shape"]))
    mean = draft.add("AveragePool", _powered(draft, node.input[0], power), **options, count_include_pad=1)
    return draft.done(_rooted(draft, draft.add("Mul", mean, taps), power))


def _least(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type != "ArgMin" or node.domain or index.element_type(node.input[0]) != onnx.TensorProto.FLOAT:
        return None
    draft = Draft(node, index)
    return draft.done(draft.add("ArgMax", draft.add("Neg", node.input[0]), **attributes(node)))


def _last_of_equals(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The last maximum is the first one of the axis backwards."""
    options = attributes(node)
    shape = index.static_shape(node.input[0]) if node.op_type == "ArgMax" and options.get("select_last_index", 0) else None
    if shape is None:
        return None
    axis, draft = int(options.get("axis", 0)) % len(shape), Draft(node, index)
    backwards = draft.add("Gather", node.input[0], list(range(shape[axis]))[::-1], axis=axis)
    first = draft.add("ArgMax", backwards, axis=axis, keepdims=int(options.get("keepdims", 1)))
    return draft.done(draft.add("Sub", np.array(shape[axis] - 1, np.int64), first))
