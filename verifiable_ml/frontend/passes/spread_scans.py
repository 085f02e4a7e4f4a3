# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Scan whose steps do not depend on each other, as exporters write distances to many rows, becomes its body over all rows at
once.

Every tensor of the body gets an axis in front, of as many entries as there are steps, or of one where a step changes nothing. A
Scan always ends, after as many steps as its inputs have rows. Source: ONNX Scan-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import onnx
from onnx import numpy_helper

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "spread_scans"
ALONE = frozenset({"Identity", "Neg", "Abs", "Sqrt", "Exp"})
PAIRS = frozenset({"Add", "Sub", "Mul", "Div", "Pow"})
REDUCED = frozenset({"ReduceSum", "ReduceSumSquare", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2"})
MOST_ELEMENTS = 1 << 24


@dataclass(frozen=True)
class Spread:
    """A tensor of the body outside of it: [steps or 1, *shape]."""

    name: str
    steps: int
    shape: tuple[int, ...]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without a Scan whose steps are alone."""
    return rewrite_each(model, NAME, _scan)


def _scan(node: onnx.NodeProto, index: Index) -> Replacement | None:
    options = attributes(node) if node.op_type == "Scan" and not node.domain else {}
    body, count = options.get("body"), options.get("num_scan_inputs", 0)
    if body is None or any(any(options.get(name, ())) for name in options if name.startswith("scan_")):
        return None  # along another axis than the first, or backwards
    states, draft = len(node.input) - count, Draft(node, index)
    values = _inputs(draft, node, index, body, states)
    kept = [_is_handed_on(body, place) for place in range(states)]
    if values is None or not all(kept):
        return None
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in body.initializer}
    for inner in body.node:
        made = _lifted(draft, inner, values, constants, index)
        if made is None or prod((made.steps, *made.shape)) > MOST_ELEMENTS:
            return None
        values[inner.output[0]] = made
    outputs = [values.get(output.name) for output in body.output[states:]]
    if any(output is None or output.steps == 1 for output in outputs):
        return None
    results = [*node.input[:states], *(output.name for output in outputs if output)]
    named = [result for result, name in zip(results, node.output, strict=True) if name]
    return draft.done(*named, note="its body over all rows at once")


def _inputs(draft: Draft, node: onnx.NodeProto, index: Index, body: onnx.GraphProto, states: int) -> dict[str, Spread] | None:
    values = {}
    for place, (given, name) in enumerate(zip(body.input, node.input, strict=True)):
        shape = index.static_shape(name)
        if shape is None or (place >= states and not shape):
            return None
        if place < states:
            values[given.name] = Spread(draft.reshape(name, (1, *shape)), 1, shape)
        else:
            values[given.name] = Spread(name, shape[0], shape[1:])
    return values


def _is_handed_on(body: onnx.GraphProto, place: int) -> bool:
    """Whether a state is after a step what it was before."""
    makers = {inner.output[0]: inner for inner in body.node}
    name = body.output[place].name
    while name in makers and makers[name].op_type == "Identity":
        name = makers[name].input[0]
    return bool(name == body.input[place].name)


def _lifted(
    draft: Draft, inner: onnx.NodeProto, values: Mapping[str, Spread], constants: Mapping[str, np.ndarray], index: Index
) -> Spread | None:
    operands = [values.get(name, _constant(name, constants, index)) for name in inner.input]
    first = operands[0] if operands else None
    if inner.domain or None in operands:
        return None
    if inner.op_type in ALONE and isinstance(first, Spread):
        return Spread(draft.add(inner.op_type, first.name), first.steps, first.shape)
    if inner.op_type in PAIRS and len(operands) == 2:
        return _pair(draft, inner.op_type, [each for each in operands if each is not None])
    if inner.op_type in REDUCED and isinstance(first, Spread):
        return _reduced(draft, inner, first, operands[1] if len(operands) > 1 else None)
    return None


def _constant(name: str, constants: Mapping[str, np.ndarray], index: Index) -> np.ndarray | None:
    return constants[name] if name in constants else index.constant(name)


def _pair(draft: Draft, kind: str, operands: list[Spread | np.ndarray]) -> Spread:
    """Both brought to one rank, so that the axis in front stays in front."""
    rank = max(len(each.shape) for each in operands)
    names: list[str | np.ndarray] = []
    for each in operands:
        if isinstance(each, Spread):
            padded = (each.steps, *[1] * (rank - len(each.shape)), *each.shape)
            names.append(each.name if len(each.shape) == rank else draft.reshape(each.name, padded))
        else:
            names.append(each)
    steps = max(each.steps for each in operands if isinstance(each, Spread)) if operands else 1
    return Spread(draft.add(kind, *names), steps, np.broadcast_shapes(*(each.shape for each in operands)))


def _reduced(draft: Draft, inner: onnx.NodeProto, x: Spread, named: Spread | np.ndarray | None) -> Spread | None:
    options, rank = attributes(inner), len(x.shape)
    given = named.reshape(-1).tolist() if isinstance(named, np.ndarray) else options.get("axes") or list(range(rank))
    axes, keeps = sorted(int(axis) % rank for axis in given), int(options.get("keepdims", 1))
    shape = tuple(1 if a in axes else size for a, size in enumerate(x.shape) if keeps or a not in axes)
    return Spread(draft.add(inner.op_type, x.name, [axis + 1 for axis in axes], keepdims=keeps), x.steps, shape)
