# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the native tables are made of: a proof measured from outside, gas counted opcode by opcode, a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.bench.gas import TRANSACTION, metered
from verifiable_ml.bench.native import gas_of, native_costs
from verifiable_ml.bench.plot import Line, Picture, plot
from verifiable_ml.bench.table import Table
from verifiable_ml.chain import embedded, evidence_arguments
from verifiable_ml.cli import app
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import ChainError, WorkerFailed
from verifiable_ml.proving import batch_backend

INPUTS = [TINY_INPUT, {"x": np.array([[0, 63, 1, 2]], np.uint8)}]


@pytest.fixture(scope="module")
def proved():
    pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")
    backend = batch_backend("sumcheck")
    keys = backend.setup(tiny_program(), Privacy(), count=2)
    return backend.prove_batch(tiny_program(), INPUTS, keys), keys.verification


def test_costs_are_those_of_a_process_of_its_own(proved):
    found = native_costs(tiny_program(), INPUTS, gas=False)
    assert found.count == 2
    assert 20e6 < found.idle_bytes <= found.peak_bytes
    assert found.proof_bytes == len(proved[0].payload)
    assert found.key_bytes == len(proved[1].to_bytes())
    assert min(found.setup_seconds, found.prove_seconds, found.verify_seconds, found.run_seconds) > 0
    assert found.ratio == found.prove_seconds / (2 * found.run_seconds)
    assert (found.register_gas, found.verify_gas) == (0, 0)
    expected = batch_backend("sumcheck").estimate(tiny_program(), Privacy(), 2)
    assert found.peak_bytes - found.idle_bytes < 2 * expected.memory_bytes
    assert (found.values, found.row_bits) == (expected.rows, expected.logrows)


def test_refusal_in_that_process_is_told(proved, monkeypatch):
    monkeypatch.setenv("VML_MEMORY_LIMIT", "1000")
    with pytest.raises(WorkerFailed, match="ResourceExceeded"):
        native_costs(tiny_program(), INPUTS, gas=False)


def test_gas_of_a_batch_is_that_of_a_proof_which_holds(proved):
    proof, key = proved
    stored, verified = gas_of(proof, key)
    assert stored > 200_000 and verified > 400_000
    with pytest.raises(ChainError, match="a native proof"):
        gas_of(replace(proof, claims=proof.claims[::-1], public_inputs=proof.public_inputs[::-1]), key)


def test_parts_of_the_gas_are_all_of_it_and_what_is_left_is_the_calldata(proved):
    backend, chain = batch_backend("sumcheck"), embedded()
    keys = backend.setup(tiny_program(), Privacy())
    proof = backend.prove(tiny_program(), TINY_INPUT, keys)
    chain.register(keys.verification.registration())
    (contract,) = chain.claim_verifiers.values()
    arguments = proof.claim.program_id, proof.claim.privacy.code, *evidence_arguments(proof.claim, proof)
    with metered() as parts:
        sent = contract.send("record", *arguments)
    data = contract.node.web3.eth.get_transaction(sent.transaction)["input"]
    zeros = bytes(data).count(0)
    assert sent.gas_used - parts.total() == 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    assert parts["pairing"] == 45_000 + 2 * 34_000
    assert min(parts[name] for name in ("hashing", "field operations", "sums and multiples of points")) > 0
    assert TRANSACTION not in parts
    counted = parts.total()
    contract.send("record", *arguments)
    assert parts.total() == counted, "it counts on after its end"


# ---- the picture -------------------------------------------------------------------------------------------------------

LINES = [Line("up", ((10.0, 0.01), (100.0, 0.1), (1000.0, 1.0))), Line("flat", ((10.0, 0.5), (1000.0, 0.5)))]


def test_plot_puts_equal_ratios_at_equal_distances():
    drawn = ET.fromstring(plot(LINES, "x", "y"))
    up, flat = (
        [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")
    )
    (a, b), (c, d), (e, f) = up
    assert (c - a, d - b) == pytest.approx((e - c, f - d), abs=0.11)
    assert flat[0][1] == flat[1][1]
    assert {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")} >= {"x", "y", "up", "flat", "0.01", "1,000"}


def test_page_shows_a_picture_that_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = Table("t", "T", ("a",), ((1,),), picture=Picture("t.svg", plot(LINES, "x", "y"), "what it shows"))
    monkeypatch.setattr("verifiable_ml.bench.TABLES", {"t": lambda step: made})
    for _ in range(2):
        assert CliRunner().invoke(app, ["bench", "t", "-o", "page.md"]).exit_code == 0
    assert "![what it shows](t.svg)" in Path("page.md").read_text()
    assert Path("t.svg").read_text() == made.picture.svg
    Path("t.svg").write_text("something of somebody's")
    assert CliRunner().invoke(app, ["bench", "t", "-o", "page.md"]).exit_code == 2


# ---- the networks ------------------------------------------------------------------------------------------------------


def test_networks_have_the_sizes_that_they_are_named_for():
    torch = pytest.importorskip("torch")
    from verifiable_ml.bench.architectures import vgg_16
    from verifiable_ml.bench.networks import LARGER, WIDER, cnn_264k, dense

    def count(network) -> int:
        return sum(part.numel() for part in network.parameters())

    assert count(cnn_264k()) == 263_970
    assert count(dense(1000, 4, 1000, 3)) == 4_007_003
    convolutions = [layer for layer in vgg_16(()).modules() if isinstance(layer, torch.nn.Conv2d)]
    assert (len(convolutions), [layer.out_features for layer in vgg_16(()).modules() if isinstance(layer, torch.nn.Linear)]) == (
        13,
        [10],
    )
    assert len(WIDER) == len(LARGER) == 10
