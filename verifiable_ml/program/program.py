# SPDX-License-Identifier: MIT OR Apache-2.0
"""The Program: operators in topological order over integer tensors, constants, what goes in and what comes out. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import identity
from verifiable_ml.program.encoding import Encoding
from verifiable_ml.program.operator import Accumulator, ConstantRef, Known, Operand, Operator
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.tensor import Interval, TensorSpec


@dataclass(frozen=True, slots=True)
class Input:
    """A tensor from outside, and how real numbers become its integers."""

    name: str
    spec: TensorSpec
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Output:
    """A tensor of the trace that is claimed, and how its integers become real numbers."""

    name: str
    index: int
    decoding: Encoding


@dataclass(frozen=True, eq=False)
class Program:
    """Made by a Builder, which proves every bound; equal programs have equal ids. Frozen, its arrays too.

    The trace of a run has the inputs first, then each operator's output: `spec` takes such an index.
    """

    inputs: tuple[Input, ...]
    constants: tuple[IntArray, ...]
    operators: tuple[Operator, ...]
    outputs: tuple[Output, ...]
    salt: bytes = bytes(32)

    @cached_property
    def id(self) -> bytes:
        """32 bytes: rule 4. The same model has the same id anywhere."""
        return identity.program_id(self)

    def spec(self, index: int) -> TensorSpec:
        """What is known of a tensor of the trace."""
        count = len(self.inputs)
        return self.inputs[index].spec if index < count else self.operators[index - count].output

    def known(self, operand: Operand) -> Known:
        """Shape, interval and, of a constant, int64 values."""
        if isinstance(operand, ConstantRef):
            values = self.constants[operand.index].astype(np.int64)
            return Known(values.shape, Interval(int(values.min()), int(values.max())), values)
        spec = self.spec(operand.index)
        return Known(spec.shape, spec.interval, None)

    def accumulator(self, operator: Operator) -> Accumulator:
        """What the operator's accumulation can reach, before requantisation."""
        return OPERATORS[operator.kind].bounds(operator.attributes, tuple(map(self.known, operator.operands)))

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """The specification of each output, in order."""
        return tuple(self.spec(output.index) for output in self.outputs)

    @property
    def parameters(self) -> int:
        """Elements of all constants."""
        return sum(constant.size for constant in self.constants)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Program {self.id.hex()[:16]}: {len(self.operators)} operators, {self.parameters:,} parameters>"
