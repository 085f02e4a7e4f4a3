# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every element, recomputed from openings piece by piece, is the element that the reference stored in the trace (property 43)."""

from __future__ import annotations

import numpy as np
import pytest

from differential.random_programs import KINDS
from differential.step_cases import random_trace, steps, trace_of
from vectors.operator_cases import CASES
from verifiable_ml.dispute.step import advance, finish
from verifiable_ml.execute import Trace


def assert_recomputed(trace: Trace, index: int) -> None:
    for element in range(trace.tensors[index].size):
        for step in steps(trace, index, element):
            assert advance(step.statement, step.openings, step.record, step.start) == step.end
        assert step.is_last
        assert finish(step.statement.descriptor, element, step.end, step.record) == step.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.name}")
def test_property_43_step_named_case_every_element_is_the_traces(case):
    assert_recomputed(trace_of(case), len(trace_of(case).tensors) - 1)


@pytest.mark.parametrize("kind", KINDS)
def test_property_43_step_random_program_every_element_is_the_traces(kind):
    rng = np.random.default_rng(list(kind.encode()))
    for _ in range(25):
        trace = random_trace(kind, rng)
        assert_recomputed(trace, len(trace.tensors) - 1)
