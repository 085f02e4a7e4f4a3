# SPDX-License-Identifier: MIT OR Apache-2.0
"""seeds/two_contracts runs, and its story is true."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

SCENARIO = Path(__file__).resolve().parents[2] / "seeds" / "two_contracts" / "scenario.py"


@pytest.mark.timeout(600)
def test_two_contracts_pays_the_beneficiary_and_refuses_the_liar():
    spec = importlib.util.spec_from_file_location("two_contracts_scenario", SCENARIO)
    scenario = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = scenario
    spec.loader.exec_module(scenario)
    said: list[str] = []
    told = scenario.main(said.append)
    assert told.answer == told.label
    assert told.lie_refused_with == "ProofRejected()"
    assert told.replay_refused_with == "WrongStatus"
    assert told.paid == scenario.SUM
    assert told.gas["settle"] < 2_000_000
    assert len(said) == 7
