# SPDX-License-Identifier: MIT OR Apache-2.0
"""Final by a dispute window: a run of the model and a bond, a day of waiting, and everything is public."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode

from verifiable_ml.chain import Chain, Contract, Sent
from verifiable_ml.commitment import Claim
from verifiable_ml.commitment.claim import PUBLIC
from verifiable_ml.errors import InvalidInput


@dataclass(frozen=True)
class DisputeWay:
    """The contract of this name. Rests on one honest account that watches the program."""

    contract: Contract

    NAME = "DisputeWay"

    @classmethod
    def deploy(cls, chain: Chain, claims: str, profile: int, least_bond: int = 0) -> DisputeWay:
        """One for an OptimisticClaims, a profile of rule 44, and a proposer's bond at least, in wei. Raises ChainError."""
        return cls(chain.deploy(cls.NAME, claims, profile, least_bond))

    @classmethod
    def at(cls, chain: Chain, address: str) -> DisputeWay:
        """One that stands already. Raises ChainError unless its code is ours."""
        return cls(chain.at(cls.NAME, address))

    def terms(self, inputs: Sequence[bytes], payer: str) -> bytes:
        """What opens a request: the bytes of each input, and who may take the fee back."""
        return bytes(encode(["address", "bytes[]"], [payer, list(inputs)]))

    def claims_request(self, request_id: bytes) -> bytes:
        """The id of the request at OptimisticClaims, which proposers answer; zeros if there is none."""
        return bytes(self.contract.call("opened", request_id)[1])

    def evidence(self, claim: Claim) -> bytes:
        """(bytes32[] inputRoots). Raises InvalidInput on a claim that hides its input."""
        if any(given.scheme != PUBLIC for given in claim.inputs):
            raise InvalidInput(
                thing="a claim for the dispute window",
                reason="its input is hidden, and nobody could check a hidden one",
                hint="settle it by a proof (rule 54)",
            )
        return bytes(encode(["bytes32[]"], [[given.digest for given in claim.inputs]]))

    def reclaim(self, request_id: bytes) -> Sent:
        """Take the fee of an unanswered request back, from its deadline on. By its payer. Raises Reverted."""
        return self.contract.send("reclaim", request_id)
