# SPDX-License-Identifier: MIT OR Apache-2.0
"""The trees of one side: of its trace, and of each tensor in it. What a proposer reveals and a challenger compares with.

A liar is a side with another forest (liars.py): what it cannot hash up to its own root it cannot reveal.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from verifiable_ml.commitment import Dtype, MerkleTree, encode_tensor, keccak, tensor_root, tensor_tree
from verifiable_ml.commitment.merkle import ABSENT_HASHES, TENSOR, TRACE
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.descriptor import Descriptor
from verifiable_ml.dispute.game import Registration, descriptor_leaf
from verifiable_ml.dispute.opening import Opening, Run
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.program import Program
from verifiable_ml.program.identity import descriptor

Levels = Sequence[Sequence[bytes]]
"""Existing nodes, the lowest level first, the root's last."""


class Forest:
    """What a side's run gave, and the trees over it, each grown when it is first asked for."""

    def __init__(self, witness: Witness) -> None:
        self.witness, self.tensors = witness, witness.trace.tensors
        self._grown: dict[int, Levels] = {}
        self._descriptors: dict[int, bytes] = {}
        self._constants: dict[bytes, bytes] = {}
        self._partials: dict[tuple[int, int], Sequence[Accumulator]] = {}

    @property
    def program(self) -> Program:
        """The program that the other side speaks of as well."""
        return self.witness.program

    @cached_property
    def root(self) -> bytes:
        """The trace root (rule 3): what this side asserts, or challenges by."""
        return keccak(TRACE + len(self.tensors).to_bytes(4, "big") + self.trace[-1][0])

    @cached_property
    def trace(self) -> Levels:
        """The tree over the tensor roots."""
        return MerkleTree(tuple(map(self.tensor_root, range(len(self.tensors))))).levels

    def tensor_root(self, index: int) -> bytes:
        """Rule 2."""
        length = len(self.data(index)).to_bytes(8, "big")
        return keccak(TENSOR + bytes([Dtype.of(self.tensors[index])]) + length + self.tensor(index)[-1][0])

    def tensor(self, index: int) -> Levels:
        """The tree over a tensor's leaves."""
        if index not in self._grown:
            self._grown[index] = self._grow(index)
        return self._grown[index]

    def _grow(self, index: int) -> Levels:
        return tensor_tree(self.data(index)).levels

    def data(self, index: int) -> bytes:
        """The bytes of a tensor of the trace."""
        return encode_tensor(self.tensors[index])

    def demanded(self, root: bytes) -> bytes | None:
        """The bytes of the input, output or constant of that root; None if the program has none."""
        program = self.program
        for index in (*range(len(program.inputs)), *(output.index for output in program.outputs)):
            if self.tensor_root(index) == root:
                return self.data(index)
        if not self._constants:
            data = [(Dtype.of(values), encode_tensor(values)) for values in program.constants]
            self._constants |= {tensor_root(dtype, each): each for dtype, each in data}
        return self._constants.get(root)

    def descriptor(self, index: int) -> bytes:
        """Of the operator whose output the tensor is (rule 5)."""
        if index not in self._descriptors:
            self._descriptors[index] = self.witness.descriptor(index)
        return self._descriptors[index]

    def descriptor_path(self, index: int) -> tuple[bytes, ...]:
        """Its siblings under the registered root."""
        return self.witness.descriptor_path(index)

    def parsed(self, index: int) -> Descriptor:
        """The same descriptor, read."""
        return self.witness.parsed(index)

    def partials(self, index: int, element: int) -> Sequence[Accumulator]:
        """The accumulator after each piece of an element."""
        if (index, element) not in self._partials:
            self._partials[index, element] = self._accumulate(index, element)
        return self._partials[index, element]

    def _accumulate(self, index: int, element: int) -> Sequence[Accumulator]:
        return self.witness.partials(index, element)

    def openings(self, index: int, element: int, piece: int) -> tuple[Opening, ...]:
        """What a piece reads, under this side's own root."""
        return self.witness.openings(index, element, piece)

    def record(self, index: int, element: int) -> Run | None:
        """The record of the element's channel."""
        return self.witness.record(index, element)


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


@lru_cache(maxsize=64)
def registration(program: Program) -> Registration:
    """What the registry knows of a program."""
    leaves = [descriptor_leaf(descriptor(program, operator)) for operator in program.operators]
    return Registration(len(program.inputs), len(program.operators), MerkleTree(leaves).root)
