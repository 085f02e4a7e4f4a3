# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a side that ran the program can show of its trace: descriptors, partial accumulators, openings, records.

Every index is a tensor's of the trace: inputs first, then operators. Paths are those of this trace; a player that shows leaves
under another one's root takes the siblings that the walk revealed.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

import numpy as np

from verifiable_ml.commitment import MerkleTree, encode_tensor, keccak, tensor_tree
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.descriptor import Descriptor, parse
from verifiable_ml.dispute.opening import NOTHING, Opening, Run, show
from verifiable_ml.dispute.step import neutral
from verifiable_ml.dispute.steps import STEPS
from verifiable_ml.dispute.steps.piece import Piece
from verifiable_ml.execute import Trace
from verifiable_ml.program import ConstantRef, Operand, Operator, TraceRef, identity

Leaves = defaultdict[int, set[int]]


class Witness:
    """A trace, and the trees over its tensors, each made when it is first asked for."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.program = trace, trace.program
        self._descriptors: dict[int, Descriptor] = {}
        self._records: dict[int, IntArray | None] = {}
        self._trees: dict[Operand, tuple[bytes, MerkleTree]] = {}

    def descriptor(self, index: int) -> bytes:
        """The bytes of rule 5."""
        return identity.descriptor(self.program, self._operator(index))

    def parsed(self, index: int) -> Descriptor:
        """The same, read back."""
        if index not in self._descriptors:
            self._descriptors[index] = parse(self.descriptor(index))
        return self._descriptors[index]

    def descriptor_path(self, index: int) -> tuple[bytes, ...]:
        """Its siblings under the root of the descriptors (rule 4)."""
        return self._descriptor_tree.open(index - len(self.program.inputs)).siblings

    def tensor_path(self, index: int) -> tuple[bytes, ...]:
        """The siblings of a tensor's root in the trace's tree (rule 3)."""
        return self._trace_tree.open(index).siblings

    def partials(self, index: int, element: int) -> list[Accumulator]:
        """The accumulator after every piece of an element."""
        accumulator, after = neutral(self.parsed(index)), []
        for piece in range(self.parsed(index).pieces):
            accumulator, _ = self._advance(index, element, piece, accumulator)
            after.append(accumulator)
        return after

    def openings(self, index: int, element: int, piece: int) -> tuple[Opening, ...]:
        """The leaves that a piece reads, one opening an operand."""
        _, read = self._advance(index, element, piece, neutral(self.parsed(index)))
        return tuple(self._opening(operand, read[place]) for place, operand in enumerate(self._operator(index).operands))

    def record(self, index: int, element: int) -> Run | None:
        """The leaf with the requantisation record of the element's channel; None if the operator has none."""
        if index not in self._records:
            self._records[index] = identity.records(self._operator(index))
        table = self._records[index]
        if table is None:
            return None
        data = encode_tensor(np.ascontiguousarray(table, dtype="<i8"))
        place = element % self.parsed(index).channels % len(table) * len(data) // len(table)
        return show(data, tensor_tree(data), [place // LEAF_BYTES])[0]

    def _operator(self, index: int) -> Operator:
        return self.program.operators[index - len(self.program.inputs)]

    @cached_property
    def _descriptor_tree(self) -> MerkleTree:
        return MerkleTree([keccak(b"\x21" + identity.descriptor(self.program, each)) for each in self.program.operators])

    @cached_property
    def _trace_tree(self) -> MerkleTree:
        return MerkleTree(self.trace.roots)

    def _advance(self, index: int, element: int, piece: int, start: Accumulator) -> tuple[Accumulator, Leaves]:
        """The accumulator after a piece, and the leaves of each operand that were read on the way."""
        d, operator = self.parsed(index), self._operator(index)
        tensors = [self._tensor(operand) for operand in operator.operands]
        leaves: Leaves = defaultdict(set)

        def read(operand: int, position: int) -> int:
            leaves[operand].add(position * d.operands[operand].dtype.width // LEAF_BYTES)
            return int(tensors[operand].item(position))

        terms = range(piece * d.tau, min((piece + 1) * d.tau, d.terms))
        work = Piece(d, element, terms, _coefficients(operator, element % d.channels))
        return STEPS[d.kind].accumulate(work, read, start), leaves

    def _opening(self, operand: Operand, leaves: set[int]) -> Opening:
        if not leaves:
            return NOTHING
        data, tree = self._bytes_and_tree(operand)
        path = self.tensor_path(operand.index) if isinstance(operand, TraceRef) else ()
        return Opening(show(data, tree, leaves), path)

    def _tensor(self, operand: Operand) -> IntArray:
        return (self.program.constants if isinstance(operand, ConstantRef) else self.trace.tensors)[operand.index]

    def _bytes_and_tree(self, operand: Operand) -> tuple[bytes, MerkleTree]:
        if operand not in self._trees:
            data = encode_tensor(self._tensor(operand))
            self._trees[operand] = (data, tensor_tree(data))
        return self._trees[operand]


def _coefficients(operator: Operator, channel: int) -> tuple[int, ...]:
    """Of add, one an operand; of the others none."""
    return tuple(each[channel % len(each)] for each in getattr(operator.attributes, "coefficients", ()))
