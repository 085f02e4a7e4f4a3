# SPDX-License-Identifier: MIT OR Apache-2.0
"""One operator as a whole program, run by execute's reference and by big_integers; and strategies that draw ugly operands."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from differential import big_integers
from differential.big_integers import Grid
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens

QUICK = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
"""Bounded and the same in every run; the slow suites raise it."""

DTYPE_ENDS = [(0, 255), (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)]


@dataclass(frozen=True)
class Operand:
    """Values in C order with their shape; an input of that interval, or a constant if there is none."""

    shape: tuple[int, ...]
    flat: tuple[int, ...]
    interval: tuple[int, int] | None = None

    @property
    def array(self) -> np.ndarray:
        return np.array(self.flat, dtype=np.int64).reshape(self.shape)

    @property
    def grid(self) -> Grid:
        return Grid(self.shape, list(self.flat))


@dataclass(frozen=True)
class Form:
    """A requantisation in plain integers."""

    multiplier: tuple[int, ...] = (1,)
    offset: tuple[int, ...] = (0,)
    shift: int = 0
    low: int = 0
    high: int = 255

    @property
    def ours(self) -> Requantise:
        return Requantise(np.array(self.multiplier), np.array(self.offset), self.shift, self.low, self.high)


DEFAULTS: dict[str, dict[str, Any]] = {
    "matmul": {"x_zero": 0, "w_zero": 0},
    "mul": {"x_zero": 0, "y_zero": 0},
    "sum": {"axes": 1},
    "max": {"axes": 0},
    "lookup": {"mantissa": 0},
    "divide": {"scale": 1},
    "rearrange": {"axis": 0, "fill": 0},
}


def program_of(kind: str, operands: list[Operand], form: Form | None = None, **attributes: Any) -> Program:
    """Inputs and constants in order, one operator, one output."""
    builder = Builder()
    refs = [
        builder.constant(o.array) if o.interval is None else builder.input(f"x{i}", o.shape, Interval(*o.interval), Tokens())
        for i, o in enumerate(operands)
    ]
    made = builder.apply(kind, *refs, requantise=form and form.ours, **attributes)
    builder.output("y", made, Tokens())
    return builder.build()


def expected_of(kind: str, operands: list[Operand], form: Form | None = None, **attributes: Any) -> Grid:
    """By the big integers alone."""
    meaning = big_integers.MEANINGS[kind]({**DEFAULTS.get(kind, {}), **attributes}, *(o.grid for o in operands))
    if form is None:
        return meaning
    return big_integers.requantise(meaning, list(form.multiplier), list(form.offset), form.shift, form.low, form.high)


def assert_agrees(kind: str, operands: list[Operand], form: Form | None = None, **attributes: Any) -> Program:
    """The program's output is the big integers' output, and lies in the interval that was proved. Gives the program."""
    program = program_of(kind, operands, form, **attributes)
    inputs = {f"x{i}": o.array for i, o in enumerate(operands) if o.interval is not None}
    ours = run_reference(program, inputs).tensors[-1]
    expected, spec = expected_of(kind, operands, form, **attributes), program.operators[-1].output
    assert (ours.shape, ours.dtype) == (expected.shape, spec.dtype.numpy) and spec.shape == expected.shape
    assert ours.ravel().tolist() == expected.flat, (kind, attributes)
    assert spec.interval.low <= min(expected.flat) and max(expected.flat) <= spec.interval.high
    return program


def intervals(least: int, greatest: int) -> st.SearchStrategy[tuple[int, int]]:
    """Inside [least, greatest]; the ends of dtypes, single values and the whole range are drawn often."""
    ends = sorted(
        {e for pair in DTYPE_ENDS for e in pair if least <= e <= greatest} | {least, greatest, max(least, min(0, greatest))}
    )
    value = st.one_of(st.sampled_from(ends), st.integers(least, greatest))
    return st.tuples(value, value).map(lambda pair: (min(pair), max(pair)))


@st.composite
def operands(draw, shape: tuple[int, ...], least: int = -(2**15), greatest: int = 2**15 - 1, constant: bool = False) -> Operand:
    """Values in a drawn interval of [least, greatest], both of its ends often among them."""
    low, high = draw(intervals(least, greatest))
    value = st.one_of(st.sampled_from([low, high]), st.integers(low, high))
    size = prod(shape)
    flat = tuple(draw(st.lists(value, min_size=size, max_size=size)))
    return Operand(shape, flat, None if constant else (low, high))


def shapes(least_rank: int = 0, most_rank: int = 3, most_size: int = 4) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(1, most_size), min_size=least_rank, max_size=most_rank).map(tuple)


@st.composite
def broadcastable(draw, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that stretches to `shape`: leading axes dropped, others of one entry."""
    dropped = draw(st.integers(0, len(shape)))
    return tuple(draw(st.sampled_from([1, size])) for size in shape[dropped:])


@st.composite
def forms(draw, channels: int, reach: int = 2**46) -> Form | None:
    """None, or a requantisation: shifts 0 and 62, saturation at both ends, negative offsets, one or every channel."""
    if draw(st.booleans()):
        return None
    count = draw(st.sampled_from([1, channels]))
    shift = draw(st.one_of(st.sampled_from([0, 1, 31, 61, 62]), st.integers(0, 62)))
    multiplier = st.one_of(st.sampled_from([0, 1, 2**15 - 1]), st.integers(0, 2**15 - 1))
    room = 2**61 - 2**20
    offset = st.one_of(st.sampled_from([0, 1 << max(shift - 1, 0) if shift < 61 else 0, -room, room]), st.integers(-room, room))
    low, high = draw(st.one_of(st.sampled_from([(0, 255), (-128, 127), (0, 0), *DTYPE_ENDS]), intervals(-(2**31), 2**31 - 1)))
    draws = [tuple(draw(st.lists(each, min_size=count, max_size=count))) for each in (multiplier, offset)]
    return Form(*draws, shift, low, high)
