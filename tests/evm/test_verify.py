# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the ClaimVerifier on an embedded EVM accepts, and that no field of the evidence can be varied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain.artifacts import CHECKOUT, Artifact
from verifiable_ml.commitment import Dtype, InputCommitment, OutputBytes, Privacy
from verifiable_ml.errors import ChainError, MalformedEvidence


@pytest.mark.parametrize("mode", ["public", "hashed", "private"])
def test_verify_true_proof_is_accepted_and_recorded(registered, proofs, mode):
    proof = proofs[mode]
    receipt = registered.verify(proof, proof.claim, proof)
    assert receipt.accepted
    assert receipt.reason == ""
    assert receipt.claim_id == proof.claim.id
    assert 500_000 < receipt.gas_used < 2_000_000
    assert len(receipt.transaction) == 32


def test_verify_on_fresh_embedded_chain_registers_by_itself(public):
    chain = chains.embedded()
    assert chain.verify(public, public.claim, public).accepted
    assert chain.check(public.registration()) == ()


def _claim(**changes: Any) -> Callable[[Any], Any]:
    return lambda proof: replace(proof, claim=replace(proof.claim, **changes))


def _output(data: bytes, dtype: Dtype = Dtype.I16) -> Callable[[Any], Any]:
    return _claim(outputs=(OutputBytes(dtype, data),))


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _public_inputs(data: bytes) -> Callable[[Any], Any]:
    """The same bytes in the evidence and in the claim's commitment: an input that the proof is not about."""
    commitment = InputCommitment.public(Dtype.U8, data)
    return lambda proof: replace(_claim(inputs=(commitment,))(proof), public_inputs=(data,))


HONEST_OUTPUT = np.array([-1, 0, 2], "<i2").tobytes()


@dataclass(frozen=True)
class Lie:
    """An honest proof with one thing changed, and the reason for which it must be rejected."""

    name: str
    mode: str
    change: Callable[[Any], Any]
    reason: str

    def __str__(self) -> str:
        return self.name


LIES = (
    Lie("output", "public", _output(HONEST_OUTPUT), "ProofRejected"),
    Lie("output_too_short", "public", _output(HONEST_OUTPUT[:4]), "WrongLength"),
    Lie("output_too_long", "public", _output(HONEST_OUTPUT + bytes(2)), "WrongLength"),
    Lie("two_outputs", "public", _claim(outputs=(OutputBytes(Dtype.I16, HONEST_OUTPUT),) * 2), "WrongCount"),
    Lie("program", "public", _claim(program_id=bytes(32)), "the claim is about program"),
    Lie("input_privacy", "public", _claim(privacy=Privacy("hashed")), "privacy"),
    Lie("weight_privacy", "public", _claim(privacy=Privacy("public", "hashed")), "privacy"),
    Lie("input", "public", _public_inputs(bytes(8)), "ProofRejected"),
    Lie("input_outside_interval", "public", _public_inputs(bytes(7) + b"\xff"), "OutsideInterval(tensor=0, index=7, value=255)"),
    Lie("input_too_long", "public", _public_inputs(bytes(9)), "WrongLength"),
    Lie("input_root_only", "public", _claim(inputs=(InputCommitment.public(Dtype.U8, bytes(8)),)), "the evidence proves claim"),
    Lie("input_scheme", "public", _claim(inputs=(InputCommitment(3, bytes(32)),)), "the evidence proves claim"),
    Lie("digest", "hashed", _claim(inputs=(InputCommitment(1, bytes(31) + b"\x01"),)), "ProofRejected"),
    Lie("private_input_named", "private", _claim(inputs=(InputCommitment(4, bytes(31) + b"\x01"),)), "the evidence proves claim"),
    Lie("first_point", "public", lambda p: replace(p, payload=_flip(p.payload, 0)), "ProofRejected"),
    Lie("last_word", "public", lambda p: replace(p, payload=_flip(p.payload, len(p.payload) - 1)), "ProofRejected"),
    Lie("zeros", "public", lambda p: replace(p, payload=bytes(len(p.payload))), "ProofRejected"),
    Lie("other_weights", "private", lambda p: replace(p, payload=_flip(p.payload, 63)), "WrongProofPrefix"),
)


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_verify_lie_is_rejected_for_its_reason(registered, proofs, lie):
    honest = proofs[lie.mode]
    told = lie.change(honest)
    receipt = registered.verify(told, told.claim, honest)
    assert not receipt.accepted
    assert lie.reason in receipt.reason
    assert receipt.gas_used == 0


def test_verify_claim_with_output_of_other_dtype_is_another_claim(registered, public):
    told = _output(public.claim.outputs[0].data, Dtype.U8)(public)
    assert "the evidence proves claim" in registered.verify(told, told.claim, public).reason


GARBAGE = {
    "trailing_zero_words": lambda p: replace(p, payload=p.payload + bytes(32)),
    "trailing_byte": lambda p: replace(p, payload=p.payload + b"\0"),
    "cut": lambda p: replace(p, payload=p.payload[:-32]),
    "empty": lambda p: replace(p, payload=b""),
    "no_bytes": lambda p: replace(p, payload="0x00"),
    "none": lambda p: replace(p, payload=None),
    "no_public_input": lambda p: replace(p, public_inputs=()),
    "two_public_inputs": lambda p: replace(p, public_inputs=p.public_inputs * 2),
    "public_input_is_text": lambda p: replace(p, public_inputs=("01",)),
    "claim_without_outputs": _claim(outputs=()),
    "claim_of_half_an_element": _output(b"\0\0\0"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_verify_garbage_is_malformed_evidence(registered, public, name):
    told = GARBAGE[name](public)
    with pytest.raises(MalformedEvidence):
        registered.verify(told, told.claim, public)


def test_verify_digest_beyond_field_is_malformed_evidence(registered, proofs):
    honest = proofs["hashed"]
    digest = int.from_bytes(honest.claim.inputs[0].digest, "big") + chains.FIELD
    told = _claim(inputs=(InputCommitment(1, digest.to_bytes(32, "big")),))(honest)
    with pytest.raises(MalformedEvidence, match="NotCanonical"):
        registered.verify(told, told.claim, honest)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 4767])
def test_verify_random_bytes_of_any_length_never_crash(registered, public, length):
    told = replace(public, payload=np.random.default_rng(length).bytes(length))
    with pytest.raises(MalformedEvidence):
        registered.verify(told, told.claim, public)


@pytest.mark.parametrize("seed", range(3))
def test_verify_random_bytes_of_the_right_length_are_rejected(registered, public, seed):
    told = replace(public, payload=np.random.default_rng(seed).bytes(len(public.payload)))
    assert registered.verify(told, told.claim, public).reason == "ProofRejected()"


def test_verify_unregistered_program_is_a_chain_error(registered, public):
    pinned = replace(public.pinned, program_id=bytes(32))
    told = replace(_claim(program_id=bytes(32))(public), pinned=pinned)
    with pytest.raises(ChainError, match="UnknownProgram") as caught:
        registered.verify(told, told.claim, told)
    assert "vml deploy" in caught.value.hint


def test_verify_without_claim_verifier_says_how_to_deploy(public):
    chain = chains.embedded()
    chain.implicit = False
    with pytest.raises(ChainError, match="no address is known"):
        chain.verify(public, public.claim, public)


def test_verify_under_another_pinned_key_is_a_chain_error(registered, public):
    """The contract's verdict is about the key that it pins: under another one it says nothing about ours."""
    other = replace(public, pinned=replace(public.pinned, srs_id=bytes(32)))
    with pytest.raises(ChainError, match="SRS id") as caught:
        registered.verify(public, public.claim, other)
    assert "vml deploy --check" in caught.value.hint


def test_verify_by_a_pinned_contract_that_is_no_verifier_is_a_chain_error(public):
    """A deployer who lies: the right key is pinned, but another contract judges."""
    chain = chains.embedded()
    chain.reusable_verifier = chain.deploy(_stub())
    chain.register(public.registration())
    with pytest.raises(ChainError, match="verifier"):
        chain.verify(public, public.claim, public)


def _stub() -> Artifact:
    out = json.loads((CHECKOUT.parent / "out" / "StubVerifier.sol" / "StubVerifier.json").read_text())
    return Artifact.from_compiler("StubVerifier", out)
