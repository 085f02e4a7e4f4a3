# SPDX-License-Identifier: MIT OR Apache-2.0
"""The trees of one side: of its trace, and of each tensor in it. What a proposer reveals and a challenger compares with.

A liar is a side with another forest (liars.py): what it cannot hash up to its own root it cannot reveal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from verifiable_ml.commitment import Dtype, MerkleTree, encode_tensor, keccak, tensor_tree
from verifiable_ml.commitment.merkle import ABSENT_HASHES, TENSOR, TRACE
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.game import Registration
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.program import Program
from verifiable_ml.program.identity import descriptor

Levels = Sequence[Sequence[bytes]]
"""Existing nodes, the lowest level first, the root's last."""


class Forest:
    """Grown from what a side's run gave, each tree when it is first asked for."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self._tensors: dict[int, Levels] = {}

    @cached_property
    def root(self) -> bytes:
        """The trace root (rule 3): what this side asserts, or challenges by."""
        return keccak(TRACE + len(self.trace[0]).to_bytes(4, "big") + self.trace[-1][0])

    @cached_property
    def trace(self) -> Levels:
        """The tree over the tensor roots."""
        count = len(self.witness.trace.tensors)
        return MerkleTree(tuple(self.tensor_root(index) for index in range(count))).levels

    def tensor(self, index: int) -> Levels:
        """The tree over a tensor's leaves."""
        if index not in self._tensors:
            self._tensors[index] = tensor_tree(self.data(index)).levels
        return self._tensors[index]

    def tensor_root(self, index: int) -> bytes:
        """Rule 2."""
        data, dtype = self.data(index), Dtype.of(self.witness.trace.tensors[index])
        return keccak(TENSOR + bytes([dtype]) + len(data).to_bytes(8, "big") + self.tensor(index)[-1][0])

    def data(self, index: int) -> bytes:
        """The bytes of a tensor of the trace."""
        return encode_tensor(self.witness.trace.tensors[index])

    def partials(self, index: int, element: int) -> list[Accumulator]:
        """The accumulator after each piece of an element."""
        return self.witness.partials(index, element)


def children(levels: Levels, height: int, index: int, count: int) -> tuple[bytes, ...]:
    """The existing nodes `count` levels below node `index` of `height`."""
    return tuple(levels[height - count][index << count : (index + 1) << count])


def siblings(levels: Levels, height: int, index: int, count: int) -> tuple[bytes, ...]:
    """What it takes to climb `count` levels from node `index` of `height`."""
    found = []
    for level in range(height, height + count):
        beside = index >> (level - height) ^ 1
        found.append(levels[level][beside] if beside < len(levels[level]) else ABSENT_HASHES[level])
    return tuple(found)


def registration(program: Program) -> Registration:
    """What the registry knows of a program."""
    leaves = [keccak(b"\x21" + descriptor(program, operator)) for operator in program.operators]
    return Registration(len(program.inputs), len(program.operators), MerkleTree(leaves).root)
