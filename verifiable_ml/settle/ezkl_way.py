# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by a proof of ezkl: minutes of one machine, a million gas, and inputs and weights may stay hidden."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from verifiable_ml.chain import Chain, Contract, Evidence, evidence_arguments
from verifiable_ml.commitment import Claim


@dataclass(frozen=True)
class EzklWay:
    """The contract of this name. Rests on the ClaimVerifier that it asks, and on that one's deployer."""

    contract: Contract

    NAME = "EzklWay"

    @classmethod
    def deploy(cls, chain: Chain, claim_verifier: str) -> EzklWay:
        """One for a ClaimVerifier. Raises ChainError."""
        return cls(chain.deploy(cls.NAME, claim_verifier))

    @classmethod
    def at(cls, chain: Chain, address: str) -> EzklWay:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(cls.NAME, address))

    def terms(self) -> bytes:
        """Nothing: a proof can be made whenever somebody likes."""
        return b""

    def evidence(self, claim: Claim, proof: Evidence) -> bytes:
        """(bytes[] inputs, bytes proof). Raises MalformedEvidence if the evidence is not made of bytes."""
        inputs, _, payload = evidence_arguments(claim, proof)
        return bytes(encode(["bytes[]", "bytes"], [list(inputs), payload]))
