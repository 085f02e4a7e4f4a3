# SPDX-License-Identifier: MIT OR Apache-2.0
"""One step: a piece of one element recomputed from openings, and the stored integer made of its accumulator. Rules 25 to 39.

The twin of challenge/src/step: the same evidence is refused, and the same values come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment import Dtype
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.dispute.accumulator import LIMIT, Accumulator
from verifiable_ml.dispute.descriptor import Descriptor, TensorForm
from verifiable_ml.dispute.opening import MISSING, Opened, Opening, Run, malformed, tensor_root_of, trace_root_of
from verifiable_ml.dispute.steps import STEPS
from verifiable_ml.dispute.steps.piece import Piece

__all__ = ["Accumulator", "Statement", "advance", "finish", "neutral"]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a step is about: an element's piece, and the trace under which its operands are opened.

    count: tensors of the trace, inputs and operators. element: flat position in the output. piece: from 0.
    """

    trace_root: bytes
    count: int
    descriptor: Descriptor
    element: int
    piece: int


@dataclass(frozen=True, slots=True)
class _Record:
    """The requantisation of one channel; of add also a coefficient an operand."""

    multiplier: int
    offset: int
    coefficients: tuple[int, ...]


def neutral(descriptor: Descriptor) -> Accumulator:
    """Before the first piece (rule 26): 0; for max and argmax the least i64."""
    return Accumulator(STEPS[descriptor.kind].NEUTRAL)


def advance(statement: Statement, openings: Sequence[Opening], record: Run | None, start: Accumulator) -> Accumulator:
    """The accumulator after one more piece. `record` is read by add alone, whose coefficients it holds.

    Raises MalformedEvidence on an element or a piece that is not there, on what does not open, and on an operand outside of
    the operator's domain (rule 32).
    """
    d = statement.descriptor
    _check_element(d, statement.element)
    if not 0 <= statement.piece < d.pieces:
        raise malformed(f"piece {statement.piece} of {d.pieces}")
    if len(openings) != len(d.operands):
        raise malformed(f"{len(openings)} openings for {len(d.operands)} operands")
    _check_accumulator(start)
    opened = [_open(statement, operand, opening) for operand, opening in zip(d.operands, openings, strict=True)]
    coefficients = _open_record(d, statement.element, record).coefficients if d.kind == "add" else ()
    terms = range(statement.piece * d.tau, min((statement.piece + 1) * d.tau, d.terms))
    piece = Piece(d, statement.element, terms, coefficients)
    return STEPS[d.kind].accumulate(piece, lambda operand, position: opened[operand](position), start)


def finish(descriptor: Descriptor, element: int, accumulator: Accumulator, record: Run | None) -> int:
    """The integer that the output stores (rule 39): clip((acc * multiplier + offset) >> shift, low, high).

    Raises MalformedEvidence on an element that is not there, and on a record that does not open.
    """
    _check_element(descriptor, element)
    _check_accumulator(accumulator)
    value = accumulator.index if descriptor.kind == "argmax" else accumulator.value
    if descriptor.records is None:
        if record not in (None, MISSING):
            raise malformed("a record was given, and the operator has none")
        return value
    opened = _open_record(descriptor, element, record)
    scaled = (value * opened.multiplier + opened.offset) >> descriptor.shift
    return min(max(scaled, descriptor.low), descriptor.high)


def _open(statement: Statement, operand: TensorForm, opening: Opening) -> Opened:
    """What an opening shows of an operand, under the constant's root or the trace's."""
    if not opening.runs:
        if opening.path:
            raise malformed("a path without runs leads from nowhere")
        return Opened(operand.dtype, ())
    root = tensor_root_of(operand.dtype, operand.nbytes, opening.runs)
    if isinstance(operand.source, bytes):
        if opening.path:
            raise malformed("a constant is no tensor of the trace, and was given a path")
        if root != operand.source:
            raise malformed("its runs do not lead to the constant's root")
    elif trace_root_of(root, operand.source, statement.count, opening.path) != statement.trace_root:
        raise malformed("its runs do not lead to the trace's root")
    return Opened(operand.dtype, opening.runs)


def _open_record(descriptor: Descriptor, element: int, run: Run | None) -> _Record:
    """The record of the element's channel. Of a table of one record, which is for all channels, the first leaf ends with it."""
    words = 4 if descriptor.kind == "add" else 2
    if run is None or descriptor.records is None:
        raise malformed("the operator's record is missing")
    channels = 1 if run.first == 0 and len(run.data) == 8 * words else descriptor.channels
    if tensor_root_of(Dtype.I64, 8 * words * channels, [run]) != descriptor.records:
        raise malformed("its record does not lead to the root of the records")
    place = element % channels * 8 * words - run.first * LEAF_BYTES
    if not 0 <= place < len(run.data):
        raise malformed(f"its record is not that of element {element}")
    multiplier, offset = np.frombuffer(run.data, "<i8", count=2, offset=place).tolist()
    coefficients = np.frombuffer(run.data, "<i2", count=8, offset=place + 16).tolist() if words == 4 else ()
    return _Record(multiplier, offset, tuple(coefficients))


def _check_element(descriptor: Descriptor, element: int) -> None:
    if not 0 <= element < descriptor.size:
        raise malformed(f"element {element} of {descriptor.size}")


def _check_accumulator(accumulator: Accumulator) -> None:
    if abs(accumulator.value) >= LIMIT or not 0 <= accumulator.index < LIMIT:
        raise malformed("an accumulator leaves 190 bits")
