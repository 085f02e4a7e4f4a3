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
SUMCHECK_BATCH_VERIFIER = "SumcheckBatchVerifier"
SUMCHECK_VERIFIER = "SumcheckVerifier"
BY_PLANS = SUMCHECK_CLAIM_VERIFIER, SUMCHECK_BATCH_VERIFIER
NOWHERE = "0x" + "00" * 20

Pinnable = Registration | PlanRegistration


class Pins(Protocol):
    """One kind of key."""

    @property
    def contract(self) -> str:
        """The artifact of the contract that pins it and judges claims."""

    def deploy(self, chain: Chain, gas: dict[str, int]) -> Contract:
        """That contract, and what it needs itself."""

    def arguments(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """What `register` takes, and the address of the verifier that judges; deploys what is missing."""

    def name(self) -> tuple[bytes, int]:
        """What `registered` takes: the program, and which of its keys."""

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

    def arguments(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """Raises ChainError on a key that is too long, BackendUnavailable without a compiler where one is needed."""
        verifier = self._verifier(chain, gas).address
        return (to_struct(self.key, verifier),), verifier

    def name(self) -> tuple[bytes, int]:
        """One key for each way to hide."""
        return self.key.program_id, self.key.privacy_code

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
        """The contract that runs plans comes first: it is fixed for ever, and serves all that judge by plans."""
        known = [chain.claim_verifiers[name].call("VERIFIER")[0] for name in BY_PLANS if name in chain.claim_verifiers]
        artifact = load_artifact(SUMCHECK_VERIFIER)
        found = [address for address in known if artifact.matches(chain.node.code(address))]
        return chain.create(load_artifact(self.contract), gas, found[0] if found else chain.create(artifact, gas).address)

    def arguments(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """One data contract a part."""
        parts = [chain.create(data_contract(part), gas).address for part in self.key.parts()]
        return (to_pin(self.key, parts),), contract.call("VERIFIER")[0]

    def name(self) -> tuple[bytes, int]:
        """Nothing is hidden: one key."""
        return self.key.program_id, 0

    def differences(self, chain: Chain, contract: Contract, pinned: tuple[Any, ...], compiled: bool) -> tuple[str, ...]:
        """The plan is compared by its digest, which the contract has computed when it was pinned."""
        found = plan_differences(pinned, to_pin(self.key, ()))
        verifier = chain.node.code(contract.call("VERIFIER")[0])
        return found if load_artifact(SUMCHECK_VERIFIER).matches(verifier) else (*found, "verifier")


class BatchPins(PlanPins):
    """Plans of several runs at once: one a number of runs."""

    contract = SUMCHECK_BATCH_VERIFIER

    def arguments(self, chain: Chain, contract: Contract, gas: dict[str, int]) -> tuple[tuple[Any, ...], str]:
        """And the number of runs."""
        (pin,), verifier = super().arguments(chain, contract, gas)
        return (pin, self.key.runs), verifier

    def name(self) -> tuple[bytes, int]:
        """One key for each number of runs."""
        return self.key.program_id, self.key.runs


def pins(registration: Pinnable) -> Pins:
    """The kind of a key."""
    if not isinstance(registration, PlanRegistration):
        return Halo2Pins(registration)
    return PlanPins(registration) if registration.runs == 1 else BatchPins(registration)


def data_contract(code: bytes) -> Artifact:
    """A contract that is nothing but these bytes. Its creation code: push the length, copy what follows, return it."""
    creation = bytes.fromhex(f"61{len(code):04x}80600a3d393df3") + code
    return Artifact("plan", (), creation, code)
