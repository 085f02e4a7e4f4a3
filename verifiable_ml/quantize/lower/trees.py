# SPDX-License-Identifier: MIT OR Apache-2.0
"""TreeEnsembleRegressor in its canonical form (frontend/trees.py): compare, then one product finds every tree's leaf.

A leaf is reached if every split on its path goes its way: the number of splits that must say yes, less one, is subtracted from
those that do, less those that must say no and do not. That is 1 at exactly one leaf of a tree, and at most 0 at all others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.frontend.trees import CANONICAL, Ensemble, below
from verifiable_ml.program import ConstantRef, Interval, Requantise, TraceRef
from verifiable_ml.program.encoding import FloatArray
from verifiable_ml.program.ops.rearrange import Map, identity
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Linear
from verifiable_ml.quantize.value import Pending, Quantised

MOST_ENTRIES = 1 << 26
"""Of the paths of all trees, each tree padded to the largest."""
FINEST = 1 << 26
"""Of the largest leaf: finer than float32, and a thousand trees still fit 2^37."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Of each tree: the bits `feature <= threshold` that its splits need [T, n], a last one that is always 1; how each leaf
    counts them [T, L, n]; what its leaves add to the targets [K, T, L].
    """

    features: IntArray
    thresholds: FloatArray
    paths: IntArray
    values: FloatArray


Path = list[tuple[int, int]]


def forest(ensemble: Ensemble) -> Forest:
    """Laid out tree by tree. Raises ValueError if that takes more than MOST_ENTRIES."""
    trees = [_tree(ensemble, int(root)) for root in ensemble.roots]
    bits, leaves = max(len(compared) for compared, _ in trees) + 1, max(len(ends) for _, ends in trees)
    if len(trees) * leaves * bits > MOST_ENTRIES:
        raise ValueError(f"{len(trees)} trees of up to {leaves} leaves have more than {MOST_ENTRIES} entries of paths")
    features, thresholds = np.zeros((len(trees), bits), np.int64), np.full((len(trees), bits), np.inf)
    paths, place = np.zeros((len(trees), leaves, bits), np.int64), np.zeros((len(ensemble.features), 2), np.int64)
    for number, (compared, ends) in enumerate(trees):
        for bit, (feature, threshold) in enumerate(compared):
            features[number, bit], thresholds[number, bit] = feature, threshold
        for leaf, (node, path) in enumerate(ends):
            place[node] = number, leaf
            for bit, sign in path:
                paths[number, leaf, bit] += sign
    values = np.zeros((ensemble.targets, len(trees), leaves))
    owners = place[ensemble.leaves[:, 0]]
    np.add.at(values, (ensemble.leaves[:, 1], owners[:, 0], owners[:, 1]), ensemble.weights.astype(np.float64))
    return Forest(features, thresholds, paths, values)


def _tree(ensemble: Ensemble, root: int) -> tuple[list[tuple[int, float]], list[tuple[int, Path]]]:
    """The bits of a tree, and for each leaf which bits count and how; bit -1 is the one that is always 1."""
    compared: dict[tuple[int, float], int] = {}
    ends: list[tuple[int, Path]] = []
    waiting: list[tuple[int, Path, int]] = [(root, [], 0)]
    while waiting:
        node, path, yes = waiting.pop()
        if ensemble.yes[node] < 0:
            ends.append((node, [*path, (-1, 1 - yes)]))
            continue
        feature, threshold = int(ensemble.features[node]), ensemble.thresholds[node]
        bit = compared.setdefault((feature, float(threshold)), len(compared))
        terms = [(bit, 1)]
        if ensemble.equal[node]:  # at most the threshold, and not at most the number below it
            terms.append((compared.setdefault((feature, float(below(threshold))), len(compared)), -1))
        waiting.append((int(ensemble.no[node]), [*path, *((b, -sign) for b, sign in terms)], yes))
        waiting.append((int(ensemble.yes[node]), [*path, *terms], yes + 1))
    return list(compared), ends


def trees(lowering: Lowering, node: Node) -> Pending:
    """X [B, F] to the sums of leaves [B, K]."""
    ensemble = node.ensemble
    try:
        laid = forest(ensemble)
    except ValueError as error:
        raise node.refuse(str(error), "train fewer or shallower trees") from error
    x, ends = _operand(lowering, node, laid)
    reached = _reached(lowering, node, x, ends, laid)
    share = 1 / len(ensemble.roots) if ensemble.aggregate == "AVERAGE" else 1.0
    weights = laid.values.reshape(ensemble.targets, -1) * share
    base = ensemble.base.astype(np.float64) if ensemble.base.size else np.zeros(ensemble.targets)

    def emit(ref: ConstantRef, w_zero: int, form: Requantise) -> TraceRef:
        return lowering.builder.apply("matmul", reached, ref, requantise=form, label=node.name, w_zero=w_zero)

    return Leaves(weights, base, emit, (0, 1), 1, trees=len(ensemble.roots))


@dataclass(frozen=True, eq=False)
class Leaves(Linear):
    """A Linear of which one input a tree is 1: its accumulator is finer than float32, and its bounds are those of the trees."""

    trees: int = 1

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """Leaves in steps of 2^-26 of the largest."""
        if self._clips:
            return self.settle(lowering, name)
        scale = max(float(np.abs(self.weights).max()), 1e-30) / FINEST
        bias = np.rint(self.bias / scale).astype(np.int64)
        each = np.rint(self.weights / scale).astype(np.int64).reshape(len(self.weights), self.trees, -1)
        low, high = (each.min(axis=2).sum(axis=1) + bias).min(), (each.max(axis=2).sum(axis=1) + bias).max()
        form = Requantise.bias(bias, Interval(int(low), int(high)))
        return Quantised(self._emit(lowering, np.array([scale]), 0, form), np.array([scale]), 0, self.layout)


def _operand(lowering: Lowering, node: Node, laid: Forest) -> tuple[Quantised, IntArray]:
    """The features as integers, and below which integer each bit is 1 [T, n]."""
    x = lowering.exact(node.inputs[0])
    encoding = lowering.ranks.get(node.inputs[0])
    reach = lowering.builder.spec(x.ref).interval
    if encoding is not None:
        rows = [np.array(row) for row in encoding.thresholds]
        ends = np.array([
            [np.searchsorted(rows[f], t) + 1 if np.isfinite(t) else reach.high + 1 for f, t in zip(*pair, strict=True)]
            for pair in zip(laid.features.tolist(), laid.thresholds.tolist(), strict=True)
        ])  # fmt: skip
        return x, ends.astype(np.int64)
    scale, extra = (np.broadcast_to(each, lowering.shapes[node.inputs[0]][1])[laid.features] for each in (x.scale, x.extra))
    steps = np.floor((np.minimum(laid.thresholds, 1e38) - extra) / scale) + x.zero + 1
    return x, np.clip(steps, reach.low, reach.high + 1).astype(np.int64)


def _reached(lowering: Lowering, node: Node, x: Quantised, ends: IntArray, laid: Forest) -> TraceRef:
    """1 for the leaf that each tree ends in: [B, T * L]."""
    builder, (batch, count) = lowering.builder, lowering.shapes[node.inputs[0]]
    (number, leaves, bits), label = laid.paths.shape, node.name
    columns = lowering.move(
        x.ref, label=f"{label} columns", view=(batch, count), shape=(count, batch), permutation=(1, 0), maps=_maps(count, batch)
    )
    picked = builder.apply("gather", columns, builder.constant(laid.features), label=f"{label} features")
    rows = lowering.move(
        picked, label=f"{label} rows", view=(number, bits, batch), shape=(number, batch, bits),
        permutation=(0, 2, 1), maps=_maps(number, batch, bits),
    )  # fmt: skip
    decided = builder.apply("compare", rows, builder.constant(ends[:, None, :]), label=f"{label} splits")
    least = int(laid.paths.min())
    form = Requantise.clip(Interval(0, 1))
    counted = builder.constant(laid.paths - least)
    found = builder.apply("matmul", decided, counted, requantise=form, label=f"{label} paths", w_zero=-least)
    return lowering.move(
        found, label=f"{label} leaves", view=(number, batch, leaves), shape=(batch, number * leaves),
        permutation=(1, 0, 2), maps=_maps(batch, number, leaves),
    )  # fmt: skip


def _maps(*shape: int) -> tuple[Map, ...]:
    return tuple(map(identity, shape))


LOWERINGS: dict[str, Lower] = {CANONICAL: trees}
