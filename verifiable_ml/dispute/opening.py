# SPDX-License-Identifier: MIT OR Apache-2.0
"""Openings of tensors, rule 37: runs of consecutive leaves with their siblings, and the path of the tensor in the trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment import Dtype, MerkleTree, keccak
from verifiable_ml.commitment.merkle import ABSENT_HASHES, TENSOR, TRACE, depth_of, node_hash
from verifiable_ml.commitment.roots import LEAF_BYTES, blob_leaves
from verifiable_ml.errors import MalformedEvidence


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive leaves of a tensor: the index of the first, their bytes, and the siblings from the lowest level up.

    At each level the left sibling if the run begins at an odd index, then the right one if it ends at an even one.
    """

    first: int
    data: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """Leaves of one operand. path: siblings of the tensor's root in the trace's tree; () for a constant, or for no runs."""

    runs: tuple[Run, ...]
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """Elements that were shown to lie in a tensor of `dtype`."""

    dtype: Dtype
    runs: tuple[Run, ...]

    def __call__(self, position: int) -> int:
        """The integer at a flat position. Raises MalformedEvidence if no run holds it."""
        start = position * self.dtype.width
        for run in self.runs:
            place = start - run.first * LEAF_BYTES
            if 0 <= place < len(run.data):
                return int(np.frombuffer(run.data, self.dtype.numpy, count=1, offset=place)[0])
        raise malformed(f"element {position}, which the piece reads, is in none of the {len(self.runs)} runs")


MISSING = Run(0, b"", ())
"""How a record that is missing stands in calldata, where there is no None."""

NOTHING = Opening((), ())
"""Of an operand of which a piece reads no element: taps that all lie in the padding, a fill, another operand's entry."""


def leaf_count(nbytes: int) -> int:
    """Leaves of a tensor of so many bytes."""
    return -(-nbytes // LEAF_BYTES)


# ---- show ------------------------------------------------------------------------------------------------------------


def show(data: bytes, tree: MerkleTree, leaves: Iterable[int]) -> tuple[Run, ...]:
    """The runs of those leaves: neighbours are one run. data: the tensor's bytes, of which `tree` is the tree."""
    bounds: list[list[int]] = []
    for leaf in sorted(set(leaves)):
        if bounds and bounds[-1][1] + 1 == leaf:
            bounds[-1][1] = leaf
        else:
            bounds.append([leaf, leaf])
    return tuple(
        Run(first, data[first * LEAF_BYTES : (last + 1) * LEAF_BYTES], _siblings(tree, first, last)) for first, last in bounds
    )


def _siblings(tree: MerkleTree, first: int, last: int) -> tuple[bytes, ...]:
    siblings = []
    for height, level in enumerate(tree.levels[:-1]):
        if first % 2:
            siblings.append(level[first - 1])
        if not last % 2:
            siblings.append(level[last + 1] if last + 1 < len(level) else ABSENT_HASHES[height])
        first, last = first // 2, last // 2
    return tuple(siblings)


# ---- check -----------------------------------------------------------------------------------------------------------


def tensor_root_of(dtype: Dtype, nbytes: int, runs: Sequence[Run]) -> bytes:
    """The one tensor root (rule 2) to which all runs of a tensor of that type and length lead. Raises MalformedEvidence."""
    root, least = b"", 0
    for run in runs:
        if run.first < least:
            raise malformed("its runs do not rise with a gap between them")
        found = _merkle_root(run, nbytes)
        if root not in (b"", found):
            raise malformed("its runs lead to different roots")
        root, least = found, run.first + leaf_count(len(run.data)) + 1
    return keccak(TENSOR + bytes([dtype]) + nbytes.to_bytes(8, "big") + root)


def _merkle_root(run: Run, nbytes: int) -> bytes:
    """Climb from the leaves of a run to the root of the tree over `nbytes` bytes: its depth is the tensor's, not the prover's."""
    start, depth = run.first * LEAF_BYTES, depth_of(leaf_count(nbytes))
    end = start + len(run.data)
    if run.first < 0 or not run.data or end > nbytes or (end % LEAF_BYTES and end != nbytes):
        raise malformed(f"a run of {len(run.data)} bytes from leaf {run.first} is no run of whole leaves of {nbytes} bytes")
    if any(len(sibling) != 32 for sibling in run.siblings):
        raise malformed("a sibling is not 32 bytes long")
    nodes, first, siblings = list(blob_leaves(run.data)), run.first, list(run.siblings)
    for _ in range(depth):
        last = first + len(nodes) - 1
        if len(siblings) < first % 2 + (not last % 2):
            raise malformed(f"{len(run.siblings)} siblings are too few for a tree of depth {depth}")
        if first % 2:
            nodes.insert(0, siblings.pop(0))
        if not last % 2:
            nodes.append(siblings.pop(0))
        nodes = [node_hash(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
        first //= 2
    if siblings:
        raise malformed(f"{len(siblings)} siblings too many for a tree of depth {depth}")
    return nodes[0]


def trace_root_of(root: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """Climb from a tensor's root at `index` to the root of a trace of `count` tensors (rule 3). Raises MalformedEvidence."""
    if not 0 <= index < count or len(path) != depth_of(count) or any(len(sibling) != 32 for sibling in path):
        raise malformed(f"its path of {len(path)} siblings does not lead from tensor {index} to a trace of {count}")
    node = root
    for level, sibling in enumerate(path):
        node = node_hash(sibling, node) if index >> level & 1 else node_hash(node, sibling)
    return keccak(TRACE + count.to_bytes(4, "big") + node)


def malformed(reason: str) -> MalformedEvidence:
    """The one error of evidence that opens nothing."""
    return MalformedEvidence(thing="the evidence of a step", reason=reason, hint="make it anew from the trace: `Witness`")
