# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every tree ensemble becomes the one canonical TreeEnsembleRegressor, and standard operators for what follows the sums.

Its splits are `x <= t` or `x == t`, its targets are sums or means over the trees. Classifiers decide by an ArgMax over two or
more such sums, so that nothing is rounded before a decision. Source: ONNX operator specification, domain ai.onnx.ml, versions 1,
3 and 5; where it is silent, what onnxruntime does (core/providers/cpu/ml/tree_ensemble_aggregator.h).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, rewrite_each
from verifiable_ml.frontend.scores import TRANSFORMS, label, pair, transformed
from verifiable_ml.frontend.trees import CANONICAL, DOMAIN, TRANSFORMS_V5, Ensemble, is_canonical, read, write

NAME = "plain_trees"
VERSION = 3
"""Of the domain: the canonical operator is deprecated in version 5."""


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose only trees are canonical, with the shapes of their outputs written down."""
    model, log = rewrite_each(model, NAME, _classifier, _regressor)
    for node in model.graph.node:
        if is_canonical(node):
            _declare(model, node)
    if all(is_canonical(node) for node in model.graph.node if node.domain == DOMAIN):
        for entry in model.opset_import:
            if entry.domain == DOMAIN:
                entry.version = min(entry.version, VERSION)
    return model, log


def _declare(model: onnx.ModelProto, node: onnx.NodeProto) -> None:
    """Write down its shape, which onnx does not infer."""
    shape = Index(model).static_shape(node.input[0])
    values = {value.name: value for value in (*model.graph.value_info, *model.graph.output)}
    if shape is None or len(shape) != 2:
        return
    value = values[node.output[0]] if node.output[0] in values else model.graph.value_info.add()
    targets = next(attribute.i for attribute in node.attribute if attribute.name == "n_targets")
    value.CopyFrom(helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, [shape[0], targets]))


def _read(node: onnx.NodeProto, index: Index, *kinds: str) -> tuple[Ensemble, Mapping[str, Any]] | None:
    if node.domain != DOMAIN or node.op_type not in kinds or is_canonical(node):
        return None
    shape = index.static_shape(node.input[0])
    try:
        ensemble, options = read(node)
    except (ValueError, KeyError, IndexError, TypeError):
        return None  # refused by name, with what is left of the model
    fits = shape is not None and len(shape) == 2 and ensemble.features.max() < shape[1]
    return (ensemble, options) if fits else None


def _sums(draft: Draft, x: str, index: Index, ensemble: Ensemble) -> str:
    """The canonical node, on numbers of single precision."""
    if index.element_type(x) != TensorProto.FLOAT:
        x = draft.add("Cast", x, to=TensorProto.FLOAT)
    return draft.add(CANONICAL, x, domain=DOMAIN, **write(ensemble))


def _regressor(node: onnx.NodeProto, index: Index) -> Replacement | None:
    found = _read(node, index, "TreeEnsembleRegressor", "TreeEnsemble")
    if found is None:
        return None
    ensemble, options = found
    kind = options.get("post_transform", "NONE")
    kind = TRANSFORMS_V5[int(kind)] if isinstance(kind, int) else kind
    if kind not in TRANSFORMS or len(ensemble.base) not in (0, ensemble.targets):
        return None
    draft = Draft(node, index)
    if ensemble.aggregate in ("MIN", "MAX"):
        sums = _extreme(draft, node.input[0], index, ensemble)
        if sums is None:
            return None
    else:
        sums = _sums(draft, node.input[0], index, ensemble)
    return draft.done(transformed(draft, sums, kind))


def _extreme(draft: Draft, x: str, index: Index, ensemble: Ensemble) -> str | None:
    """Each tree's own targets, then the least or greatest over the trees; every leaf must name every target."""
    tree, shape = ensemble.tree_of(), index.static_shape(x)
    ends = np.flatnonzero(ensemble.yes < 0)
    if shape is None or len({*map(tuple, ensemble.leaves.tolist())}) != len(ends) * ensemble.targets != len(ensemble.weights):
        return None
    sign = -1 if ensemble.aggregate == "MIN" else 1
    apart = np.stack([ensemble.leaves[:, 0], tree[ensemble.leaves[:, 0]] + len(ensemble.roots) * ensemble.leaves[:, 1]], axis=1)
    count = len(ensemble.roots) * ensemble.targets
    alone = ensemble.with_targets(apart, (sign * ensemble.weights).astype(np.float32), count, np.zeros(0, np.float32))
    sums = _sums(draft, x, index, replace(alone, aggregate="SUM"))
    rows = draft.reshape(sums, (shape[0], ensemble.targets, len(ensemble.roots)))
    most = draft.add("ReduceMax", rows, [2], keepdims=0)
    most = draft.add("Neg", most) if sign < 0 else most
    return draft.add("Add", most, ensemble.base.astype(np.float64)) if ensemble.base.size else most


def _classifier(node: onnx.NodeProto, index: Index) -> Replacement | None:
    found = _read(node, index, "TreeEnsembleClassifier")
    kind = found[1].get("post_transform", "NONE") if found else ""
    if found is None or kind not in TRANSFORMS:
        return None
    ensemble, options = found
    draft, named = Draft(node, index), [*node.output, ""][:2]
    labels = options.get("classlabels_int64s", ())
    finish = _several if ensemble.targets > 2 else _two if ensemble.targets == 2 else _one
    results = finish(draft, node.input[0], index, ensemble, list(labels), kind)
    return None if results is None else draft.done(*(each for each, name in zip(results, named, strict=True) if name))


def _several(draft: Draft, x: str, index: Index, ensemble: Ensemble, labels: list[int], kind: str) -> tuple[str, str] | None:
    """The greatest of the classes' sums. A class that no leaf on the way names would not take part: refused where that can be."""
    tree = ensemble.tree_of()
    ends = np.bincount(tree[ensemble.yes < 0], minlength=len(ensemble.roots))
    pairs = {*map(tuple, np.stack([tree[ensemble.leaves[:, 0]], ensemble.leaves[:, 1], ensemble.leaves[:, 0]], axis=1).tolist())}
    named = np.zeros((len(ensemble.roots), ensemble.targets), np.int64)
    np.add.at(named, tuple(np.array([pair_[:2] for pair_ in pairs]).T), 1)
    always = (named == ends[:, None]).any(axis=0).all()
    if len(ensemble.base) not in (0, ensemble.targets) or not (always or ensemble.base.size or (ensemble.weights >= 0).all()):
        return None
    sums = _sums(draft, x, index, ensemble)
    return label(draft, sums, labels), transformed(draft, sums, kind)


def _two(draft: Draft, x: str, index: Index, ensemble: Ensemble, labels: list[int], kind: str) -> tuple[str, str] | None:
    """One class named: its sum against 1/2 or 0. Both named: onnxruntime answers 1 or 0 by the sign of the second."""
    classes = {*ensemble.leaves[:, 1].tolist()}
    if len(classes) == 2:
        return _both(draft, x, index, ensemble, kind)
    positive, first = bool((ensemble.weights >= 0).all()), classes == {0}
    if len(ensemble.base) > (1 if first else 0):
        return None
    decided = _opposed(ensemble, _bound(ensemble) if positive else 0.0)
    sums = _sums(draft, x, index, decided)
    found, score = label(draft, sums, labels), draft.add("Slice", sums, [1], [2], [1], [1])
    if not first:
        rows = (index.static_shape(x) or (1,))[0]
        scores = draft.add("Concat", np.zeros((rows, 1)), score, axis=1)
        return found, transformed(draft, scores, kind)
    if kind == "LOGISTIC":
        return found, draft.add("Sigmoid", pair(draft, score, 0.0))
    return found, sums if not positive or decided.base[0] == 1 - decided.base[1] else pair(draft, score, 1.0)


def _both(draft: Draft, x: str, index: Index, ensemble: Ensemble, kind: str) -> tuple[str, str] | None:
    if ensemble.base.size:
        return None
    sums = _sums(draft, x, index, ensemble)
    second = ensemble.leaves[:, 1] == 1
    leaves = np.stack([ensemble.leaves[second, 0], np.ones(second.sum(), np.int64)], axis=1)
    sign = _sums(draft, x, index, ensemble.with_targets(leaves, ensemble.weights[second], 2, np.zeros(0, np.float32)))
    return label(draft, sign, [0, 1]), transformed(draft, sums, kind)


def _opposed(ensemble: Ensemble, bound: float) -> Ensemble:
    """Targets [2 bound - s, s] of the one sum s: the second is the greater exactly if s > bound."""
    owners = ensemble.leaves[:, 0]
    leaves = np.stack([np.concatenate([owners, owners]), np.repeat([0, 1], len(owners))], axis=1)
    start = float(ensemble.base[0]) if ensemble.base.size else 0.0
    base = np.array([2 * bound - start, start], np.float32)
    return ensemble.with_targets(leaves, np.concatenate([-ensemble.weights, ensemble.weights]), 2, base)


def _bound(ensemble: Ensemble) -> float:
    """1/2; of equal votes halfway between the two numbers of them whose sums in float32 lie on either side of 1/2."""
    votes = np.unique(ensemble.weights[ensemble.weights > 0])
    if len(votes) != 1 or ensemble.base.size:
        return 0.5
    sums = np.cumsum(np.full(len(ensemble.roots), votes[0], np.float32), dtype=np.float32)
    return (int(np.searchsorted(sums, np.float32(0.5), side="right")) + 0.5) * float(votes[0])


def _one(draft: Draft, x: str, index: Index, ensemble: Ensemble, labels: list[int], kind: str) -> tuple[str, str] | None:
    """A single class: 1 where its sum is positive, else 0; its score is the sum, whatever the transform."""
    sums = _sums(draft, x, index, _opposed(ensemble, 0.0))
    return label(draft, sums, [0, 1]), draft.add("Slice", sums, [1], [2], [1], [1])
