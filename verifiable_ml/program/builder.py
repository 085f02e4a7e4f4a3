# SPDX-License-Identifier: MIT OR Apache-2.0
"""The only way to make a Program: each operator is checked, and its output's interval proved, as it is added."""

from __future__ import annotations

import struct
from dataclasses import replace
from operator import index
from typing import Any

import numpy as np

from verifiable_ml.commitment import Dtype
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import MalformedProgram, QuantisationError
from verifiable_ml.program.encoding import Encoding
from verifiable_ml.program.operator import (
    Accumulator,
    ConstantRef,
    DomainError,
    Known,
    Operand,
    Operator,
    ShapeMismatch,
    TraceRef,
)
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.program import Input, Output, Program
from verifiable_ml.program.requantise import MAX_ACCUMULATOR, Requantise
from verifiable_ml.program.tensor import MAX_ELEMENTS, MAX_RANK, Interval, Shape, TensorSpec

ACCUMULATES = frozenset({"matmul", "conv", "add", "mul", "sum"})
"""Operators whose accumulator must stay below 2^47; the others only move or choose values."""


class Builder:
    """Collects inputs, constants and operators in order; `build` freezes them.

    Every method raises QuantisationError if a bound cannot be proved and MalformedProgram if the parts do not fit.
    """

    def __init__(self, salt: bytes = bytes(32)) -> None:
        self._inputs: list[Input] = []
        self._constants: list[IntArray] = []
        self._constant_index: dict[tuple[bytes, Shape, Dtype], int] = {}
        self._known: list[Known] = []
        self._operators: list[Operator] = []
        self._outputs: list[Output] = []
        self._salt = salt

    def input(self, name: str, shape: Shape, interval: Interval, encoding: Encoding) -> TraceRef:
        """A tensor from outside. Inputs come before the first operator."""
        thing = f"input {name!r}"
        if self._operators or not _is_name(name) or name in (given.name for given in self._inputs):
            raise _malformed(thing, "inputs come first, and have names of their own")
        spec = _checked(thing, shape, interval)
        if not encoding.fits(spec.shape):
            raise _malformed(thing, f"its encoding has another number of channels than shape {list(shape)}")
        self._inputs.append(Input(name, spec, encoding))
        return TraceRef(len(self._inputs) - 1)

    def constant(self, values: Any) -> ConstantRef:
        """An integer array; kept in the narrowest dtype, and once however often it is used."""
        array = np.asarray(values)
        if array.dtype.kind not in "iu" or not array.size:
            raise _malformed("a constant", f"{array.dtype} of shape {list(array.shape)} is no tensor of integers")
        interval = _checked("a constant", array.shape, Interval(int(array.min()), int(array.max()))).interval
        array = np.array(array, dtype=interval.dtype.numpy, order="C")
        array.setflags(write=False)
        key = (array.tobytes(), array.shape, interval.dtype)
        if key not in self._constant_index:
            self._constant_index[key] = len(self._constants)
            self._constants.append(array)
            self._known.append(Known(array.shape, interval, array))
        return ConstantRef(self._constant_index[key])

    def spec(self, ref: Operand) -> TensorSpec:
        """What is known of a tensor that was added."""
        known = self.known(ref)
        return TensorSpec(known.shape, known.interval)

    def known(self, ref: Operand) -> Known:
        """Shape, interval and, of a constant, int64 values."""
        count = len(self._known) if isinstance(ref, ConstantRef) else len(self._inputs) + len(self._operators)
        if not 0 <= ref.index < count:
            raise _malformed(f"operand {ref}", f"{count} of its kind were added so far")
        if isinstance(ref, ConstantRef):
            known = self._known[ref.index]
            assert known.values is not None
            return Known(known.shape, known.interval, known.values.astype(np.int64))
        spec = (
            self._inputs[ref.index].spec
            if ref.index < len(self._inputs)
            else self._operators[ref.index - len(self._inputs)].output
        )
        return Known(spec.shape, spec.interval, None)

    def apply(
        self, kind: str, *operands: Operand, requantise: Requantise | None = None, label: str = "", **attributes: Any
    ) -> TraceRef:
        """Add an operator; its output's shape and interval are computed and proved here."""
        thing = f"operator {len(self._operators)} `{label or kind}` ({kind})"
        if kind not in OPERATORS or not operands or (label and not _is_name(label)):
            raise _malformed(thing, "no such operator, or no operands, or a label that is no text")
        op, known = OPERATORS[kind], tuple(map(self.known, operands))
        shapes = tuple(k.shape for k in known)
        try:
            values = op.Attributes(**{name: _integers(value) for name, value in attributes.items()})
            canonical = getattr(op, "canonical", None)
            values = canonical(values, shapes) if canonical else values
            shape = op.output_shape(values, shapes)
            interval = self._prove(thing, kind, shape, op.bounds(values, known), requantise)
            spec = _checked(thing, shape, interval)
        except DomainError as error:
            raise QuantisationError(thing=thing, reason=str(error), hint="clip its operand before it") from error
        except (TypeError, ValueError, IndexError, OverflowError) as error:  # also operands too few or too many
            raise _malformed(thing, str(error)) from error
        if requantise is not None:
            requantise = replace(requantise, low=interval.low, high=interval.high)  # one form: bounds that are reached
        self._operators.append(Operator(kind, tuple(operands), values, requantise, spec, label))
        return TraceRef(len(self._inputs) + len(self._operators) - 1)

    def _prove(self, thing: str, kind: str, shape: Shape, reached: Accumulator, requantise: Requantise | None) -> Interval:
        if kind in ACCUMULATES and reached.magnitude >= MAX_ACCUMULATOR:
            raise QuantisationError(
                thing=thing,
                reason=f"its accumulator can reach {reached.magnitude}, and 2^47 is the limit",
                hint="narrow its operands",
            )
        if requantise is None:
            return reached.interval
        if not OPERATORS[kind].REQUANTISES:
            raise _malformed(thing, "it takes no requantisation: its output is stored as it is")
        channels = shape[-1] if shape else 1
        if requantise.channels not in (1, channels):
            raise _malformed(thing, f"{requantise.channels} requantisation channels for an output of {list(shape)}")
        return requantise.interval(reached.lows, reached.highs)

    def output(self, name: str, ref: TraceRef, decoding: Encoding) -> None:
        """Declare a tensor of the trace as an output."""
        thing = f"output {name!r}"
        if not isinstance(ref, TraceRef) or not _is_name(name) or name in (declared.name for declared in self._outputs):
            raise _malformed(thing, "outputs are tensors of the trace, and have names of their own")
        if not decoding.fits(self.spec(ref).shape):
            raise _malformed(thing, "its decoding has another number of channels")
        self._outputs.append(Output(name, int(ref.index), decoding))

    def build(self, *, identified: bool = True) -> Program:
        """The frozen program; its id is computed, so that every descriptor is known to be well formed.

        identified=False leaves that out, for a program that is only tried: an id reads every weight.
        """
        if not self._inputs or not self._operators or not self._outputs or max(len(self._inputs), len(self._outputs)) > 255:
            raise _malformed("a program", "it needs 1 to 255 inputs and outputs, and an operator")
        constants, operators = self._in_order_of_use()
        program = Program(tuple(self._inputs), constants, operators, tuple(self._outputs), self._salt)
        return identify(program) if identified else program

    def _in_order_of_use(self) -> tuple[tuple[IntArray, ...], tuple[Operator, ...]]:
        """Constants as the operators first read them, and none that is not read: the files follow from the program."""
        used = (o.index for operator in self._operators for o in operator.operands if isinstance(o, ConstantRef))
        place = {old: new for new, old in enumerate(dict.fromkeys(used))}
        moved = [
            tuple(ConstantRef(place[o.index]) if isinstance(o, ConstantRef) else o for o in operator.operands)
            for operator in self._operators
        ]
        operators = (replace(operator, operands=operands) for operator, operands in zip(self._operators, moved, strict=True))
        return tuple(self._constants[old] for old in place), tuple(operators)


def identify(program: Program) -> Program:
    """The same program, its id known. Raises MalformedProgram where a descriptor is not well formed."""
    try:
        program.id  # noqa: B018  computed once, and kept
    except (ValueError, OverflowError, struct.error) as error:
        raise _malformed("a program", f"a number does not fit its place ({error})") from error
    return program


def _is_name(name: object) -> bool:
    """Text that can be written as UTF-8: what JSON gives may hold half a surrogate pair."""
    return isinstance(name, str) and not any("\ud800" <= letter <= "\udfff" for letter in name)


def _integers(value: Any) -> Any:
    """Attributes are integers of 64 bits, or tuples of them. Raises TypeError or ValueError on anything else."""
    if isinstance(value, list | tuple):
        return tuple(map(_integers, value))
    number = int(index(value))
    if not Dtype.I64.low <= number <= Dtype.I64.high:
        raise ShapeMismatch(f"attribute {number} does not fit 64 bits")
    return number


def _checked(thing: str, shape: Shape, interval: Interval) -> TensorSpec:
    try:
        spec = TensorSpec(tuple(map(index, shape)), Interval(int(index(interval.low)), int(index(interval.high))))
    except TypeError as error:
        raise _malformed(thing, f"its shape or its interval is not made of integers ({error})") from error
    if min(spec.shape, default=1) < 1 or len(spec.shape) > MAX_RANK or spec.size > MAX_ELEMENTS:
        raise _malformed(thing, f"shape {list(shape)} has no elements, more than 2^31, or more than {MAX_RANK} axes")
    if not spec.interval.within(Interval(Dtype.I64.low, Dtype.I64.high)):
        raise _malformed(thing, f"[{interval.low}, {interval.high}] does not fit 64 bits")
    return spec


def _malformed(thing: str, reason: str) -> MalformedProgram:
    return MalformedProgram(thing=thing, reason=reason, hint="a Builder's arguments and a saved program obey the same rules")
