# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml demo` by the native prover, and who proves where it is not installed; `vml doctor` on either machine."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from verifiable_ml.cli import app, demo
from verifiable_ml.cli.doctor import CONTRACTS

runner = CliRunner()


@pytest.fixture
def no_extension(monkeypatch):
    monkeypatch.setitem(sys.modules, "verifiable_ml_sumcheck", None)


def findings() -> dict[str, dict[str, str]]:
    said = json.loads(runner.invoke(app, ["doctor", "--json"]).stdout)
    assert said["healthy"]
    return {finding["thing"]: finding for finding in said["findings"]}


def test_demo_by_the_native_prover_pays_for_the_truth_and_refuses_the_lie():
    pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")
    done = runner.invoke(app, ["demo", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["backend"] == "sumcheck"
    assert (told["off_chain"]["accepted"], told["on_chain"]["accepted"]) == (True, True)
    assert (told["lie_off_chain"]["accepted"], told["lie_on_chain"]["accepted"]) == (False, False)
    assert told["lie_to_contract"] == "ProofRejected()"
    assert told["paid_wei"] == 10**18


def test_demo_without_the_extension_takes_ezkl(no_extension):
    assert demo._installed() == "ezkl"


def test_demo_takes_the_native_prover_where_it_is_installed():
    pytest.importorskip("verifiable_ml_sumcheck")
    assert demo._installed() == "sumcheck"


@pytest.mark.parametrize("words", ["demo -b replay", "demo dispute -b ezkl"])
def test_demo_by_a_backend_that_it_cannot_use_is_refused(words):
    done = runner.invoke(app, [*words.split(), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["error"]) == (2, "InvalidInput")


def test_doctor_names_the_native_prover_its_version_and_its_contracts():
    pytest.importorskip("verifiable_ml_sumcheck")
    found = findings()
    assert found["native prover"]["state"] == "ok"
    assert "verifiable-ml-sumcheck 0.1.0, interface" in found["native prover"]["detail"]
    assert {"SumcheckVerifier", "SumcheckClaimVerifier", "SumcheckWay"} <= {*CONTRACTS}
    assert all(found[f"contract {name}"]["state"] == "ok" for name in CONTRACTS)


def test_doctor_without_the_extension_says_how_to_get_it_and_is_healthy(no_extension):
    found = findings()["native prover"]
    assert (found["state"], "./circuits/sumcheck" in found["way_out"]) == ("missing", True)
