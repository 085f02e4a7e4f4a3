# SPDX-License-Identifier: MIT OR Apache-2.0
"""The Fiat-Shamir transcript of the native proof: one 32-byte state, keccak-256. Part H of docs/protocol.md.

The plainest of three: the Rust crate `transcript` and challenge/src/sumcheck/Transcript.sol follow tests/vectors/transcript.json.
"""

from __future__ import annotations

from collections.abc import Sequence

from verifiable_ml.commitment.keccak import keccak

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Of BN254's scalar field, p."""


class Transcript:
    """What prover and verifier have said so far. Equal states give equal challenges."""

    def __init__(self, domain: str) -> None:
        self.state = keccak(_label(domain))

    def absorb_words(self, label: str, words: Sequence[bytes]) -> None:
        """The state becomes H(state || label || count of words || words), words of 32 bytes. Raises ValueError."""
        if any(len(word) != 32 for word in words):
            raise ValueError("a word has 32 bytes")
        self.state = keccak(self.state + _label(label) + len(words).to_bytes(32, "big") + b"".join(words))

    def absorb_scalars(self, label: str, scalars: Sequence[int]) -> None:
        """Absorbs canonical scalars, big endian. Raises ValueError on one outside [0, p)."""
        if not all(0 <= scalar < MODULUS for scalar in scalars):
            raise ValueError("a scalar is in [0, p)")
        self.absorb_words(label, [scalar.to_bytes(32, "big") for scalar in scalars])

    def challenge(self, label: str) -> int:
        """The state becomes H(state || label); the challenge is the state modulo p, and the state stays unreduced."""
        self.state = keccak(self.state + _label(label))
        return int.from_bytes(self.state, "big") % MODULUS


def _label(text: str) -> bytes:
    """Solidity's `bytes32("text")`: ASCII, then zeros."""
    data = text.encode("ascii")
    if len(data) > 32:
        raise ValueError("a label has at most 32 bytes")
    return data.ljust(32, b"\0")
