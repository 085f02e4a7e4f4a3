# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a chain takes and gives back. The chain knows no prover: anything of these shapes will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from verifiable_ml.chain.plan_registration import PlanRegistration
from verifiable_ml.chain.registration import Registration

UNBOUND = bytes(32)
"""The context of a proof that is made for no request (rule 9)."""


class Evidence(Protocol):
    """A proof as it goes on chain."""

    @property
    def payload(self) -> bytes:
        """The proof itself, as the verifier contract reads it."""

    @property
    def public_inputs(self) -> tuple[bytes, ...]:
        """The bytes of each input if inputs are public, since the contract computes roots and instances from them; else ()."""


class BatchEvidence(Protocol):
    """One proof of several claims as it goes on chain."""

    @property
    def payload(self) -> bytes:
        """The proof itself, as the verifier contract reads it."""

    @property
    def public_inputs(self) -> tuple[tuple[bytes, ...], ...]:
        """Of each claim, the bytes of each input."""


class Key(Protocol):
    """A verification key that can say what a contract must pin."""

    def registration(self) -> Registration | PlanRegistration:
        """The same for the same key, on every machine."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A chain's answer to one claim. `reason` is "" if accepted, else the name of the contract's error and its fields.

    transaction: its hash. gas_used: of the transaction, the 21,000 and the calldata included; 0 if it was not sent because a
    call without a transaction was already refused.
    """

    accepted: bool
    reason: str
    gas_used: int
    transaction: bytes
    claim_id: bytes


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """A chain's answer to several claims at once; fields as in Receipt."""

    accepted: bool
    reason: str
    gas_used: int
    transaction: bytes
    claim_ids: tuple[bytes, ...]
