# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a step costs as a transaction of its own, EIP-7623 included: the table of rule 37 with real steps, and rule 39's limit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from differential.dear_steps import LAYERS, dear_step
from differential.step_cases import Step
from differential.step_chain import Refused, advance_of, chain, finish_of

TABLE = Path(__file__).with_name("step_gas.json")
LIMIT = 400_000
REFUSED = {"max 4x4, C=960, 14"}
"""Sixteen taps in sixteen leaves, each with a path of its own: calldata alone takes it beyond rule 39's limit."""


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
    assert (cost <= LIMIT) == (layer.name not in REFUSED)
    assert abs(cost - told[layer.name]) <= told[layer.name] // 100, "if on purpose: python tests/differential/test_steps_gas.py"


if __name__ == "__main__":
    TABLE.write_text(json.dumps(measured(), indent=1) + "\n")
