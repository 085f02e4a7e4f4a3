# SPDX-License-Identifier: MIT OR Apache-2.0
"""From a claim and a key to the circuit's public values. What the key fixes is never read from the proof.

The rules stand in the order in which ClaimVerifier.sol checks them; each says why evidence is not about the claim, or "".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from verifiable_ml.chain import FIELD, TensorLayout
from verifiable_ml.commitment import Claim, InputCommitment
from verifiable_ml.commitment.claim import HIDDEN, POSEIDON
from verifiable_ml.proving.ezkl.keys import NAME, EzklKey
from verifiable_ml.proving.proof import Proof, malformed

Rule = Callable[[Proof, Claim, EzklKey], str]


def is_of_this_backend(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """A proof of another backend has another payload."""
    return "" if proof.backend == NAME else f"the proof is one of backend {proof.backend!r:.40}, the key of ezkl"


def is_about_the_program(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """The key fixes the program."""
    return "" if claim.program_id == key.program_id else "the claim is about another program than the key"


def has_the_privacy(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """The key fixes who sees what."""
    return "" if claim.privacy == key.privacy else f"the claim's privacy is {claim.privacy}, the key's {key.privacy}"


def is_about_the_claim(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """A proof says what it is for; another claim is another statement, even where this proof would hold."""
    return "" if proof.claim == claim else "the proof is about another claim"


def has_the_layout(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """Counts, dtypes and lengths are the program's."""
    if (len(claim.inputs), len(claim.outputs)) != (len(key.inputs), len(key.outputs)):
        return "the claim has another number of inputs or outputs than the program"
    for place, (output, layout) in enumerate(zip(claim.outputs, key.outputs, strict=True)):
        if (output.dtype, len(output.data)) != (layout.dtype, layout.nbytes):
            return f"output {place} is {len(output.data)} bytes of {output.dtype.label}, the program gives {layout.nbytes} bytes"
    return ""


def commits_to_the_input(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """Public: the bytes in the evidence have the claimed root, and lie in their interval. Hidden: the scheme, canonical."""
    if len(proof.public_inputs) != (len(key.inputs) if key.privacy.input == "public" else 0):
        raise malformed("an ezkl proof", f"it holds {len(proof.public_inputs)} public inputs")
    if key.privacy.input == "private":
        return "" if all(given == InputCommitment(HIDDEN, bytes(32)) for given in claim.inputs) else "a private input is named"
    if key.privacy.input == "hashed":
        if any(int.from_bytes(given.digest, "big") >= FIELD for given in claim.inputs):
            raise malformed("a claim", "a Poseidon digest is no canonical field element")
        return "" if all(given.scheme == POSEIDON for given in claim.inputs) else "an input is not committed to by Poseidon"
    for place, (data, given, layout) in enumerate(zip(proof.public_inputs, claim.inputs, key.inputs, strict=True)):
        reason = _public_input(data, given, layout)
        if reason:
            return f"input {place} {reason}"
    return ""


def _public_input(data: bytes, given: InputCommitment, layout: TensorLayout) -> str:
    if len(data) != layout.nbytes:
        return f"has {len(data)} bytes, the program takes {layout.nbytes}"
    values, (low, high) = np.frombuffer(data, layout.dtype.numpy), layout.interval
    if int(values.min()) < low or int(values.max()) > high:
        return f"leaves its interval [{low}, {high}]"
    return "" if given == InputCommitment.public(layout.dtype, data) else "is not the one that the claim commits to"


def has_the_length(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """Bytes that trail a proof are ignored by ezkl, not by us."""
    if len(proof.payload) != key.proof_bytes:
        raise malformed("an ezkl proof", f"it has {len(proof.payload)} bytes, a proof under this key {key.proof_bytes}")
    return ""


def has_the_weights(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """A proof with committed weights begins with the commitments, and the key pins them."""
    return "" if proof.payload.startswith(key.proof_prefix) else "the proof commits to other weights than the key"


RULES: tuple[Rule, ...] = (
    is_of_this_backend,
    is_about_the_program,
    has_the_privacy,
    is_about_the_claim,
    has_the_layout,
    commits_to_the_input,
    has_the_length,
    has_the_weights,
)


def objection(proof: Proof, claim: Claim, key: EzklKey) -> str:
    """The first reason why this evidence is not about the claim, "" if there is none. Raises MalformedEvidence."""
    claim.check()
    return next(filter(None, (rule(proof, claim, key) for rule in RULES)), "")


def instances(claim: Claim, public_inputs: tuple[bytes, ...], key: EzklKey) -> list[int]:
    """The public values in ezkl's order: digests of hashed inputs, of hashed weights, public inputs, outputs."""
    return list(_instances(claim, public_inputs, key))


def _instances(claim: Claim, public_inputs: tuple[bytes, ...], key: EzklKey) -> Iterator[int]:
    if claim.privacy.input == "hashed":
        yield from (int.from_bytes(given.digest, "big") for given in claim.inputs)
    yield from key.weight_instances
    if claim.privacy.input == "public":
        for data, layout in zip(public_inputs, key.inputs, strict=True):
            yield from _elements(data, layout)
    for output, layout in zip(claim.outputs, key.outputs, strict=True):
        yield from _elements(output.data, layout)


def _elements(data: bytes, layout: TensorLayout) -> Iterator[int]:
    return (int(value) % FIELD for value in np.frombuffer(data, layout.dtype.numpy))


def felt(text: str) -> int:
    """A field element as ezkl writes it: 32 bytes in hex, little endian."""
    return int.from_bytes(bytes.fromhex(text), "little")


def felt_text(value: int) -> str:
    """The inverse of `felt`."""
    return value.to_bytes(32, "little").hex()
