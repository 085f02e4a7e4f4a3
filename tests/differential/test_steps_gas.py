# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a step costs as a transaction of its own, EIP-7623 included: the table of rule 37 with real steps, and rule 39's limit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from differential.dear_steps import LAYERS, dear_step, program_of
from differential.step_cases import Step
from differential.step_chain import Refused, advance_of, chain, finish_of
from verifiable_ml.dispute.opening import MISSING
from verifiable_ml.program import OPERATORS
from verifiable_ml.program.evidence import MAX_EVIDENCE, most_shown

TABLE = Path(__file__).with_name("step_gas.json")
LIMIT = 400_000


def execution(function: str, arguments: bytes) -> int:
    """Gas of a call without its intrinsic cost."""
    answer = chain().call(function, arguments)
    assert not isinstance(answer, Refused), answer
    return chain().gas_used - intrinsic(chain().calldata(function, arguments), 4, 16)


def intrinsic(calldata: bytes, zero: int, other: int) -> int:
    zeros = calldata.count(0)
    return 21_000 + zero * zeros + other * (len(calldata) - zeros)


def gas(step: Step) -> int:
    """Of advance and finish in one transaction with the evidence as calldata: no less than the floor of EIP-7623."""
    evidence = advance_of(step.data, step.statement, step.openings, step.record, step.start)
    calldata = chain().calldata("advance", evidence)
    spent = execution("advance", evidence)
    spent += execution("finish", finish_of(step.data, step.statement.element, step.start, step.record))
    return max(intrinsic(calldata, 10, 40), intrinsic(calldata, 4, 16) + spent)


def measured() -> dict[str, int]:
    return {layer.name: gas(dear_step(layer)) for layer in LAYERS}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_step_of_a_layer_costs_what_the_table_says(layer):
    cost, told = gas(dear_step(layer)), json.loads(TABLE.read_text())
    assert told.keys() == {layer.name for layer in LAYERS}
    assert cost <= LIMIT
    assert abs(cost - told[layer.name]) <= told[layer.name] // 100, "if on purpose: python tests/differential/test_steps_gas.py"


def test_table_has_every_kind_of_operator():
    assert {dear_step(layer).statement.descriptor.kind for layer in LAYERS} == OPERATORS.keys()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_step_of_a_layer_shows_no_more_than_is_foreseen(layer):
    step, program = dear_step(layer), program_of(layer, np.random.default_rng(1))
    runs = [run for opening in step.openings for run in opening.runs] + [step.record or MISSING]
    paths = sum(len(opening.path) for opening in step.openings)
    shown = sum(len(run.data) + 32 * len(run.siblings) for run in runs) + 32 * paths + len(step.data)
    assert shown <= most_shown(program, program.operators[-1]) <= MAX_EVIDENCE


if __name__ == "__main__":
    TABLE.write_text(json.dumps(measured(), indent=1) + "\n")
