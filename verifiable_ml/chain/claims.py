# SPDX-License-Identifier: MIT OR Apache-2.0
"""A claim as arguments of ClaimVerifier, and the contract's refusals as verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verifiable_ml.chain.evidence import BatchEvidence, Evidence
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
    given = _tensors(proof.public_inputs)
    if len(given) != len(claim.inputs):
        raise malformed("the public inputs", f"the claim has {len(claim.inputs)}, the evidence {len(given)}")
    return given


def batch_arguments(claims: Sequence[Claim], proof: BatchEvidence) -> tuple[Any, ...]:
    """(inputs, outputs, proof) as SumcheckBatchVerifier takes them: of each tensor, those of all claims, one after the other.

    Raises MalformedEvidence as `evidence_arguments`, or if claims have not as many tensors as one another.
    """
    if not isinstance(proof.public_inputs, tuple) or len(proof.public_inputs) != len(claims):
        raise malformed("the public inputs", f"they are not those of {len(claims)} claims")
    runs = list(map(_tensors, proof.public_inputs))
    inputs = _joined([len(claim.inputs) for claim in claims], runs, "inputs")
    outputs = _joined(
        [len(claims[0].outputs)] * len(claims), [tuple(o.data for o in claim.outputs) for claim in claims], "outputs"
    )
    return inputs, outputs, _bytes(proof.payload, "the proof")


def _joined(counts: list[int], runs: list[tuple[bytes, ...]], what: str) -> tuple[bytes, ...]:
    if [len(run) for run in runs] != counts or len(set(counts)) != 1:
        raise malformed(f"the {what}", "the claims have not as many of them as the evidence, or as one another")
    return tuple(map(b"".join, zip(*runs, strict=True)))


def mismatch(claim: Claim, proof: Evidence | BatchEvidence, registration: Registration | PlanRegistration) -> str:
    """Why a claim cannot be one of this registration, "" if it can. Raises MalformedEvidence on a proof of another length."""
    if claim.program_id != registration.program_id:
        return f"the claim is about program {claim.program_id.hex()}, the key about {registration.program_id.hex()}"
    if claim.privacy.code != registration.privacy_code:
        return f"the claim's privacy is {claim.privacy}, the key's {registration.privacy}"
    if len(_bytes(proof.payload, "the proof")) != registration.proof_bytes:
        raise malformed("the proof", f"it has {len(proof.payload)} bytes, a proof under this key {registration.proof_bytes}")
    return ""


def verdict_of(refused: Reverted) -> str:
    """Why a false proof was refused. Raises MalformedEvidence on bytes that are no evidence, ChainError if it is no verdict."""
    name = refused.refusal.name
    if name in REJECTED:
        return str(refused.refusal)
    if name in MALFORMED:
        raise malformed("the evidence", str(refused.refusal)) from refused
    hints = {
        "UnknownProgram": "register its key first: vml deploy",
        "UnknownBatch": "register its key first: vml deploy --batch",
        "OutOfGas": "raise the gas limit of calls on the node",
        "StrangeAnswer": "another verifier than ezkl 23's stands there: vml deploy --check",
    }
    raise ChainError(
        thing="ClaimVerifier", reason=str(refused.refusal), hint=hints.get(name, "check the contract's address and the chain")
    ) from refused


def malformed(thing: str, reason: str) -> MalformedEvidence:
    """An error for bytes that no honest prover writes."""
    return MalformedEvidence(thing=thing, reason=reason, hint="ask its sender for the proof file as `vml prove` wrote it")


def _tensors(given: Any) -> tuple[bytes, ...]:
    if not isinstance(given, tuple):
        raise malformed("the public inputs", f"they are {type(given).__name__}, not a tuple of bytes")
    return tuple(_bytes(data, "a public input") for data in given)


def _bytes(value: Any, thing: str) -> bytes:
    if not isinstance(value, bytes):
        raise malformed(thing, f"it is {type(value).__name__}, not bytes")
    return value
