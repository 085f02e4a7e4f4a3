# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every step in Python and in Solidity, on honest evidence: the same accumulators, the same integers (property 43)."""

from __future__ import annotations

import numpy as np
import pytest

from differential.random_programs import KINDS
from differential.step_cases import Step, random_trace, steps, trace_of
from differential.step_chain import chain
from vectors.operator_cases import CASES
from verifiable_ml.dispute.step import advance, finish


def assert_alike(step: Step) -> None:
    d, element = step.statement.descriptor, step.statement.element
    assert advance(step.statement, step.openings, step.record, step.start) == step.end
    assert chain().advance(step.data, step.statement, step.openings, step.record, step.start) == step.end
    if step.is_last:
        assert finish(d, element, step.end, step.record) == step.value
        assert chain().finish(step.data, element, step.end, step.record) == step.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_step_named_case_on_chain_is_the_traces(case):
    trace = trace_of(case)
    for element in range(trace.tensors[-1].size):
        for step in steps(trace, len(trace.tensors) - 1, element):
            assert_alike(step)


def assert_many_alike(kind: str, count: int) -> None:
    rng = np.random.default_rng(list(kind.encode()))
    seen = 0
    while seen < count:
        trace = random_trace(kind, rng)
        size = trace.tensors[-1].size
        for element in rng.choice(size, min(size, 40), replace=False).tolist():
            for step in steps(trace, len(trace.tensors) - 1, element):
                assert_alike(step)
                seen += 1


@pytest.mark.parametrize("kind", KINDS)
def test_step_a_thousand_random_pieces_are_alike(kind):
    assert_many_alike(kind, 1_000)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("kind", KINDS)
def test_step_a_hundred_thousand_random_pieces_are_alike(kind):
    assert_many_alike(kind, 100_000)
