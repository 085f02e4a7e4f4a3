# SPDX-License-Identifier: MIT OR Apache-2.0
"""The road from a program to a verdict as a user walks it: real numbers in, a verdict out."""

from __future__ import annotations

from dataclasses import replace

import pytest

import verifiable_ml as vml
from verifiable_ml import api, proving
from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.frontend import zoo


@pytest.fixture(scope="module")
def walked():
    entry = zoo.model("digits-mlp")
    return vml.compile(entry.path, entry.calibration()), entry.test(4)[0][3]


@pytest.mark.parametrize("backend", proving.BACKENDS)
def test_proof_of_a_sample_is_accepted_and_a_lie_is_not(cache_folder, walked, backend):
    program, x = walked
    keys = vml.setup(program, backend)
    proof = vml.prove(program, x, keys, saturate=True)
    claim, _ = program.run(x, saturate=True)
    assert proof.claim == claim
    assert vml.verify(proof, claim, keys.verification).accepted
    lie = replace(claim, outputs=(replace(claim.outputs[0], data=claim.outputs[0].data[::-1]),))
    assert not vml.verify(replace(proof, claim=lie), lie, keys.verification).accepted


def test_estimate_comes_before_any_key(cache_folder, walked):
    found = vml.estimate(walked[0], "ezkl")
    assert 1000 < found.rows < 1 << found.logrows


@pytest.mark.parametrize(
    ("hide", "modes"),
    [
        ((), ("public", "public")),
        (("input",), ("hashed", "public")),
        (("weights",), ("public", "committed")),
        (("input=private", "weights=hashed"), ("private", "hashed")),
    ],
)
def test_hide_names_a_mode(hide, modes):
    assert api.privacy(hide) == vml.Privacy(*modes)


@pytest.mark.parametrize("item", ["output", "input=committed", "weights=secret", "", "input=public=hashed"])
def test_hide_of_something_else_is_refused(item):
    with pytest.raises(InvalidInput, match="nothing to hide"):
        api.privacy((item,))


def test_setup_of_unknown_backend_is_refused(walked):
    with pytest.raises(InvalidInput, match="sumcheck, ezkl, replay"):
        vml.setup(walked[0], "plonk")


def test_setup_of_replay_with_a_hidden_input_is_refused(walked):
    with pytest.raises(UnsupportedModel):
        vml.setup(walked[0], "replay", ("input",))
