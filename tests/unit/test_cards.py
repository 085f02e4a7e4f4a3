# SPDX-License-Identifier: MIT OR Apache-2.0
"""What stands on the zoo's cards and in circuits/ezkl is what today's code gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiable_ml import api
from verifiable_ml.bench.accuracy import accuracy_of
from verifiable_ml.bench.card import about, answers, integers
from verifiable_ml.bench.circuit import circuit_of, text
from verifiable_ml.frontend import zoo

ROOT = Path(__file__).resolve().parents[2]
WHOLE = [name for name in zoo.names() if zoo.model(name).samples_test_rows == zoo.model(name).test_rows]
PART = [name for name in zoo.names() if name not in WHOLE]


def on_card(name: str) -> str:
    return (ROOT / "models" / name / "README.md").read_text()


@pytest.mark.parametrize("name", zoo.names())
def test_card_describes_the_model_and_its_program(name: str) -> None:
    model = zoo.model(name)
    program = api.compile(model.path, model.calibration())
    for label, value in (*about(model), *integers(program)):
        assert f"| {label} | {value} |" in on_card(name), "if the change is wanted: make cards"


@pytest.mark.parametrize("name", [*WHOLE, *(pytest.param(name, marks=pytest.mark.slow) for name in PART)])
def test_card_tells_the_accuracy_on_the_whole_test_split(name: str) -> None:
    found = accuracy_of(zoo.model(name))
    assert found.integer >= found.real - 0.005, "integers may lose half a point"
    for label, value in answers(found):
        assert f"| {label} | {value} |" in on_card(name), "if the change is wanted: make cards"


@pytest.mark.parametrize("name", zoo.names())
def test_circuit_of_the_zoo_is_the_committed_one(name: str, cache_folder: Path) -> None:
    path, made = ROOT / "circuits" / "ezkl" / f"{name}.json", circuit_of(name)
    assert path.exists() == (made is not None)
    if made is not None:
        assert path.read_text() == text(made), "if the change is wanted: make circuits"
        assert f"| circuit | {made['rows']:,} rows of 2^{made['run_arguments']['logrows']}; " in on_card(name), "make cards"
