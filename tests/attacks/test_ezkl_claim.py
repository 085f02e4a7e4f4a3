# SPDX-License-Identifier: MIT OR Apache-2.0
"""An honest proof with one thing changed, and the reason for which it is rejected. Every field of claim and proof is here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from verifiable_ml.chain import FIELD
from verifiable_ml.commitment import Dtype, InputCommitment, OutputBytes, Privacy
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.proving import Proof

PUBLIC, HASHED, PRIVATE = Privacy(), Privacy("hashed", "hashed"), Privacy("private", "committed")
MODES = [PUBLIC, HASHED, PRIVATE]


@pytest.mark.parametrize("privacy", MODES, ids=str)
def test_proof_of_honest_run_is_accepted(honest, privacy):
    verdict = honest(privacy).verify()
    assert verdict.accepted
    assert "UNSAFE" in verdict.assumption


def _flip(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _output(change: Callable[[bytes], bytes]) -> Callable[[Any], Any]:
    def told(h: Any) -> Any:
        return h.telling(outputs=(replace(h.claim.outputs[0], data=change(h.claim.outputs[0].data)),))

    return told


def _other_input(h: Any, data: bytes) -> Any:
    """The same bytes in the evidence and in the claim's commitment: an input that the proof is not about."""
    return h.telling(inputs=(InputCommitment.public(Dtype.U8, data),)).sending(public_inputs=(data,))


def _other_digest(h: Any) -> Any:
    return h.telling(inputs=(replace(h.claim.inputs[0], digest=_flip(h.claim.inputs[0].digest, -1)),))


def _payload(change: Callable[[bytes], bytes]) -> Callable[[Any], Any]:
    return lambda h: h.sending(payload=change(h.proof.payload))


def _zero_proof(data: bytes) -> bytes:
    return bytes(len(data))


@dataclass(frozen=True)
class Lie:
    name: str
    privacy: Privacy
    tell: Callable[[Any], Any]
    reason: str

    def __str__(self) -> str:
        return self.name


FALSE = "does not hold for these public values"
LIES = (
    Lie("output_flipped", PUBLIC, _output(lambda d: _flip(d, 0)), FALSE),
    Lie("output_flipped_hashed", HASHED, _output(lambda d: _flip(d, -2)), FALSE),
    Lie("output_flipped_private", PRIVATE, _output(lambda d: _flip(d, -1)), FALSE),
    Lie("output_too_short", PUBLIC, _output(lambda d: d[:-2]), "output 0 is 4 bytes"),
    Lie("output_too_long", PUBLIC, _output(lambda d: d + bytes(2)), "output 0 is 8 bytes"),
    Lie("output_dtype", PUBLIC, lambda h: h.telling(outputs=(replace(h.claim.outputs[0], dtype=Dtype.U8),)), "bytes of u8"),
    Lie("two_outputs", PUBLIC, lambda h: h.telling(outputs=h.claim.outputs * 2), "another number of inputs or outputs"),
    Lie("two_inputs", PUBLIC, lambda h: h.telling(inputs=h.claim.inputs * 2), "another number of inputs or outputs"),
    Lie("program", PUBLIC, lambda h: h.telling(program_id=bytes(32)), "another program"),
    Lie("input_privacy", PUBLIC, lambda h: h.telling(privacy=Privacy("hashed")), "the claim's privacy"),
    Lie("weight_privacy", HASHED, lambda h: h.telling(privacy=Privacy("hashed", "committed")), "the claim's privacy"),
    Lie("input", PUBLIC, lambda h: _other_input(h, bytes([1, 60, 3, 34])), FALSE),
    Lie("input_outside_interval", PUBLIC, lambda h: _other_input(h, bytes([1, 60, 3, 64])), "leaves its interval [0, 63]"),
    Lie("input_too_long", PUBLIC, lambda h: _other_input(h, bytes(5)), "has 5 bytes, the program takes 4"),
    Lie("input_bytes_only", PUBLIC, lambda h: h.sending(public_inputs=(bytes(4),)), "not the one that the claim commits to"),
    Lie("input_root_only", PUBLIC, _other_digest, "not the one that the claim commits to"),
    Lie("input_scheme", PUBLIC, lambda h: h.telling(inputs=(InputCommitment(3, h.claim.inputs[0].digest),)), "not the one"),
    Lie("digest", HASHED, _other_digest, FALSE),
    Lie("digest_scheme", HASHED, lambda h: h.telling(inputs=(InputCommitment(0, h.claim.inputs[0].digest),)), "by Poseidon"),
    Lie("private_input_named", PRIVATE, _other_digest, "a private input is named"),
    Lie("backend", PUBLIC, lambda h: h.sending(backend="replay"), "backend 'replay'"),
    Lie("first_point", PUBLIC, _payload(lambda d: _flip(d, 0)), FALSE),
    Lie("middle", PUBLIC, _payload(lambda d: _flip(d, len(d) // 2)), FALSE),
    Lie("last_word", PUBLIC, _payload(lambda d: _flip(d, -1)), FALSE),
    Lie("zeros", PUBLIC, _payload(_zero_proof), FALSE),
    Lie("ones", PUBLIC, _payload(lambda d: b"\xff" * len(d)), FALSE),
    Lie("commitment_to_weights", PRIVATE, _payload(lambda d: _flip(d, 63)), "other weights"),
)


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_evidence_with_one_thing_changed_is_rejected_for_its_reason(honest, lie):
    told = lie.tell(honest(lie.privacy))
    verdict = told.verify()
    assert not verdict.accepted
    assert lie.reason in verdict.reason


def test_proof_that_names_another_claim_than_the_asserted_one_is_rejected(honest):
    h = honest()
    told = _output(lambda d: _flip(d, 0))(h).claim
    assert h.backend.verify(h.proof, told, h.key).reason == "the proof is about another claim"


def _instances_field(h: Any) -> bytes:
    """A travelling proof with a field that a verifier might be tempted to read."""
    return h.proof.to_bytes().replace(b'"payload"', b'"instances": [],\n "payload"')


GARBAGE = {
    "trailing_zero_word": lambda h: h.sending(payload=h.proof.payload + bytes(32)),
    "trailing_byte": lambda h: h.sending(payload=h.proof.payload + b"\0"),
    "cut": lambda h: h.sending(payload=h.proof.payload[:-32]),
    "empty": lambda h: h.sending(payload=b""),
    "no_public_input": lambda h: h.sending(public_inputs=()),
    "two_public_inputs": lambda h: h.sending(public_inputs=h.proof.public_inputs * 2),
    "claim_without_outputs": lambda h: h.telling(outputs=()),
    "claim_of_half_an_element": lambda h: h.telling(outputs=(OutputBytes(Dtype.I16, b"\0"),)),
    "program_id_of_another_length": lambda h: h.telling(program_id=b""),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_malformed_evidence(honest, name):
    h = GARBAGE[name](honest())
    with pytest.raises(MalformedEvidence):
        h.backend.verify(h.proof, h.claim, h.key)


def test_digest_beyond_the_field_is_malformed_evidence(honest):
    h = honest(HASHED)
    digest = int.from_bytes(h.claim.inputs[0].digest, "big") + FIELD
    with pytest.raises(MalformedEvidence, match="canonical"):
        h.telling(inputs=(InputCommitment(1, digest.to_bytes(32, "big")),)).verify()


def test_hidden_input_with_bytes_in_the_open_is_malformed_evidence(honest):
    with pytest.raises(MalformedEvidence):
        honest(HASHED).sending(public_inputs=(bytes(4),)).verify()


def test_file_with_a_field_of_the_circuit_is_malformed_evidence(honest):
    with pytest.raises(MalformedEvidence):
        Proof.from_bytes(_instances_field(honest()))


@pytest.mark.parametrize("at", range(0, 113, 16))
@pytest.mark.parametrize("modulus", ["scalar", "base"])
def test_word_of_a_proof_written_in_another_way_is_rejected(honest, at, modulus):
    """w + p names the same element as w: a proof has one form only."""
    h = honest()
    prime = FIELD if modulus == "scalar" else 21888242871839275222246405745257275088696311157297823662689037894645226208583
    word = int.from_bytes(h.proof.payload[32 * at : 32 * at + 32], "big") + prime
    told = h.proof.payload[: 32 * at] + word.to_bytes(32, "big") + h.proof.payload[32 * at + 32 :]
    assert not h.sending(payload=told).verify().accepted


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_of_the_right_length_are_rejected(honest, seed):
    h = honest()
    told = np.random.default_rng(seed).bytes(len(h.proof.payload))
    assert FALSE in h.sending(payload=told).verify().reason


@pytest.mark.parametrize(("keyed", "proven"), [(PUBLIC, HASHED), (HASHED, PRIVATE), (PRIVATE, PUBLIC)], ids=str)
def test_proof_under_the_key_of_another_privacy_is_rejected(honest, keyed, proven):
    verdict = honest(proven).backend.verify(honest(proven).proof, honest(proven).claim, honest(keyed).key)
    assert "the claim's privacy" in verdict.reason
