# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tree ensembles as data: read from the three operators of ai.onnx.ml, written as the one that quantize/ lowers.

In: a node TreeEnsembleClassifier, TreeEnsembleRegressor (versions 1 and 3) or TreeEnsemble (version 5). Out: Ensemble, whose
splits are all `x <= threshold` or `x == threshold` in float32. Source: ONNX operator specification, domain ai.onnx.ml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from verifiable_ml.frontend.graph import attributes

DOMAIN = "ai.onnx.ml"
CANONICAL = "TreeEnsembleRegressor"
MODES_V5 = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
AGGREGATES_V5 = ("AVERAGE", "SUM", "MIN", "MAX")
TRANSFORMS_V5 = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")
SWAPPED = {"BRANCH_GTE": "BRANCH_LT", "BRANCH_GT": "BRANCH_LEQ", "BRANCH_NEQ": "BRANCH_EQ"}
MOST_NODES = 1 << 22

IntArray = npt.NDArray[np.int64]
SingleArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Nodes by place: a split has a feature, a threshold, a mode (True: equality, False: at most) and the places of its two
    children; a leaf has children -1. Each tree has the place of its root. `leaves`: rows of (place, target), `weights` one a
    row.
    """

    features: IntArray
    thresholds: SingleArray
    equal: npt.NDArray[np.bool_]
    yes: IntArray
    no: IntArray
    roots: IntArray
    leaves: IntArray
    weights: SingleArray
    targets: int
    base: SingleArray
    aggregate: str = "SUM"

    def with_targets(self, leaves: IntArray, weights: SingleArray, targets: int, base: SingleArray) -> Ensemble:
        """The same splits with other sums at the leaves."""
        return replace(self, leaves=leaves, weights=weights, targets=targets, base=base)

    def tree_of(self) -> IntArray:
        """For each node the number of its tree, -1 for one that hangs on none. Raises ValueError for what is no forest."""
        tree = np.full(len(self.features), -1, np.int64)
        tree[self.roots] = np.arange(len(self.roots))
        waiting = list(map(int, self.roots))
        while waiting:
            place = waiting.pop()
            for child in (int(self.yes[place]), int(self.no[place])):
                if child >= 0:
                    if tree[child] >= 0:
                        raise ValueError("a node hangs on two others")
                    tree[child] = tree[place]
                    waiting.append(child)
        return tree


def below(threshold: npt.ArrayLike) -> SingleArray:
    """The next float32 below each: x is less than t exactly if it is at most that."""
    with np.errstate(over="ignore"):
        return np.asarray(np.nextafter(np.asarray(threshold, np.float32), np.float32(-np.inf)), np.float32)


def is_canonical(node: onnx.NodeProto) -> bool:
    """Whether a node is in the form that `write` gives."""
    options = attributes(node) if node.domain == DOMAIN and node.op_type == CANONICAL else {}
    plain = options.get("post_transform", "NONE") == "NONE" and options.get("aggregate_function", "SUM") in ("SUM", "AVERAGE")
    modes = {mode.decode() if isinstance(mode, bytes) else mode for mode in options.get("nodes_modes", ["BRANCH_MEMBER"])}
    arrays = not any(name.endswith("_as_tensor") for name in options)
    return plain and arrays and modes <= {"LEAF", "BRANCH_LEQ", "BRANCH_EQ"}


def read(node: onnx.NodeProto) -> tuple[Ensemble, Mapping[str, Any]]:
    """The ensemble of a node, and its attributes. Raises ValueError for one that makes no forest."""
    options = attributes(node)
    ensemble = _version_5(options) if node.op_type == "TreeEnsemble" else _by_ids(node.op_type, options)
    ensemble = _reached(ensemble)
    _check(ensemble)
    return ensemble, options


def write(ensemble: Ensemble, tree: IntArray | None = None) -> dict[str, Any]:
    """The attributes of the canonical TreeEnsembleRegressor."""
    tree = ensemble.tree_of() if tree is None else tree
    order = np.argsort(tree, kind="stable")  # onnxruntime wants the nodes of a tree together
    number = _numbers(ensemble, tree, order)
    split = ensemble.yes >= 0
    modes = np.where(split, np.where(ensemble.equal, "BRANCH_EQ", "BRANCH_LEQ"), "LEAF")
    children = [np.where(split, number[np.maximum(side, 0)], 0)[order].tolist() for side in (ensemble.yes, ensemble.no)]
    return {
        "nodes_treeids": tree[order].tolist(),
        "nodes_nodeids": number[order].tolist(),
        "nodes_featureids": np.where(split, ensemble.features, 0)[order].tolist(),
        "nodes_values": ensemble.thresholds[order].tolist(),
        "nodes_modes": modes[order].tolist(),
        "nodes_truenodeids": children[0],
        "nodes_falsenodeids": children[1],
        "target_treeids": tree[ensemble.leaves[:, 0]].tolist(),
        "target_nodeids": number[ensemble.leaves[:, 0]].tolist(),
        "target_ids": ensemble.leaves[:, 1].tolist(),
        "target_weights": ensemble.weights.tolist(),
        "n_targets": ensemble.targets,
        "aggregate_function": ensemble.aggregate,
        **({"base_values": ensemble.base.tolist()} if ensemble.base.size else {}),
    }


def _numbers(ensemble: Ensemble, tree: IntArray, order: IntArray) -> IntArray:
    """Of each node in its tree, from 0."""
    number = np.empty(len(tree), np.int64)
    starts = np.searchsorted(tree[order], tree[order], side="left")
    number[order] = np.arange(len(order)) - starts
    return number


def _array(options: Mapping[str, Any], name: str, dtype: Any, count: int | None = None, fill: float = 0) -> Any:
    """An attribute as an array: a list, a tensor, or `fill` where it is absent."""
    value = options.get(name)
    if value is None:
        value = options.get(f"{name}_as_tensor")
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    if value is None or (len(value) == 0 and count):
        value = np.full(count or 0, fill)
    found = np.asarray(value).astype(dtype).reshape(-1)
    if count is not None and len(found) != count:
        raise ValueError(f"{name} has {len(found)} entries, {count} are needed")
    return found


def _by_ids(kind: str, options: Mapping[str, Any]) -> Ensemble:
    prefix, targets = ("class", 0) if kind == "TreeEnsembleClassifier" else ("target", int(options.get("n_targets", 1)))
    if prefix == "class":
        targets = max(len(options.get("classlabels_int64s", ())), len(options.get("classlabels_strings", ())))
    trees, nodes = _array(options, "nodes_treeids", np.int64), _array(options, "nodes_nodeids", np.int64)
    count = len(trees)
    place = {key: number for number, key in enumerate(zip(trees.tolist(), nodes.tolist(), strict=True))}
    if len(place) != count or not count:
        raise ValueError("its nodes are numbered twice, or there are none")
    modes = [mode.decode() if isinstance(mode, bytes) else str(mode) for mode in options.get("nodes_modes", ())]
    split = np.array([mode != "LEAF" for mode in modes], np.bool_)
    children = [
        np.array([place[t, c] if s else -1 for t, c, s in zip(trees.tolist(), ids, split, strict=True)], np.int64)
        for ids in (_array(options, f"nodes_{side}nodeids", np.int64, count).tolist() for side in ("true", "false"))
    ]
    rows = [_array(options, f"{prefix}_{part}", np.int64) for part in ("treeids", "nodeids", "ids")]
    owners = np.array([place[key] for key in zip(rows[0].tolist(), rows[1].tolist(), strict=True)], np.int64)
    weights = _array(options, f"{prefix}_weights", np.float32, len(owners))
    order = np.unique(trees, return_index=True)[1]
    ensemble = Ensemble(
        _array(options, "nodes_featureids", np.int64, count), _array(options, "nodes_values", np.float32, count),
        np.zeros(count, np.bool_), children[0], children[1], np.zeros(len(order), np.int64),
        np.stack([owners, rows[2]], axis=1), weights, targets,
        _array(options, "base_values", np.float32), str(options.get("aggregate_function", "SUM")),
    )  # fmt: skip
    return _plain(replace(ensemble, roots=_roots(ensemble, trees)), modes)


def _roots(ensemble: Ensemble, trees: IntArray) -> IntArray:
    """The one node of each tree that is nobody's child, trees in the order in which they first appear."""
    child = np.zeros(len(trees), np.bool_)
    child[ensemble.yes[ensemble.yes >= 0]] = child[ensemble.no[ensemble.no >= 0]] = True
    roots = np.flatnonzero(~child)
    if len(np.unique(trees[roots])) != len(roots) or len(roots) != len(np.unique(trees)):
        raise ValueError("a tree has no root, or several")
    return roots


def _version_5(options: Mapping[str, Any]) -> Ensemble:
    """Splits and leaves are numbered apart; a leaf becomes the node behind all splits."""
    features = _array(options, "nodes_featureids", np.int64)
    count = len(features)
    modes = [MODES_V5[int(mode)] for mode in _array(options, "nodes_modes", np.int64, count)]
    ends = [_array(options, f"nodes_{side}leafs", np.bool_, count) for side in ("true", "false")]
    ids = [_array(options, f"nodes_{side}nodeids", np.int64, count) for side in ("true", "false")]
    targets = _array(options, "leaf_targetids", np.int64)
    weights = _array(options, "leaf_weights", np.float32, len(targets))
    children = [np.where(end, count + number, number) for end, number in zip(ends, ids, strict=True)]
    leaf = np.full(len(targets), -1, np.int64)
    roots = _array(options, "tree_roots", np.int64).tolist()
    alone = [count + int(ids[0][root]) if _is_leaf(root, ids, ends) else root for root in roots]
    ensemble = Ensemble(
        np.append(features, leaf), np.append(_array(options, "nodes_splits", np.float32, count), np.zeros(len(leaf), np.float32)),
        np.zeros(count + len(leaf), np.bool_), np.append(children[0], leaf), np.append(children[1], leaf),
        np.array(alone, np.int64), np.stack([count + np.arange(len(leaf)), targets], axis=1), weights,
        int(options.get("n_targets", 1)), np.zeros(0, np.float32), AGGREGATES_V5[int(options.get("aggregate_function", 1))],
    )  # fmt: skip
    members = _array(options, "membership_values", np.float32)
    ensemble, modes = _members(ensemble, [*modes, *["LEAF"] * len(leaf)], members)
    return _plain(ensemble, modes)


def _is_leaf(root: int, ids: Sequence[IntArray], ends: Sequence[Any]) -> bool:
    """A tree of one leaf is written as a split whose two children are that leaf."""
    return bool(ends[0][root] and ends[1][root] and ids[0][root] == ids[1][root])


def _members(ensemble: Ensemble, modes: list[str], values: SingleArray) -> tuple[Ensemble, list[str]]:
    """A membership in a set becomes a chain of equalities, each with a true child of its own. Sets are divided by NaN, in the
    order of the splits.
    """
    places, ends = np.flatnonzero(np.array(modes) == "BRANCH_MEMBER").tolist(), np.flatnonzero(np.isnan(values))
    sets = [part[~np.isnan(part)] for part in np.split(values, ends)][: len(places)]
    if len(sets) < len(places) or not all(map(len, sets)):
        raise ValueError("it has not one set of members a split by membership")
    modes, members_of = ["BRANCH_EQ" if mode == "BRANCH_MEMBER" else mode for mode in modes], dict(zip(places, sets, strict=True))
    for place in [place for place in _below(ensemble, ensemble.roots.tolist())[::-1] if place in members_of]:
        members = members_of[place]
        for member in members[1:].tolist():
            ensemble, copied = _with_copy(ensemble, int(ensemble.yes[place]))
            modes += [modes[each] for each in copied] + ["BRANCH_EQ"]
            ensemble = _before_false_child(ensemble, place, member, len(ensemble.features) - len(copied))
        ensemble.thresholds[place] = members[0]
    return ensemble, modes


def _below(ensemble: Ensemble, waiting: list[int]) -> list[int]:
    """These nodes and all that hang on them, a node before its children. Raises ValueError for what is no forest."""
    found = list[int]()
    while waiting:
        found.append(waiting.pop())
        waiting.extend(child for child in (int(ensemble.yes[found[-1]]), int(ensemble.no[found[-1]])) if child >= 0)
        if len(found) > len(ensemble.features):
            raise ValueError("a node hangs on two others")
    return found


def _with_copy(ensemble: Ensemble, root: int) -> tuple[Ensemble, list[int]]:
    """The tree below a node once more, behind all nodes: the places of what was copied, the root first."""
    below = _below(ensemble, [root])
    count, place = len(ensemble.features), {old: number for number, old in enumerate(below)}
    if count + len(below) > MOST_NODES:
        raise ValueError("its splits by membership make too many nodes")

    def moved(children: IntArray) -> IntArray:
        return np.append(children, [count + place[child] if child >= 0 else -1 for child in children[below].tolist()])

    rows = np.flatnonzero(np.isin(ensemble.leaves[:, 0], below))
    copied = ensemble.leaves[rows].copy()
    copied[:, 0] = [count + place[owner] for owner in copied[:, 0].tolist()]
    made = replace(
        ensemble,
        features=np.append(ensemble.features, ensemble.features[below]),
        thresholds=np.concatenate([ensemble.thresholds, ensemble.thresholds[below]]),
        equal=np.concatenate([ensemble.equal, ensemble.equal[below]]),
        yes=moved(ensemble.yes),
        no=moved(ensemble.no),
        leaves=np.concatenate([ensemble.leaves, copied]),
        weights=np.append(ensemble.weights, ensemble.weights[rows]),
    )
    return made, below


def _before_false_child(ensemble: Ensemble, place: int, threshold: float, yes: int) -> Ensemble:
    """One more equality of the same feature between a split and its false child, behind all nodes."""
    no = np.append(ensemble.no, ensemble.no[place])
    no[place] = len(ensemble.features)
    return replace(
        ensemble,
        features=np.append(ensemble.features, ensemble.features[place]),
        thresholds=np.concatenate([ensemble.thresholds, np.array([threshold], np.float32)]),
        equal=np.concatenate([ensemble.equal, [False]]),
        yes=np.append(ensemble.yes, yes),
        no=no,
    )


def _plain(ensemble: Ensemble, modes: Sequence[str]) -> Ensemble:
    """Modes brought to `<=` and `==`: strict ones by the next number below, others by swapping the children."""
    kinds = np.array(modes)
    unknown = set(modes) - {"LEAF", *MODES_V5[:6]}
    if np.isnan(ensemble.thresholds[kinds != "LEAF"]).any():
        raise ValueError("it compares with NaN")
    if unknown or len(kinds) != len(ensemble.features):
        raise ValueError(f"modes {sorted(unknown)} are not known, or not one a node")
    swapped = np.isin(kinds, list(SWAPPED))
    for mode, other in SWAPPED.items():
        kinds = np.where(kinds == mode, other, kinds)
    return replace(
        ensemble,
        thresholds=np.where(kinds == "BRANCH_LT", below(ensemble.thresholds), ensemble.thresholds).astype(np.float32),
        equal=kinds == "BRANCH_EQ",
        yes=np.where(swapped, ensemble.no, ensemble.yes),
        no=np.where(swapped, ensemble.yes, ensemble.no),
    )


def _reached(ensemble: Ensemble) -> Ensemble:
    """Without nodes that hang on no tree."""
    kept = ensemble.tree_of() >= 0
    if kept.all():
        return ensemble
    place = np.where(kept, np.cumsum(kept) - 1, -1)
    sides = [np.where(side[kept] >= 0, place[side[kept]], -1) for side in (ensemble.yes, ensemble.no)]
    rows = kept[ensemble.leaves[:, 0]]
    leaves = np.stack([place[ensemble.leaves[rows, 0]], ensemble.leaves[rows, 1]], axis=1)
    return replace(
        ensemble, features=ensemble.features[kept], thresholds=ensemble.thresholds[kept], equal=ensemble.equal[kept],
        yes=sides[0], no=sides[1], roots=place[ensemble.roots], leaves=leaves, weights=ensemble.weights[rows],
    )  # fmt: skip


def _check(ensemble: Ensemble) -> None:
    """Numbers are finite, leaves alone carry weights, and there are not too many nodes."""
    split = ensemble.yes >= 0
    finite = np.isfinite(ensemble.thresholds[split]).all() and np.isfinite(ensemble.weights).all()
    inside = ensemble.features[split].min(initial=0) >= 0 and ensemble.targets >= 1 and ensemble.leaves.size > 0
    if not (finite and inside and 0 <= ensemble.leaves[:, 1].min() <= ensemble.leaves[:, 1].max() < ensemble.targets):
        raise ValueError("its numbers are not finite, or its leaves name no target")
    if split[ensemble.leaves[:, 0]].any() or len(split) > MOST_NODES:
        raise ValueError(f"a split carries a weight, or there are more than {MOST_NODES} nodes")


def thresholds(ensembles: Sequence[Ensemble], features: int) -> tuple[tuple[float, ...], ...]:
    """For each feature every number that one of the ensembles compares it with, rising."""
    rows: list[set[float]] = [set() for _ in range(features)]
    for each in ensembles:
        split = each.yes >= 0
        for feature, threshold, equal in zip(each.features[split], each.thresholds[split], each.equal[split], strict=True):
            rows[feature].add(float(threshold) + 0.0)
            if equal:
                rows[feature].add(float(below(threshold)) + 0.0)
    return tuple(tuple(sorted(row)) for row in rows)
