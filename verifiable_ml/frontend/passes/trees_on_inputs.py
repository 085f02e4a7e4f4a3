# SPDX-License-Identifier: MIT OR Apache-2.0
"""A tree that reads features scaled one by one reads the input itself, against thresholds that split it in the same places.

Scalers, clips and comparisons with constants never reverse the order of two numbers (or always do), rounding to float32
included. So `f(x) <= t` is `x <= s` for the greatest float32 s that f brings to at most t, found by bisection over the 2^32
numbers, with the very arithmetic of the model. Splits stay exact, and the input can be taken as ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each
from verifiable_ml.frontend.trees import CANONICAL, DOMAIN, Ensemble, is_canonical, read, write

NAME = "trees_on_inputs"
Single = npt.NDArray[np.float32]
Step = Callable[[Single], Single]
BITS = np.int64(1) << 31
LARGEST = float(np.finfo(np.float32).max)
INTEGERS = frozenset({TensorProto.INT64, TensorProto.INT32, TensorProto.INT16, TensorProto.INT8, TensorProto.UINT8})


@dataclass(frozen=True)
class Column:
    """One feature: which input, which entry of its rows, what is done to it, and whether that reverses its order."""

    source: str
    place: int
    steps: tuple[Step, ...] = ()
    reverses: bool = False

    def then(self, step: Step, reverses: bool = False) -> Column:
        """With another step behind."""
        return replace(self, steps=(*self.steps, step), reverses=self.reverses != reverses)

    def value(self, x: Single) -> Single:
        """What the model makes of these numbers."""
        with np.errstate(all="ignore"):
            for step in self.steps:
                x = np.asarray(step(x), np.float32)
        return x


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose trees read inputs wherever each of their features is one entry of one input, taken monotonously."""
    return rewrite_each(model, NAME, _on_input)


def _on_input(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if not is_canonical(node) or node.input[0] in index.inputs or node.domain != DOMAIN:
        return None
    columns = _columns(node.input[0], index)
    ensemble, _ = read(node)
    split = ensemble.yes >= 0
    if columns is None or (ensemble.equal & split).any():
        return None
    used = [columns[feature] for feature in sorted({*ensemble.features[split].tolist()})] or columns[:1]
    sources = {column.source for column in used}
    shape = index.static_shape(used[0].source)
    if len(sources) != 1 or shape is None or len(shape) != 2:
        return None
    draft, source = Draft(node, index), used[0].source
    if index.element_type(source) != TensorProto.FLOAT:
        source = draft.add("Cast", source, to=TensorProto.FLOAT)
    moved = _pulled_back(ensemble, columns)
    return draft.done(draft.add(CANONICAL, source, domain=DOMAIN, **write(moved)), note=f"{CANONICAL} on {used[0].source}")


def _pulled_back(ensemble: Ensemble, columns: list[Column]) -> Ensemble:
    """The same decisions about the input: s for t, and the children swapped where the order is reversed."""
    features, found = ensemble.features.copy(), ensemble.thresholds.copy()
    swapped = np.zeros(len(features), np.bool_)
    for feature, column in enumerate(columns):
        here = (ensemble.features == feature) & (ensemble.yes >= 0)
        if here.any():
            features[here], swapped[here] = column.place, column.reverses
            found[here] = _greatest(column, ensemble.thresholds[here]) if column.steps else ensemble.thresholds[here]
    yes, no = (np.where(swapped, b, a) for a, b in ((ensemble.yes, ensemble.no), (ensemble.no, ensemble.yes)))
    return replace(ensemble, features=features, thresholds=found, yes=yes, no=no)


def _greatest(column: Column, thresholds: Single) -> Single:
    """The greatest finite x with value(x) <= t; if it reverses the order, with value(x) > t. The least number where there is
    none.
    """
    low = np.full(len(thresholds), _order(np.float32(-LARGEST)))
    high = np.full(len(thresholds), _order(np.float32(LARGEST)) + 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        below = (column.value(_number(middle)) <= thresholds) != column.reverses
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return _number(low)


def _order(x: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The place of a float32 among all of them."""
    bits = np.asarray(x, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits + BITS))


def _number(order: npt.NDArray[np.int64]) -> Single:
    return np.where(order >= 0, order, -order - BITS).astype(np.int64).astype(np.int32).view(np.float32)


def _columns(name: str, index: Index) -> list[Column] | None:
    """Of a tensor [N, F] each feature, or None if one is more than an entry of an input taken monotonously."""
    shape = index.static_shape(name)
    if shape is None or len(shape) != 2:
        return None
    if name in index.inputs:
        return [Column(name, place) for place in range(shape[1])]
    node = index.producer.get(name)
    if node is None or node.domain:
        return None
    if node.op_type == "Concat":
        parts = [_columns(each, index) for each in node.input] if attributes(node)["axis"] in (1, -1) else [None]
        return None if None in parts else [column for part in parts if part for column in part]
    columns, step = None, _step(node, index)
    source = next((each for each in node.input if index.constant(each) is None), "")
    if source and (step is not None or node.op_type == "Gather"):
        columns = _columns(source, index)
    if columns is None or step is not None:
        return None if columns is None or step is None else _after(columns, step)
    places = index.operand(node, 1)
    chosen = places is not None and places.ndim == 1 and attributes(node).get("axis", 0) in (1, -1)
    return [columns[int(place)] for place in places] if chosen and places is not None else None


Steps = Callable[[int, int], tuple[Step, bool] | None]


def _after(columns: list[Column], step: Steps) -> list[Column] | None:
    found = [step(place, len(columns)) for place in range(len(columns))]
    return None if None in found else [column.then(*each) for column, each in zip(columns, found, strict=True) if each]


def _step(node: onnx.NodeProto, index: Index) -> Steps | None:
    """What a node does to the feature at a place among so many; None if it is no such node."""
    kind = node.op_type
    if kind in ("Identity", "Cast", "Relu", "Neg"):
        return _alone(node, index)
    constants = [index.constant(name) for name in node.input]
    if len(constants) != 2 or (constants[0] is None) == (constants[1] is None):
        return None
    first = constants[0] is not None
    constant = constants[0] if first else constants[1]
    if constant is None or constant.dtype != np.float32 or constant.ndim > 2 or (constant.ndim == 2 and len(constant) > 1):
        return None

    def step(place: int, count: int) -> tuple[Step, bool] | None:
        flat = constant.reshape(-1)
        if len(flat) not in (1, count):
            return None
        return _binary(kind, np.float32(flat[place if len(flat) > 1 else 0]), first)

    return step


def _alone(node: onnx.NodeProto, index: Index) -> Steps | None:
    kinds = [index.element_type(name) for name in (node.input[0], node.output[0])]
    if node.op_type == "Neg":
        return lambda *_: (np.negative, True)
    if node.op_type == "Relu":
        return lambda *_: (lambda x: np.maximum(x, np.float32(0)), False)
    keeps = kinds[0] == kinds[1] or (kinds[1] == TensorProto.FLOAT and kinds[0] in (*INTEGERS, TensorProto.BOOL))
    return (lambda *_: (lambda x: x, False)) if keeps else None


def _binary(kind: str, c: np.float32, first: bool) -> tuple[Step, bool] | None:
    """The step x -> x kind c, or c kind x, and whether it reverses the order."""
    if kind == "Add":
        return (lambda x: x + c), False
    if kind == "Sub":
        return ((lambda x: c - x), True) if first else ((lambda x: x - c), False)
    if kind == "Mul":
        return (lambda x: x * c), bool(c < 0)
    if kind == "Div" and not first and c != 0:
        return (lambda x: x / c), bool(c < 0)
    comparisons = {"Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less, "LessOrEqual": np.less_equal}
    if kind in comparisons:
        compare, rises = comparisons[kind], kind.startswith("Greater") != first
        return ((lambda x: compare(c, x)) if first else (lambda x: compare(x, c))), not rises
    return None
