# SPDX-License-Identifier: MIT OR Apache-2.0
"""Merkle trees of rule 1: tagged leaves and nodes, absent leaves to the right, depth ceil(log2(leaves))."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from verifiable_ml.commitment.keccak import keccak

LEAF, NODE, TENSOR, ABSENT, TRACE, SALTED = b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"


def leaf_hash(data: bytes) -> bytes:
    """H(00 || data)."""
    return keccak(LEAF + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(01 || left || right)."""
    return keccak(NODE + left + right)


def _absent_hashes(height: int) -> tuple[bytes, ...]:
    hashes = [keccak(ABSENT)]
    for _ in range(height):
        hashes.append(node_hash(hashes[-1], hashes[-1]))
    return tuple(hashes)


ABSENT_HASHES = _absent_hashes(64)
"""E(0), E(1), … : the root of a tree of height h in which no leaf exists."""


def depth_of(leaves: int) -> int:
    """ceil(log2(leaves)); 0 for one leaf. There is no tree of no leaves."""
    if leaves < 1:
        raise ValueError("a tree has at least one leaf")
    return (leaves - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Opening:
    """What shows that a value stands at `index` under a root: the siblings from the lowest level up."""

    index: int
    siblings: tuple[bytes, ...]


def verify_opening(root: bytes, depth: int, value: bytes, opening: Opening) -> bool:
    """Whether the tree of that root and depth has `value` (a 32-byte lowest level entry) at `opening.index`.

    Assures it under collision resistance of keccak-256, *if* depth comes from the caller and not from the prover.
    """
    if len(opening.siblings) != depth or not 0 <= opening.index < 1 << depth:
        return False
    if any(len(node) != 32 for node in (root, value, *opening.siblings)):
        return False
    node = value
    for level, sibling in enumerate(opening.siblings):
        node = node_hash(sibling, node) if opening.index >> level & 1 else node_hash(node, sibling)
    return node == root


@dataclass(frozen=True, eq=False)
class MerkleTree:
    """`merkle(list of 32-byte values)`: the values are its lowest level, unhashed; E0 pads it to a power of two."""

    values: Sequence[bytes]

    @cached_property
    def levels(self) -> tuple[tuple[bytes, ...], ...]:
        """Existing nodes from the lowest level to the root; absent ones are left out."""
        levels = [tuple(self.values)]
        for height in range(depth_of(len(self.values))):
            below = levels[-1]
            even = below if len(below) % 2 == 0 else (*below, ABSENT_HASHES[height])
            levels.append(tuple(map(node_hash, even[::2], even[1::2])))
        return tuple(levels)

    @property
    def depth(self) -> int:
        """How many siblings an opening has."""
        return depth_of(len(self.values))

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self.levels[-1][0]

    def open(self, index: int) -> Opening:
        """The opening of an existing value. Raises IndexError beyond the last one."""
        if not 0 <= index < len(self.values):
            raise IndexError(f"value {index} of {len(self.values)}")
        siblings = []
        for height, level in enumerate(self.levels[:-1]):
            sibling = index >> height ^ 1
            siblings.append(level[sibling] if sibling < len(level) else ABSENT_HASHES[height])
        return Opening(index, tuple(siblings))
