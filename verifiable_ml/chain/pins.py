# SPDX-License-Identifier: MIT OR Apache-2.0
"""How each kind of key is pinned: by which contract, and what stands behind it. A kind is a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from verifiable_ml.chain.artifacts import Artifact, load_artifact
from verifiable_ml.chain.contract import Contract
from verifiable_ml.chain.deployment import differences, plan_differences, to_pin, to_struct
from verifiable_ml.chain.plan_registration import PlanRegistration
from verifiable_ml.chain.registration import DEDICATED_ABOVE_WORDS, Registration
from verifiable_ml.chain.solc import compile_source
from verifiable_ml.errors import ChainError

if TYPE_CHECKING:
    from verifiable_ml.chain.chain import Chain

CLAIM_VERIFIER = "ClaimVerifier"
REUSABLE_VERIFIER = "Halo2VerifierReusable"
DEDICATED_VERIFIER = "Halo2Verifier"
SUMCHECK_CLAIM_VERIFIER = "SumcheckClaimVerifier"
SUMCHECK_VERIFIER = "SumcheckVerifier"
NOWHERE = "0x" + "00" * 20

Pinnable = Registration | PlanRegistration


class Pins(Protocol):
    """One kind of key."""

    @property
    def contract(self) -> str:
        """The artifact of the contract that pins it and judges claims."""

    def deploy(self, chain: Chain, gas: dict[str, int]) -> Contract:
        """That contract, and what it needs itself."""

    def struct(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """What `register` takes, and the address of the verifier that judges; deploys what is missing."""

    def differences(self, chain: Chain, contract: Contract, pinned: tuple[Any, ...], compiled: bool) -> tuple[str, ...]:
        """The names of what is pinned otherwise. compiled: also compare code that a compiler has to make first."""


class Halo2Pins:
    """ezkl's keys: words for a reusable verifier, or a verifier made for the key alone."""

    contract = CLAIM_VERIFIER

    def __init__(self, registration: Registration) -> None:
        self.key = registration

    def deploy(self, chain: Chain, gas: dict[str, int]) -> Contract:
        """It needs nothing."""
        return chain.create(load_artifact(self.contract), gas)

    def struct(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """Raises ChainError on a key that is too long, BackendUnavailable without a compiler where one is needed."""
        verifier = self._verifier(chain, gas).address
        return to_struct(self.key, verifier), verifier

    def differences(self, chain: Chain, contract: Contract, pinned: tuple[Any, ...], compiled: bool) -> tuple[str, ...]:
        """The code of a dedicated verifier is compared only where `compiled` says so."""
        found = differences(pinned, to_struct(self.key, NOWHERE))
        wanted = self._artifact() if compiled or self.key.dedicated_source is None else None
        return found if wanted is None or wanted.matches(chain.node.code(pinned[4])) else (*found, "verifier")

    def _verifier(self, chain: Chain, gas: dict[str, int]) -> Contract:
        if self.key.dedicated_source is not None:
            return chain.create(self._artifact(), gas)
        if self.key.needs_dedicated:
            raise ChainError(
                thing=f"a verification key of {len(self.key.vka)} words",
                reason=f"the reusable verifier is trusted up to {DEDICATED_ABOVE_WORDS}",
                hint="register it with its dedicated verifier's source",
            )
        if chain.reusable_verifier is None:
            chain.reusable_verifier = chain.create(load_artifact(REUSABLE_VERIFIER), gas)
        return chain.reusable_verifier

    def _artifact(self) -> Artifact:
        if self.key.dedicated_source is None:
            return load_artifact(REUSABLE_VERIFIER)
        return compile_source(self.key.dedicated_source, DEDICATED_VERIFIER)


class PlanPins:
    """Plans of native proofs: one verifier for all, and data contracts for each."""

    contract = SUMCHECK_CLAIM_VERIFIER

    def __init__(self, registration: PlanRegistration) -> None:
        self.key = registration

    def deploy(self, chain: Chain, gas: dict[str, int]) -> Contract:
        """The contract that runs plans comes first: it is fixed for ever."""
        verifier = chain.create(load_artifact(SUMCHECK_VERIFIER), gas)
        return chain.create(load_artifact(self.contract), gas, verifier.address)

    def struct(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """One data contract a part."""
        parts = [chain.create(data_contract(part), gas).address for part in self.key.parts()]
        return to_pin(self.key, parts), contract.call("VERIFIER")[0]

    def differences(self, chain: Chain, contract: Contract, pinned: tuple[Any, ...], compiled: bool) -> tuple[str, ...]:
        """The plan is compared by its digest, which the contract has computed when it was pinned."""
        found = plan_differences(pinned, to_pin(self.key, ()))
        verifier = chain.node.code(contract.call("VERIFIER")[0])
        return found if load_artifact(SUMCHECK_VERIFIER).matches(verifier) else (*found, "verifier")


def pins(registration: Pinnable) -> Pins:
    """The kind of a key."""
    return PlanPins(registration) if isinstance(registration, PlanRegistration) else Halo2Pins(registration)


def data_contract(code: bytes) -> Artifact:
    """A contract that is nothing but these bytes. Its creation code: push the length, copy what follows, return it."""
    creation = bytes.fromhex(f"61{len(code):04x}80600a3d393df3") + code
    return Artifact("plan", (), creation, code)
