# SPDX-License-Identifier: MIT OR Apache-2.0
"""A verdict on a native proof: what it says about itself is compared with the claims, then Rust judges the words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from verifiable_ml.commitment import Claim, Dtype, InputCommitment, decode_tensor
from verifiable_ml.errors import InvalidInput
from verifiable_ml.proving.base import Verdict, VerificationKey
from verifiable_ml.proving.batch_proof import BatchProof
from verifiable_ml.proving.proof import malformed
from verifiable_ml.proving.sumcheck.key import SumcheckKey
from verifiable_ml.proving.sumcheck.native import NAME, native

ASSUMPTION = "KZG over BN254 (about 100 bits), Fiat-Shamir with keccak-256"


def judge(proof: BatchProof, claims: tuple[Claim, ...], key: VerificationKey, context: bytes) -> Verdict:
    """Assures that the program behind the key gives each claim's outputs on the input that it commits to, under `ASSUMPTION`.

    One verdict for all claims, in their order. Raises MalformedEvidence on what is no proof at all, InvalidInput on another key.
    """
    if not isinstance(key, SumcheckKey):
        raise InvalidInput(thing="a verification key", reason="it is no sumcheck key", hint="give the proof's own key")
    reason = _differs(proof, claims, key)
    if reason:
        return Verdict.rejected(reason)
    inputs = _together(key.inputs, proof.public_inputs)
    outputs = _together(key.outputs, [[output.data for output in claim.outputs] for claim in claims])
    verdict, reason = native().verify(key.data, key.reference, context, inputs, outputs, proof.payload)
    if verdict == "malformed":
        raise malformed("a sumcheck proof", reason)
    if verdict == "rejected":
        return Verdict.rejected(reason)
    return Verdict.accept("; ".join(filter(None, (ASSUMPTION, key.srs_label))))


def _differs(proof: BatchProof, claims: tuple[Claim, ...], key: SumcheckKey) -> str:
    """Why the proof cannot show these claims, "" if nothing of that can be seen. Raises MalformedEvidence."""
    for claim in claims:
        claim.check()
    if proof.backend != NAME:
        return f"the proof is one of backend {proof.backend!r}, the key of sumcheck"
    if len(claims) != key.count:
        return f"the key is for {key.count} claims at once, and here is {len(claims)}"
    if proof.claims != claims:
        return "the proof is about another claim"
    if len(proof.public_inputs) != len(claims):
        raise malformed("a sumcheck proof", f"it holds the inputs of {len(proof.public_inputs)} claims, of {len(claims)}")
    reasons = map(_claim_differs, claims, proof.public_inputs, [key] * len(claims))
    # Rust sees the tensors of all claims joined: equal parts of the right whole are each of the right length
    lengths = set(map(_lengths, claims, proof.public_inputs))
    return next(filter(None, reasons), "" if len(lengths) == 1 else "the claims' tensors are of different lengths")


def _claim_differs(claim: Claim, given: tuple[bytes, ...], key: SumcheckKey) -> str:
    if claim.program_id != key.program_id:
        return "the claim is about another program than the key"
    if claim.privacy != key.privacy:
        return "the claim hides what this prover cannot hide"
    if tuple(output.dtype for output in claim.outputs) != key.outputs:
        return "the claimed outputs are not of the program's types"
    if len(given) != len(key.inputs):
        raise malformed("a sumcheck proof", f"it holds {len(given)} inputs, the program has {len(key.inputs)}")
    committed = tuple(InputCommitment.public(*pair) for pair in zip(key.inputs, given, strict=True))
    return "" if committed == claim.inputs else "the input is not the one that the claim commits to"


def _lengths(claim: Claim, given: tuple[bytes, ...]) -> tuple[int, ...]:
    return (*map(len, given), *(len(output.data) for output in claim.outputs))


def _together(dtypes: tuple[Dtype, ...], runs: Sequence[Sequence[bytes]]) -> list[list[int]]:
    """Each tensor of all runs, one after the other."""
    return [
        [value for data in each for value in _values(dtype, data)]
        for dtype, each in zip(dtypes, zip(*runs, strict=True), strict=True)
    ]


def _values(dtype: Dtype, data: bytes) -> list[int]:
    values: list[int] = np.asarray(decode_tensor(data, dtype, (len(data) // dtype.width,)), np.int64).tolist()
    return values
