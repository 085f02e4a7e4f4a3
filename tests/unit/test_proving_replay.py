# SPDX-License-Identifier: MIT OR Apache-2.0
"""replay: what running the program again accepts and rejects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.commitment import InputCommitment, OutputBytes, Privacy
from verifiable_ml.commitment.codec import Dtype
from verifiable_ml.errors import InvalidInput, MalformedEvidence, UnsupportedModel
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.proving import Proof, backend, read_key

REPLAY = backend("replay")


@pytest.fixture(scope="module")
def keys():
    return REPLAY.setup(tiny_program(), Privacy())


@pytest.fixture(scope="module")
def proof(keys):
    return REPLAY.prove(tiny_program(), TINY_INPUT, keys)


def test_replay_honest_proof_is_accepted_after_travelling(keys, proof):
    key = read_key(keys.verification.to_bytes())
    assert key.id == keys.verification.id
    assert REPLAY.verify(Proof.from_bytes(proof.to_bytes()), proof.claim, key).accepted


def test_replay_claim_is_the_one_of_a_plain_run(proof):
    assert proof.claim == public_claim(run_reference(tiny_program(), TINY_INPUT))


def _telling(proof, **changes):
    return replace(proof, claim=replace(proof.claim, **changes))


LIES = {
    "other outputs": lambda p: _telling(p, outputs=(OutputBytes(p.claim.outputs[0].dtype, bytes(6)),)),
    "another program": lambda p: _telling(p, program_id=bytes(32)),
    "cannot hide": lambda p: _telling(p, privacy=Privacy("hashed")),
    "not the one that the claim commits to": lambda p: replace(p, public_inputs=(bytes(4),)),
    "commits to": lambda p: _telling(p, inputs=(InputCommitment.public(Dtype.U8, bytes(4)),)),
    "leaves its interval": lambda p: replace(p, public_inputs=(b"\xff" * 4,)),
    "backend 'ezkl'": lambda p: replace(p, backend="ezkl"),
}


@pytest.mark.parametrize("reason", LIES)
def test_replay_lie_is_rejected_for_its_reason(keys, proof, reason):
    told = LIES[reason](proof)
    verdict = REPLAY.verify(told, told.claim, keys.verification)
    assert not verdict.accepted
    assert reason in verdict.reason


def test_replay_proof_of_another_claim_is_rejected(keys, proof):
    asserted = replace(proof.claim, outputs=(OutputBytes(proof.claim.outputs[0].dtype, bytes(6)),))
    assert REPLAY.verify(proof, asserted, keys.verification).reason == "the proof is about another claim"


@pytest.mark.parametrize("change", [{"payload": b"\0"}, {"public_inputs": ()}, {"public_inputs": (bytes(5),)}], ids=str)
def test_replay_garbage_is_malformed_evidence(keys, proof, change):
    with pytest.raises(MalformedEvidence):
        REPLAY.verify(replace(proof, **change), proof.claim, keys.verification)


def test_replay_key_with_any_byte_changed_is_malformed_evidence(keys):
    data = keys.verification.to_bytes()
    for at in range(0, len(data), 97):
        with pytest.raises(MalformedEvidence):
            read_key(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_replay_hides_nothing():
    with pytest.raises(UnsupportedModel, match="sees the input"):
        REPLAY.setup(tiny_program(), Privacy("hashed"))


def test_replay_key_has_nothing_for_a_contract(keys):
    with pytest.raises(UnsupportedModel):
        keys.verification.registration()


def test_replay_keys_of_another_program_are_refused(keys):
    with pytest.raises(InvalidInput, match="another program"):
        REPLAY.prove(tiny_program(logits=2), TINY_INPUT, keys)


def test_backend_of_unknown_name_lists_those_there_are():
    with pytest.raises(InvalidInput, match="ezkl, replay"):
        backend("plonk")
