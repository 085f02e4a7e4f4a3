# SPDX-License-Identifier: MIT OR Apache-2.0
"""Honest steps: a program that was run, and every element or some of it as statement, openings, record and accumulators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from differential.cases import program_of
from differential.random_programs import random_inputs, random_program
from differential.wide_programs import WIDE, wide_program
from vectors.operator_cases import Case
from verifiable_ml.dispute.opening import Opening, Run
from verifiable_ml.dispute.step import Accumulator, Statement, neutral
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace, run_reference


@dataclass(frozen=True)
class Step:
    """One piece of one element. data: the descriptor's bytes. value: what the trace holds, which the last piece leads to."""

    data: bytes
    statement: Statement
    openings: tuple[Opening, ...]
    record: Run | None
    start: Accumulator
    end: Accumulator
    value: int

    @property
    def is_last(self) -> bool:
        return self.statement.piece == self.statement.descriptor.pieces - 1


def steps(trace: Trace, index: int, element: int) -> Iterator[Step]:
    """Every piece of one element."""
    witness = _witness(trace)
    descriptor, value = witness.parsed(index), int(trace.tensors[index].item(element))
    ends = witness.partials(index, element)
    for piece, (start, end) in enumerate(zip([neutral(descriptor), *ends], ends, strict=False)):
        statement = Statement(trace.root, len(trace.tensors), descriptor, element, piece)
        openings = witness.openings(index, element, piece)
        yield Step(witness.descriptor(index), statement, openings, witness.record(index, element), start, end, value)


def _witness(trace: Trace) -> Witness:
    """One a trace: its trees are made once."""
    if trace.__dict__.get("_witness") is None:
        trace.__dict__["_witness"] = Witness(trace)
    return trace.__dict__["_witness"]


def random_trace(kind: str, rng: np.random.Generator) -> Trace:
    """Of a small program of one operator, the last tensor being its output; every third time of a wide one."""
    draw = wide_program if kind in WIDE and rng.random() < 0.3 else random_program
    while (program := draw(kind, rng)) is None:
        pass
    return run_reference(program, random_inputs(program, rng))


def lied_trace(trace: Trace, rng: np.random.Generator) -> Trace:
    """The same with operands that nobody computed: any bytes of their dtypes, their least and greatest values among them."""
    count = len(trace.program.inputs)
    lies = (_any_values(tensor, rng) for tensor in trace.tensors[:count])
    return Trace(trace.program, (*lies, *trace.tensors[count:]))


def _any_values(tensor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ends = np.iinfo(tensor.dtype)
    values = rng.integers(ends.min, ends.max, tensor.shape, tensor.dtype, endpoint=True)
    near = rng.choice(np.array([ends.min, ends.max, 0, 1], tensor.dtype), tensor.shape)
    return np.where(rng.random(tensor.shape) < 0.5, near, values)


def trace_of(case: Case) -> Trace:
    """Of a named case."""
    program = program_of(case.kind, case.operands, case.form, **case.attributes)
    return run_reference(program, {f"x{i}": o.array for i, o in enumerate(case.operands) if o.interval is not None})
