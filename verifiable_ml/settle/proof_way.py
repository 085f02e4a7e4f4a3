# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the ways by a proof share: a contract that asks one verifier of claims, and takes inputs and a proof as its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from eth_abi.abi import encode

from verifiable_ml.chain import Chain, Contract, Evidence, evidence_arguments
from verifiable_ml.commitment import Claim


@dataclass(frozen=True)
class ProofWay:
    """A contract of the name NAME. Rests on the verifier that it asks, and on that one's deployer."""

    contract: Contract

    NAME: ClassVar[str]
    BINDS: ClassVar[bool]
    """Whether its proofs are made for one request, and settle no other: with the request's id as their context."""

    @classmethod
    def deploy(cls, chain: Chain, claim_verifier: str) -> Self:
        """One for the verifier at that address. Raises ChainError."""
        return cls(chain.deploy(cls.NAME, claim_verifier))

    @classmethod
    def at(cls, chain: Chain, address: str) -> Self:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(cls.NAME, address))

    def terms(self) -> bytes:
        """Nothing: a proof can be made whenever somebody likes."""
        return b""

    def evidence(self, claim: Claim, proof: Evidence) -> bytes:
        """(bytes[] inputs, bytes proof). Raises MalformedEvidence if the evidence is not made of bytes."""
        inputs, _, payload = evidence_arguments(claim, proof)
        return bytes(encode(["bytes[]", "bytes"], [list(inputs), payload]))
