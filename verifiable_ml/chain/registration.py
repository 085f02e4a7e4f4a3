# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a deployer pins for one program: the verification key and the layout of the public values (rule 10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from verifiable_ml.commitment import Dtype, Privacy, keccak
from verifiable_ml.commitment.claim import INPUT_MODES, WEIGHT_MODES
from verifiable_ml.errors import InvalidInput

FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Order of BN254's scalar field: an instance of ezkl is an integer below it, a negative x is FIELD + x."""

DEDICATED_ABOVE_WORDS = 640
"""Longer keys get a contract of their own: the reusable verifier failed a valid proof at 929 words, and a data contract
holds 24,575 bytes."""


@dataclass(frozen=True, slots=True)
class TensorLayout:
    """One input or output as it stands among the instances: dtype, number of elements, and the interval it must lie in."""

    dtype: Dtype
    count: int
    low: int | None = None
    high: int | None = None

    @property
    def interval(self) -> tuple[int, int]:
        """The declared interval, or the dtype's whole range. Both ends belong to it."""
        low = self.dtype.low if self.low is None else self.low
        return low, self.dtype.high if self.high is None else self.high

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return self.count * self.dtype.width


@dataclass(frozen=True)
class Registration:
    """Everything that a verifier contract must know before it reads a stranger's bytes.

    Instances of the circuit, in ezkl's order (seen in 23.0.5): hashed inputs (one Poseidon digest each, canonical, 32 bytes
    big endian in the claim), `weight_instances`, every integer of public inputs, every integer of the outputs.

    vka: words of ezkl's verification key artifact, as `create_evm_vka` writes them. proof_bytes: exact length of a proof.
    weight_instances: pinned field elements (hashed weights: their digests). proof_prefix: bytes
    that every proof must begin with (committed weights: 64 bytes a commitment). srs_id: keccak-256 of the reference string.
    dedicated_source: Solidity source of the verifier made for this key alone, for keys that the reusable one cannot serve.
    runs: claims of one proof.
    """

    program_id: bytes
    privacy_code: int
    vka: tuple[int, ...]
    inputs: tuple[TensorLayout, ...]
    outputs: tuple[TensorLayout, ...]
    proof_bytes: int
    srs_id: bytes = bytes(32)
    weight_instances: tuple[int, ...] = ()
    proof_prefix: bytes = b""
    dedicated_source: str | None = None
    runs = 1

    def __post_init__(self) -> None:
        for what, holds in self._rules():
            if not holds:
                raise InvalidInput(thing="a registration", reason=what, hint="take it from the verification key")

    def _rules(self) -> tuple[tuple[str, bool], ...]:
        tensors = self.inputs + self.outputs
        hashed, committed = (self.privacy_code >> 4 == WEIGHT_MODES.index(mode) for mode in ("hashed", "committed"))
        return (
            ("ids have 32 bytes", len(self.program_id) == 32 == len(self.srs_id)),
            ("the privacy code names a mode", self.privacy_code & 15 < len(INPUT_MODES) and 0 <= self.privacy_code >> 4 < 4),
            ("1 to 255 inputs and outputs", 0 < len(self.inputs) < 256 and 0 < len(self.outputs) < 256),
            ("tensors have elements", all(0 < tensor.count < 1 << 32 for tensor in tensors)),
            ("intervals lie in their dtype", all(_inside(tensor) for tensor in tensors)),
            ("proofs have whole words", self.proof_bytes > 0 and self.proof_bytes % 32 == 0),
            ("a prefix is shorter than the proof", len(self.proof_prefix) < self.proof_bytes),
            ("a prefix has commitments of 64 bytes", len(self.proof_prefix) % 64 == 0),
            ("hashed weights are pinned, no others have instances", hashed == bool(self.weight_instances)),
            ("committed weights are pinned, no others have a prefix", committed == bool(self.proof_prefix)),
            ("pinned instances are field elements", all(0 <= value < FIELD for value in self.weight_instances)),
            ("a key has words of 256 bits", bool(self.vka) and all(0 <= word < 1 << 256 for word in self.vka)),
        )

    @property
    def privacy(self) -> Privacy:
        """Who sees what."""
        return Privacy.from_code(self.privacy_code)

    @cached_property
    def vka_bytes(self) -> bytes:
        """The words, big endian, one after another: what the contract hashes."""
        return b"".join(word.to_bytes(32, "big") for word in self.vka)

    @cached_property
    def vk_digest(self) -> bytes:
        """keccak-256 of the words; the reusable verifier answers with it."""
        return keccak(self.vka_bytes)

    @property
    def deployment_id(self) -> bytes:
        """Rule 10: H(14 || program id || SRS id || vk digest)."""
        return keccak(b"\x14" + self.program_id + self.srs_id + self.vk_digest)

    @property
    def needs_dedicated(self) -> bool:
        """Whether the reusable verifier is out of question for a key of this length."""
        return len(self.vka) > DEDICATED_ABOVE_WORDS


def _inside(tensor: TensorLayout) -> bool:
    low, high = tensor.interval
    return tensor.dtype.low <= low <= high <= tensor.dtype.high
