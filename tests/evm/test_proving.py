# SPDX-License-Identifier: MIT OR Apache-2.0
"""Proofs of our own backend before the ClaimVerifier: what is accepted off chain is accepted there, and a lie nowhere."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.conftest import HASHED, PRIVATE, PUBLIC, TINY_INPUT, tiny_program
from verifiable_ml import chain as chains
from verifiable_ml.commitment import Privacy
from verifiable_ml.proving import read_key
from verifiable_ml.proving.ezkl import cache, setup


@pytest.fixture(scope="module")
def chain():
    return chains.embedded()


@pytest.mark.parametrize("privacy", [PUBLIC, HASHED, PRIVATE, Privacy("hashed", "committed")], ids=str)
def test_proof_accepted_off_chain_is_accepted_by_the_contract_and_a_lie_by_neither(chain, honest, privacy):
    h = honest(privacy)
    assert h.verify().accepted
    receipt = chain.verify(h.proof, h.claim, h.key)
    assert receipt.accepted, receipt.reason
    output = h.claim.outputs[0]
    lie = h.telling(outputs=(replace(output, data=bytes([output.data[0] ^ 1]) + output.data[1:]),))
    assert not lie.verify().accepted
    assert chain.verify(lie.proof, lie.claim, h.key).reason == "ProofRejected()"


def test_key_too_long_for_the_reusable_verifier_brings_a_verifier_of_its_own(ezkl, tmp_path, monkeypatch):
    """Pretend that the limit is low: the key then carries its source, which is compiled, deployed, and accepts."""
    ezkl.setup(tiny_program(), PUBLIC)
    shutil.copytree(cache.root() / "srs", tmp_path / "srs")
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(setup, "DEDICATED_ABOVE_WORDS", 10)
    keys = ezkl.setup(tiny_program(), PUBLIC)
    proof = ezkl.prove(tiny_program(), TINY_INPUT, keys)
    assert "contract Halo2Verifier" in (keys.verification.verifier_source or "")
    receipt = chains.embedded().verify(proof, proof.claim, read_key(keys.verification.to_bytes()))
    assert receipt.accepted, receipt.reason
