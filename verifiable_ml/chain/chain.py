# SPDX-License-Identifier: MIT OR Apache-2.0
"""Chain: deploy, register, verify. The one interface for the embedded EVM and for any JSON-RPC node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.address import is_hex_address, to_checksum_address

from verifiable_ml.chain.artifacts import Artifact, load_artifact
from verifiable_ml.chain.claims import evidence_arguments, judge, mismatch, rejected
from verifiable_ml.chain.contract import Contract, deploy
from verifiable_ml.chain.deployment import differences, to_struct
from verifiable_ml.chain.evidence import Evidence, Key, Receipt
from verifiable_ml.chain.node import Node
from verifiable_ml.chain.registration import DEDICATED_ABOVE_WORDS, Registration
from verifiable_ml.chain.reverts import Reverted, printable
from verifiable_ml.chain.solc import compile_source
from verifiable_ml.commitment import Claim
from verifiable_ml.errors import ChainError, InvalidInput

CLAIM_VERIFIER = "ClaimVerifier"
REUSABLE_VERIFIER = "Halo2VerifierReusable"
DEDICATED_VERIFIER = "Halo2Verifier"


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a key is pinned. gas: for each contract deployed on the way, and for "register" itself."""

    claim_verifier: str
    verifier: str
    deployment_id: bytes
    gas: dict[str, int]


class Chain:
    """A connection with the contracts in use on it.

    claim_verifier, reusable_verifier: addresses of contracts that stand already; what is missing, `register` deploys.
    implicit: whether `verify` may register a key by itself, which costs gas: only where gas is free.
    """

    def __init__(
        self,
        node: Node,
        claim_verifier: str | None = None,
        reusable_verifier: str | None = None,
        implicit: bool = False,
    ) -> None:
        self.node = node
        self.implicit = implicit
        self.claim_verifier = self.at(CLAIM_VERIFIER, claim_verifier) if claim_verifier else None
        self.reusable_verifier = self.at(REUSABLE_VERIFIER, reusable_verifier) if reusable_verifier else None

    @property
    def accounts(self) -> tuple[str, ...]:
        """The funded accounts that the node itself holds; () on a public one."""
        return self.node.accounts()

    def balance(self, account: str) -> int:
        """What an account has, in wei."""
        return self.node.balance(account)

    def at(self, artifact_name: str, address: str) -> Contract:
        """A contract that stands already. Raises ChainError unless its code is the artifact's, InvalidInput on no address."""
        if not is_hex_address(address):
            raise InvalidInput(
                thing=f"the address of a {artifact_name}",
                reason=f"`{printable(address)}` is no address",
                hint="40 hex digits after 0x; names are not looked up",
            )
        artifact = load_artifact(artifact_name)
        code = self.node.code(address)
        if not artifact.matches(code):
            raise ChainError(
                thing=f"{artifact_name} at {address}",
                reason=f"other code stands there ({len(code)} bytes)" if code else "no code stands there",
                hint="check the address and the chain, or deploy it: vml deploy",
            )
        return Contract(self.node, to_checksum_address(address), artifact)

    def deploy(self, artifact: str | Artifact, *arguments: Any) -> Contract:
        """Create a contract, by the name of an artifact that ships or from a compiled one. Raises ChainError."""
        return deploy(self.node, load_artifact(artifact) if isinstance(artifact, str) else artifact, *arguments)[0]

    def register(self, registration: Registration) -> Registered:
        """Pin a key for its program, for ever, and deploy what that needs.

        Raises ChainError if another key is pinned already, or the account is not the ClaimVerifier's deployer;
        BackendUnavailable if a dedicated verifier has to be compiled and no compiler is there.
        """
        gas: dict[str, int] = {}
        if self.claim_verifier is None:
            self.claim_verifier = self._deploy(load_artifact(CLAIM_VERIFIER), gas)
        verifier = self._verifier_for(registration, gas)
        struct = to_struct(registration, verifier.address)
        sent = self.claim_verifier.send("register", struct)
        gas["register"] = sent.gas_used
        return Registered(self.claim_verifier.address, verifier.address, registration.deployment_id, gas)

    def check(self, registration: Registration) -> tuple[str, ...]:
        """What differs between the chain and a registration made from the program; () if nothing does (rule 10).

        Assures, under collision resistance of keccak-256 and an honest node, that the ClaimVerifier pins this key.
        """
        contract = self._claim_verifier()
        pinned = self._pinned(contract, registration)
        if pinned is None:
            return ("nothing is pinned for this program and privacy",)
        return self._differences(pinned, registration, self._verifier_artifact(registration))

    def verify(self, proof: Evidence, claim: Claim, key: Key) -> Receipt:
        """Have the ClaimVerifier check a proof of a claim, and record it in a transaction if it holds.

        A false proof is a rejected Receipt with its reason, and costs nothing: a call finds it out. Raises MalformedEvidence
        on bytes that are no proof, ChainError if another key is pinned for the program, or none, or the node fails.
        The code of a dedicated verifier is left to `check`, since that needs a compiler.
        """
        registration = key.registration()
        claim.check()
        reason = mismatch(claim, proof, registration)
        if reason:
            return rejected(claim, reason)
        arguments = (claim.program_id, claim.privacy.code, *evidence_arguments(claim, proof))
        contract = self._ready(registration)
        try:
            claim_id, _ = contract.call("verify", *arguments)
            if claim_id != claim.id:
                return rejected(claim, f"the evidence proves claim {claim_id.hex()}, not {claim.id.hex()}")
            sent = contract.send("record", *arguments)
        except Reverted as refused:
            return judge(refused, claim)
        return Receipt(accepted=True, reason="", gas_used=sent.gas_used, transaction=sent.transaction, claim_id=claim_id)

    def _ready(self, registration: Registration) -> Contract:
        """The ClaimVerifier, with this very key pinned in it; what it says under another one means nothing."""
        contract = self._implicit(registration) if self.claim_verifier is None else self.claim_verifier
        pinned = self._pinned(contract, registration)
        if pinned is None:
            return self._implicit(registration)
        reusable = None if registration.dedicated_source is not None else load_artifact(REUSABLE_VERIFIER)
        found = self._differences(pinned, registration, reusable)
        if found:
            raise ChainError(
                thing=f"ClaimVerifier at {contract.address}",
                reason=f"it pins another key for this program and privacy: {', '.join(found)}",
                hint="ask a ClaimVerifier whose deployer pinned yours: vml deploy --check",
            )
        return contract

    def _implicit(self, registration: Registration) -> Contract:
        if self.implicit:
            self.register(registration)
        return self._claim_verifier()

    def _differences(self, pinned: tuple[Any, ...], registration: Registration, verifier: Artifact | None) -> tuple[str, ...]:
        found = differences(pinned, to_struct(registration, "0x" + "00" * 20))
        right_code = verifier is None or verifier.matches(self.node.code(pinned[4]))
        return found if right_code else (*found, "verifier")

    def _claim_verifier(self) -> Contract:
        if self.claim_verifier is None:
            raise ChainError(
                thing=f"ClaimVerifier on {self.node.name}",
                reason="no address is known",
                hint="deploy one with `vml deploy`, or pass the address of one",
            )
        return self.claim_verifier

    def _pinned(self, contract: Contract, registration: Registration) -> tuple[Any, ...] | None:
        try:
            return tuple(contract.call("registered", registration.program_id, registration.privacy_code)[0])
        except Reverted as refused:
            if refused.refusal.name == "UnknownProgram":
                return None
            raise

    def _verifier_for(self, registration: Registration, gas: dict[str, int]) -> Contract:
        if registration.dedicated_source is not None:
            return self._deploy(self._verifier_artifact(registration), gas)
        if registration.needs_dedicated:
            raise ChainError(
                thing=f"a verification key of {len(registration.vka)} words",
                reason=f"the reusable verifier is trusted up to {DEDICATED_ABOVE_WORDS}",
                hint="register it with its dedicated verifier's source",
            )
        if self.reusable_verifier is None:
            self.reusable_verifier = self._deploy(load_artifact(REUSABLE_VERIFIER), gas)
        return self.reusable_verifier

    def _verifier_artifact(self, registration: Registration) -> Artifact:
        if registration.dedicated_source is None:
            return load_artifact(REUSABLE_VERIFIER)
        return compile_source(registration.dedicated_source, DEDICATED_VERIFIER)

    def _deploy(self, artifact: Artifact, gas: dict[str, int]) -> Contract:
        contract, sent = deploy(self.node, artifact)
        gas[artifact.name] = sent.gas_used
        return contract
