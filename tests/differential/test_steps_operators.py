# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every step in Python and in Solidity, on honest evidence: the same accumulators, the same integers (properties 41 and 43)."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from differential.big_integers import Grid, requantise
from differential.random_programs import KINDS
from differential.step_cases import Step, random_trace, steps, trace_of
from differential.step_chain import chain
from vectors.operator_cases import CASES
from verifiable_ml.commitment import Dtype, tensor_root
from verifiable_ml.dispute.descriptor import parse
from verifiable_ml.dispute.opening import Run
from verifiable_ml.dispute.step import Accumulator, advance, finish
from verifiable_ml.execute import OnnxView, Trace, run_reference
from verifiable_ml.program import Builder, Interval, Tokens

PIECED = {"matmul", "conv", "sum", "max", "argmax"}


def assert_alike(step: Step) -> None:
    d, element = step.statement.descriptor, step.statement.element
    assert advance(step.statement, step.openings, step.record, step.start) == step.end
    assert chain().advance(step.data, step.statement, step.openings, step.record, step.start) == step.end
    if step.is_last:
        assert finish(d, element, step.end, step.record) == step.value
        assert chain().finish(step.data, element, step.end, step.record) == step.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_property_43_step_named_case_on_chain_is_the_traces(case):
    trace = trace_of(case)
    for element in range(trace.tensors[-1].size):
        for step in steps(trace, len(trace.tensors) - 1, element):
            assert_alike(step)


def some_elements(trace: Trace, rng: np.random.Generator) -> list[int]:
    """Of the last tensor: both ends, and others as long as there are not too many terms."""
    size = trace.tensors[-1].size
    count = min(size, 40 if max(tensor.size for tensor in trace.tensors) < 2_000 else 4)
    return sorted({0, size - 1, *rng.choice(size, count, replace=False).tolist()})


def assert_many_alike(kind: str, count: int) -> None:
    rng = np.random.default_rng(list(kind.encode()))
    seen, later = 0, 0
    while seen < count:
        trace = random_trace(kind, rng)
        for element in some_elements(trace, rng):
            for step in steps(trace, len(trace.tensors) - 1, element):
                assert_alike(step)
                seen, later = seen + 1, later + (step.statement.piece > 0)
    assert bool(later) == (kind in PIECED), "operators of several pieces are tested on several"


@pytest.mark.parametrize("kind", KINDS)
def test_property_43_step_a_thousand_random_pieces_are_alike(kind):
    assert_many_alike(kind, 1_000)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("kind", KINDS)
def test_property_43_step_a_hundred_thousand_random_pieces_are_alike(kind):
    assert_many_alike(kind, 100_000)


def test_property_41_taps_in_the_padding_read_the_zero_point():
    """As if it stood there: in NumPy, in onnxruntime, and in the steps, of which some read nothing but padding."""
    shown, rest = (
        np.arange(200, 208).reshape(1, 4, 2),
        {"x_zero": 7, "w_zero": -1, "strides": (1,), "dilations": (1,), "groups": 1},
    )
    tensors = []
    for x, pads in ((shown, (3, 4)), (np.pad(shown, ((0, 0), (3, 4), (0, 0)), constant_values=7), (0, 0))):
        b = Builder()
        weights = b.constant(np.arange(-6, 6).reshape(2, 3, 2) ** 2)
        b.output("y", b.apply("conv", b.input("x", x.shape, Interval(0, 255), Tokens()), weights, pads=pads, **rest), Tokens())
        trace = run_reference(b.build(), {"x": x})
        assert OnnxView(trace.program, every_output=True).trace({"x": x}).root == trace.root
        for element in range(trace.tensors[1].size):
            for step in steps(trace, 1, element):
                assert_alike(step)
        tensors.append(trace.tensors[1])
    np.testing.assert_array_equal(*tensors)
    assert not tensors[0][:, [0, -1, -2]].any() and tensors[0][:, 1:-2].all()


SHIFTS, MULTIPLIERS = (0, 1, 31, 61, 62), (0, 1, 3, (1 << 15) - 1)
OFFSETS = (0, 1, -1, 1 << 30, -(1 << 61), (1 << 62) - 1, -(1 << 63), (1 << 63) - 1)
BOUNDS = ((0, 255), (0, 0), (-128, 127), (-(1 << 63), (1 << 63) - 1))


def assert_finishes_alike(rng: np.random.Generator, count: int) -> None:
    """Around ties and bounds, and as far as a liar's accumulator may lie. The form is the descriptor's; its record any bytes."""
    trace = trace_of(next(case for case in CASES if (case.kind, case.name) == ("matmul", "saturates_both_ends")))
    step = next(steps(trace, len(trace.tensors) - 1, 0))
    for _ in range(count):
        shift, multiplier, offset = (int(rng.choice(each)) for each in (SHIFTS, MULTIPLIERS, OFFSETS))
        low, high = BOUNDS[rng.integers(len(BOUNDS))]
        run = Run(0, struct.pack("<qq", multiplier, offset), ())
        root = tensor_root(Dtype.I64, run.data)
        place = len(step.data) - 57  # shift u8, low i64, high i64, root 32, terms and tau u32
        data = step.data[:place] + struct.pack(">Bqq", shift, low, high) + root + step.data[-8:]
        tie = ((2 * int(rng.integers(-3, 4)) + 1) << shift >> 1) - offset
        near = [0, tie // max(multiplier, 1), (low << shift) - offset, (high << shift) - offset, (1 << 190) - 1, 1 - (1 << 190)]
        value = min(max(near[rng.integers(len(near))] + int(rng.integers(-2, 3)), 1 - (1 << 190)), (1 << 190) - 1)
        wanted = requantise(Grid((1,), [value]), [multiplier], [offset], shift, low, high).flat[0]
        assert finish(parse(data), 0, Accumulator(value), run) == wanted
        assert chain().finish(data, 0, Accumulator(value), run) == wanted


def test_finish_any_accumulator_is_that_of_big_integers():
    assert_finishes_alike(np.random.default_rng(3), 2_000)


@pytest.mark.slow
def test_finish_a_hundred_thousand_accumulators_are_those_of_big_integers():
    assert_finishes_alike(np.random.default_rng(4), 100_000)
