# SPDX-License-Identifier: MIT OR Apache-2.0
"""A claim as arguments of ClaimVerifier, and the contract's refusals as verdicts."""

from __future__ import annotations

from typing import Any

from verifiable_ml.chain.evidence import Evidence, Receipt
from verifiable_ml.chain.plan_registration import PlanRegistration
from verifiable_ml.chain.registration import Registration
from verifiable_ml.chain.reverts import Reverted
from verifiable_ml.commitment import Claim, keccak
from verifiable_ml.errors import ChainError, MalformedEvidence

MALFORMED = {"WrongProofLength", "NotCanonical"}
"""Refusals of bytes that are no proof or no digest at all."""

REJECTED = {"ProofRejected", "WrongProofPrefix", "WrongCount", "WrongLength", "OutsideInterval"}
"""Refusals of well-formed evidence that is false, or about something else than the program."""


def inputs_id(claim: Claim) -> bytes:
    """H(count u8 || (scheme u8, digest)…): the claim's inputs as one word, as ClaimVerifier returns it."""
    commitments = b"".join(bytes([given.scheme]) + given.digest for given in claim.inputs)
    return keccak(bytes([len(claim.inputs)]) + commitments)


def evidence_arguments(claim: Claim, proof: Evidence) -> tuple[Any, ...]:
    """(inputs, outputs, proof) as `verify`, `record` and VerifiedPayout's `settle` take them.

    Raises MalformedEvidence if the evidence holds something else than bytes, or not the bytes of each public input.
    """
    outputs = tuple(output.data for output in claim.outputs)
    return _inputs(claim, proof), outputs, _bytes(proof.payload, "the proof")


def _inputs(claim: Claim, proof: Evidence) -> tuple[bytes, ...]:
    if claim.privacy.input == "hashed":
        return tuple(given.digest for given in claim.inputs)
    if claim.privacy.input == "private":
        return (b"",) * len(claim.inputs)
    given = tuple(_bytes(data, "a public input") for data in proof.public_inputs)
    if len(given) != len(claim.inputs):
        raise malformed("the public inputs", f"the claim has {len(claim.inputs)}, the evidence {len(given)}")
    return given


def mismatch(claim: Claim, proof: Evidence, registration: Registration | PlanRegistration) -> str:
    """Why a claim cannot be one of this registration, "" if it can. Raises MalformedEvidence on a proof of another length."""
    if claim.program_id != registration.program_id:
        return f"the claim is about program {claim.program_id.hex()}, the key about {registration.program_id.hex()}"
    if claim.privacy.code != registration.privacy_code:
        return f"the claim's privacy is {claim.privacy}, the key's {registration.privacy}"
    if len(_bytes(proof.payload, "the proof")) != registration.proof_bytes:
        raise malformed("the proof", f"it has {len(proof.payload)} bytes, a proof under this key {registration.proof_bytes}")
    return ""


def judge(refused: Reverted, claim: Claim) -> Receipt:
    """The verdict that a refusal is. Raises MalformedEvidence on bytes that are no evidence, ChainError if it is no verdict."""
    name = refused.refusal.name
    if name in REJECTED:
        return rejected(claim, str(refused.refusal))
    if name in MALFORMED:
        raise malformed("the evidence", str(refused.refusal)) from refused
    hints = {
        "UnknownProgram": "register its key first: vml deploy",
        "OutOfGas": "raise the gas limit of calls on the node",
        "StrangeAnswer": "another verifier than ezkl 23's stands there: vml deploy --check",
    }
    raise ChainError(
        thing="ClaimVerifier", reason=str(refused.refusal), hint=hints.get(name, "check the contract's address and the chain")
    ) from refused


def rejected(claim: Claim, reason: str) -> Receipt:
    """A verdict without a transaction."""
    return Receipt(accepted=False, reason=reason, gas_used=0, transaction=b"", claim_id=claim.id)


def malformed(thing: str, reason: str) -> MalformedEvidence:
    """An error for bytes that no honest prover writes."""
    return MalformedEvidence(thing=thing, reason=reason, hint="ask its sender for the proof file as `vml prove` wrote it")


def _bytes(value: Any, thing: str) -> bytes:
    if not isinstance(value, bytes):
        raise malformed(thing, f"it is {type(value).__name__}, not bytes")
    return value
