# SPDX-License-Identifier: MIT OR Apache-2.0
"""A program whose operators read themselves or later ones, rule 5: registered by hand, since a registry sees a root alone.

Values that agree with each other and with no input convict nobody; so no such program is loaded, nor run by an honest account.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from differential.step_cases import steps
from differential.step_chain import chain
from verifiable_ml.dispute.step import Accumulator, advance, finish
from verifiable_ml.errors import MalformedProgram
from verifiable_ml.execute import Trace
from verifiable_ml.program import Builder, Interval, Program, Tokens, TraceRef
from verifiable_ml.program.files import from_files, to_files

CYCLES = {"itself": (1, 1), "each other": (2, 1)}
"""What the two operators read, by trace index; the input is tensor 0."""


def copies() -> Program:
    """y = x, twice: a table that gives each byte itself."""
    builder = Builder()
    y = builder.input("x", (3,), Interval(0, 255), Tokens())
    for _ in range(2):
        y = builder.apply("lookup", y, builder.constant(np.arange(256)), base=0)
    builder.output("y", y, Tokens())
    return builder.build()


def cyclic(reads: tuple[int, int]) -> Program:
    honest = copies()
    operators = [replace(op, operands=(TraceRef(at), op.operands[1])) for op, at in zip(honest.operators, reads, strict=True)]
    return replace(honest, operators=tuple(operators))


def trace(program: Program, *values: int) -> Trace:
    return Trace(program, tuple(np.full(3, value, np.uint8) for value in values))


def convicts(told: Trace, index: int, element: int) -> bool:
    """Whether the step about an element finds another value than the trace has: in Python and on chain alike."""
    (step,) = steps(told, index, element)
    end = advance(step.statement, step.openings, step.record, step.start)
    assert chain().advance(step.data, step.statement, step.openings, step.record, step.start) == end
    return finish(step.statement.descriptor, element, Accumulator(end.value), step.record) != step.value


def convictions(told: Trace) -> int:
    return sum(convicts(told, index, element) for index in (1, 2) for element in range(3))


@pytest.mark.parametrize("reads", CYCLES.values(), ids=CYCLES)
@pytest.mark.parametrize("answer", [0, 7, 255])
def test_cycle_makes_any_answer_one_that_no_step_convicts(reads, answer):
    assert convictions(trace(cyclic(reads), 5, answer, answer)) == 0


def test_same_answers_of_the_program_without_a_cycle_are_convicted():
    assert convictions(trace(copies(), 5, 5, 5)) == 0
    assert convictions(trace(copies(), 5, 7, 7)) == 3


@pytest.mark.parametrize("reads", CYCLES.values(), ids=CYCLES)
def test_cycle_is_another_program_and_is_not_loaded(reads):
    program = cyclic(reads)
    assert program.id != copies().id
    with pytest.raises(MalformedProgram, match=r"operand|reads|later"):
        from_files(to_files(program, {}))
