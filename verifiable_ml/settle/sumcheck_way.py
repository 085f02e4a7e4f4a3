# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by a native proof: seconds of one machine, and everything public. The proof is made for the request, and for no other."""

from __future__ import annotations

from dataclasses import dataclass

from eth_abi.abi import encode

from verifiable_ml.chain import Chain, Contract, Evidence, evidence_arguments
from verifiable_ml.commitment import Claim


@dataclass(frozen=True)
class SumcheckWay:
    """The contract of this name. Rests on the SumcheckClaimVerifier that it asks, and on that one's deployer."""

    contract: Contract

    NAME = "SumcheckWay"

    @classmethod
    def deploy(cls, chain: Chain, claim_verifier: str) -> SumcheckWay:
        """One for a SumcheckClaimVerifier. Raises ChainError."""
        return cls(chain.deploy(cls.NAME, claim_verifier))

    @classmethod
    def at(cls, chain: Chain, address: str) -> SumcheckWay:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(cls.NAME, address))

    def terms(self) -> bytes:
        """Nothing: a proof can be made whenever somebody likes."""
        return b""

    def evidence(self, claim: Claim, proof: Evidence) -> bytes:
        """(bytes[] inputs, bytes proof), the proof made with the request's id as its context. Raises as `EzklWay.evidence`."""
        inputs, _, payload = evidence_arguments(claim, proof)
        return bytes(encode(["bytes[]", "bytes"], [list(inputs), payload]))
