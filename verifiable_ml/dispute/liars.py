# SPDX-License-Identifier: MIT OR Apache-2.0
"""Proposers that lie, each an honest forest with one thing changed: what a demonstration shows and what attacks play.

A lie is told as well as it can be: later operators run on the wrong number, and the accumulators of a wrong element end in
what finishes as it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType

import numpy as np

from verifiable_ml.commitment import keccak
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.commitment.merkle import ABSENT_HASHES, node_hash
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.descriptor import Descriptor
from verifiable_ml.dispute.forest import Forest, Levels
from verifiable_ml.dispute.opening import Run
from verifiable_ml.dispute.step import finish
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace
from verifiable_ml.execute.reference import run_operator
from verifiable_ml.program import Program

REACH = 1 << 48
"""No accumulator of a program leaves [-REACH, REACH]."""


# ---- wrong numbers ---------------------------------------------------------------------------------------------------


class Liar(Forest):
    """The honest forest but for some tensors. late: from which share of an element's pieces on its accumulators are wrong."""

    def __init__(self, honest: Forest, tensors: Mapping[int, IntArray] = MappingProxyType({}), late: float = 1.0) -> None:
        changed = tuple(tensors.get(index, tensor) for index, tensor in enumerate(honest.tensors))
        super().__init__(Witness(Trace(honest.program, changed)))
        self.honest, self.late = honest, late

    def tensor_root(self, index: int) -> bytes:
        """The honest one where the tensor is."""
        return self.honest.trace[0][index] if self._is_honest(index) else super().tensor_root(index)

    def _grow(self, index: int) -> Levels:
        return self.honest.tensor(index) if self._is_honest(index) else super()._grow(index)

    def _is_honest(self, index: int) -> bool:
        return self.tensors[index] is self.honest.tensors[index]

    def descriptor(self, index: int) -> bytes:
        """The program's: another one could not be opened."""
        return self.honest.descriptor(index)

    def descriptor_path(self, index: int) -> tuple[bytes, ...]:
        """The program's."""
        return self.honest.descriptor_path(index)

    def parsed(self, index: int) -> Descriptor:
        """The program's."""
        return self.honest.parsed(index)

    def record(self, index: int, element: int) -> Run | None:
        """The program's."""
        return self.honest.record(index, element)

    def _accumulate(self, index: int, element: int) -> Sequence[Accumulator]:
        """Right at first, then shifted, so that the last one finishes as the asserted element: if anything does."""
        operands = self.parsed(index).operands
        same = all(isinstance(operand.source, bytes) or self._is_honest(operand.source) for operand in operands)
        right = self.honest.partials(index, element) if same else super()._accumulate(index, element)
        value = int(self.tensors[index].item(element))
        end = ending(self.parsed(index), element, self.record(index, element), value, right[-1])
        if end is None or end == right[-1]:
            return right
        first = min(int(self.late * len(right)), len(right) - 1)
        shift = end.value - right[-1].value
        wrong = [Accumulator(at.value + shift, end.index) for at in right[first:-1]]
        return [*right[:first], *wrong, end]


def ending(descriptor: Descriptor, element: int, record: Run | None, value: int, right: Accumulator) -> Accumulator | None:
    """An accumulator that finishes as `value`; None if there is none. finish rises with the accumulator, so halving finds it."""
    if finish(descriptor, element, right, record) == value:
        return right
    if descriptor.kind == "argmax":
        return replace(right, index=value) if value >= 0 else None
    if descriptor.records is None:
        return Accumulator(value)
    low, high = -REACH, REACH
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if finish(descriptor, element, Accumulator(middle), record) < value else (low, middle)
    return Accumulator(low) if finish(descriptor, element, Accumulator(low), record) == value else None


def one_number(honest: Forest, index: int, element: int, by: int = 1, late: float = 1.0) -> Liar:
    """One element of one operator's output has some bits flipped, and later operators run on what came of it."""
    return numbers(honest, {(index, element): by}, late)


def numbers(honest: Forest, flipped: Mapping[tuple[int, int], int], late: float = 1.0) -> Liar:
    """Elements of several outputs, by (tensor, element): the bits to flip in each."""
    program, tensors = honest.program, list(honest.tensors)
    for index in range(min(tensor for tensor, _ in flipped), len(tensors)):
        made = _run(program, index, tensors)
        for (tensor, element), bits in flipped.items():
            if tensor == index:
                made = made.copy()
                made.reshape(-1)[element] ^= made.dtype.type(bits)
        tensors[index] = tensors[index] if np.array_equal(made, tensors[index]) else made
    return Liar(honest, dict(enumerate(tensors)), late)


def _run(program: Program, index: int, tensors: Sequence[IntArray]) -> IntArray:
    """What the operator makes of the trace so far; what it made before, if a wrong number has left its domain."""
    operator = program.operators[index - len(program.inputs)]
    try:
        with np.errstate(all="ignore"):
            return run_operator(program, operator, tensors)
    except (IndexError, ValueError):
        return tensors[index]


def hidden_number(honest: Forest, index: int, element: int, by: int = 1) -> Liar:
    """One element is wrong and nothing that follows from it: the output is right, the trace is not (property 6)."""
    tensor = honest.tensors[index].copy()
    tensor.reshape(-1)[element] ^= tensor.dtype.type(by)
    return Liar(honest, {index: tensor})


def other_weight(honest: Forest, constant: int, element: int, by: int = 1) -> Liar:
    """Ran a program that differs in one weight, and says that it ran this one (property 35)."""
    constants = [values.copy() for values in honest.program.constants]
    constants[constant].reshape(-1)[element] ^= constants[constant].dtype.type(by)
    program, tensors = replace(honest.program, constants=tuple(constants)), list(honest.tensors)
    for index in range(len(program.inputs), len(tensors)):
        made = _run(program, index, tensors)
        tensors[index] = tensors[index] if np.array_equal(made, tensors[index]) else made
    return Liar(honest, dict(enumerate(tensors)))


class FalsePartials(Liar):
    """The trace is right; the accumulators are wrong from some piece on, and right again at the end (properties 7 and 25)."""

    def __init__(self, honest: Forest, late: float = 0.5) -> None:
        super().__init__(honest, {}, late)

    def _accumulate(self, index: int, element: int) -> Sequence[Accumulator]:
        """At least one of them is wrong where there are two."""
        right = self.honest.partials(index, element)
        first = min(int(self.late * len(right)), len(right) - 2) if len(right) > 1 else 0
        return [*right[:first], *(replace(at, value=at.value + 1) for at in right[first:-1]), right[-1]]


# ---- wrong trees -----------------------------------------------------------------------------------------------------


class WrongRoot(Liar):
    """A root that nothing hashes up to: it can be asserted, and not be revealed."""

    @cached_property
    def root(self) -> bytes:
        """Of nothing."""
        return keccak(b"no trace at all" + self.honest.root)


class WrongNode(Liar):
    """One node of one tree is another one, and all above follows from that: nothing hashes up to the node itself.

    tensor: whose tree; None: the trace's. Where no node exists, what is wrong is the padding. Those of height 0 are hashes of
    leaves, or tensor roots.
    """

    def __init__(self, honest: Forest, tensor: int | None, height: int, index: int, node: bytes = bytes(32)) -> None:
        super().__init__(honest)
        self.wrong, self.height, self.index, self.node = tensor, height, index, node

    def _is_honest(self, index: int) -> bool:
        return index != self.wrong

    def _grow(self, index: int) -> Levels:
        levels = self.honest.tensor(index)
        return levels if self._is_honest(index) else regrown(levels, self.height, self.index, self.node)

    @cached_property
    def trace(self) -> Levels:
        """With the wrong node in it, or above the wrong tensor."""
        if self.wrong is None:
            return regrown(self.honest.trace, self.height, self.index, self.node)
        return regrown(self.honest.trace, 0, self.wrong, self.tensor_root(self.wrong))


class WrongTensorRoot(Liar):
    """A tensor's root is another one: of another length or dtype, or of another tensor."""

    def __init__(self, honest: Forest, tensor: int, root: bytes) -> None:
        super().__init__(honest)
        self.wrong, self.false_root = tensor, root

    def tensor_root(self, index: int) -> bytes:
        """The false one."""
        return self.false_root if index == self.wrong else self.honest.trace[0][index]


def regrown(levels: Levels, height: int, index: int, node: bytes) -> Levels:
    """The same tree with another node, and all above it hashed anew; below it, the old ones."""
    made = [list(level) for level in levels]
    for level in range(height, len(made)):
        if index < len(made[level]):
            made[level][index] = node
        beside = index ^ 1
        other = made[level][beside] if beside < len(made[level]) else ABSENT_HASHES[level]
        node = node_hash(other, node) if index & 1 else node_hash(node, other)
        index >>= 1
    return made


# ---- by name ---------------------------------------------------------------------------------------------------------


Lie = Callable[[Forest], Forest]
"""What a proposer shows instead of the forest of its honest run."""


def number_in(place: int) -> Lie:
    """One number of one operator's output is wrong, and what follows from it. place: of the operator, also from the end."""

    def lie(honest: Forest) -> Forest:
        index = range(len(honest.program.inputs), len(honest.tensors))[place]
        return one_number(honest, index, honest.tensors[index].size * 2 // 3)

    return lie


def middle(honest: Forest) -> Forest:
    """One number of a middle operator's output."""
    return number_in(len(honest.program.operators) // 2)(honest)


def largest(honest: Forest) -> Forest:
    """One number of the largest output but for the first operator's: where a walk has most to do."""
    sizes = [operator.output.nbytes for operator in honest.program.operators]
    return number_in(max(range(min(1, len(sizes) - 1), len(sizes)), key=lambda place: sizes[place]))(honest)


def hidden(honest: Forest) -> Forest:
    """One number of the first operator's output, from which nothing follows."""
    return hidden_number(honest, len(honest.program.inputs), 0)


def weight(honest: Forest, tries: int = 100) -> Liar:
    """One weight, the first found that this input meets. Raises ValueError if none of those tried is met."""
    for constant, values in enumerate(honest.program.constants):
        for element in range(0, values.size, -(-values.size // tries)):
            liar = other_weight(honest, constant, element, by=7)
            if liar.root != honest.root:
                return liar
    raise ValueError("the input meets none of the weights that were tried")


def root(honest: Forest) -> Forest:
    """The root of a tensor that is neither input nor output is of nothing at all: it can be asserted, and not be revealed."""
    outputs = {output.index for output in honest.program.outputs}
    inside = [index for index in range(len(honest.program.inputs), len(honest.tensors)) if index not in outputs]
    return WrongTensorRoot(honest, inside[-1], keccak(b"of nothing"))


LIES: Mapping[str, Lie] = MappingProxyType(
    {
        "first": number_in(0),
        "middle": middle,
        "last": number_in(-1),
        "largest": largest,
        "hidden": hidden,
        "weight": weight,
        "root": root,
    }
)
"""Where the lie is told: one number of the first, middle, last or largest operator; one that nothing follows from; a weight; a
tensor's root alone.
"""
