# SPDX-License-Identifier: MIT OR Apache-2.0
"""Chain: deploy, register, verify. The one interface for the embedded EVM and for any JSON-RPC node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import is_hex_address, to_checksum_address

from verifiable_ml.chain.artifacts import Artifact, load_artifact
from verifiable_ml.chain.claims import batch_arguments, evidence_arguments, mismatch, verdict_of
from verifiable_ml.chain.contract import Contract, deploy
from verifiable_ml.chain.evidence import UNBOUND, BatchEvidence, BatchReceipt, Evidence, Key, Receipt
from verifiable_ml.chain.node import Node, Sent
from verifiable_ml.chain.pins import BY_PLANS, CLAIM_VERIFIER, REUSABLE_VERIFIER, Pinnable, pins
from verifiable_ml.chain.reverts import Reverted, printable
from verifiable_ml.commitment import Claim
from verifiable_ml.errors import ChainError, InvalidInput

NOTHING_SENT = Sent(transaction=b"", gas_used=0, block=0, contract=None)


@dataclass(frozen=True, slots=True)
class Registered:
    """Where a key is pinned. gas: for each contract deployed on the way, and for "register" itself."""

    claim_verifier: str
    verifier: str
    deployment_id: bytes
    gas: dict[str, int]


class Chain:
    """A connection with the contracts in use on it.

    claim_verifier, reusable_verifier: addresses of contracts that stand already; what is missing, `register` deploys. The
    first is whichever contract judges claims, of ezkl's keys or of native ones: its code says which.
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
        self.claim_verifiers: dict[str, Contract] = {}
        if claim_verifier:
            found = self._judge(claim_verifier)
            self.claim_verifiers[found.artifact.name] = found
        self.reusable_verifier = self.at(REUSABLE_VERIFIER, reusable_verifier) if reusable_verifier else None

    @property
    def claim_verifier(self) -> Contract | None:
        """The contract that pins ezkl's keys, if it is known."""
        return self.claim_verifiers.get(CLAIM_VERIFIER)

    @claim_verifier.setter
    def claim_verifier(self, contract: Contract) -> None:
        self.claim_verifiers[CLAIM_VERIFIER] = contract

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

    def create(self, artifact: Artifact, gas: dict[str, int], *arguments: Any) -> Contract:
        """The same, its gas added to that of its name. Raises ChainError."""
        contract, sent = deploy(self.node, artifact, *arguments)
        gas[artifact.name] = gas.get(artifact.name, 0) + sent.gas_used
        return contract

    def register(self, registration: Pinnable) -> Registered:
        """Pin a key for its program, for ever, and deploy what that needs.

        Raises ChainError if another key is pinned already, or the account is not the ClaimVerifier's deployer;
        BackendUnavailable if a dedicated verifier has to be compiled and no compiler is there.
        """
        gas: dict[str, int] = {}
        kind = pins(registration)
        if kind.contract not in self.claim_verifiers:
            self.claim_verifiers[kind.contract] = kind.deploy(self, gas)
        contract = self.claim_verifiers[kind.contract]
        arguments, verifier = kind.arguments(self, contract, gas)
        gas["register"] = contract.send("register", *arguments).gas_used
        return Registered(contract.address, verifier, registration.deployment_id, gas)

    def check(self, registration: Pinnable) -> tuple[str, ...]:
        """What differs between the chain and a registration made from the program; () if nothing does (rule 10).

        Assures, under collision resistance of keccak-256 and an honest node, that the ClaimVerifier pins this key.
        """
        contract = self._claim_verifier(registration)
        pinned = self._pinned(contract, registration)
        if pinned is None:
            return ("nothing is pinned for this program and privacy",)
        return pins(registration).differences(self, contract, pinned, compiled=True)

    def verify(self, proof: Evidence, claim: Claim, key: Key) -> Receipt:
        """Have the ClaimVerifier check a proof of a claim, and record it in a transaction if it holds.

        A false proof is a rejected Receipt with its reason, and costs nothing: a call finds it out. Raises MalformedEvidence
        on bytes that are no proof, ChainError if another key is pinned for the program, or none, or the node fails.
        The code of a dedicated verifier is left to `check`, since that needs a compiler.
        """
        registration = key.registration()
        claim.check()
        reason = _of_runs(registration, 1) or mismatch(claim, proof, registration)
        if reason:
            return Receipt(accepted=False, reason=reason, gas_used=0, transaction=b"", claim_id=claim.id)
        arguments = (claim.program_id, claim.privacy.code, *evidence_arguments(claim, proof))
        reason, sent = self._recorded(registration, arguments, claim.id)
        return Receipt(not reason, reason, sent.gas_used, sent.transaction, claim.id)

    def verify_batch(self, proof: BatchEvidence, claims: Sequence[Claim], key: Key, context: bytes = UNBOUND) -> BatchReceipt:
        """Have the SumcheckBatchVerifier check one proof of several claims, and record them all in one transaction if it holds.

        context: the request that the proof is for. Raises as `verify`.
        """
        registration = key.registration()
        for claim in claims:
            claim.check()
        ids = tuple(claim.id for claim in claims)
        reasons = (mismatch(claim, proof, registration) for claim in claims)
        reason = _of_runs(registration, len(claims)) or next(filter(None, reasons), "")
        if reason:
            return BatchReceipt(accepted=False, reason=reason, gas_used=0, transaction=b"", claim_ids=ids)
        if len(claims) > 1:
            arguments = (context, claims[0].program_id, len(claims), *batch_arguments(claims, proof))
            reason, sent = self._recorded(registration, arguments, ids)
        else:
            reason, sent = self._recorded(registration, _alone(claims[0], proof, context), ids[0])
        return BatchReceipt(not reason, reason, sent.gas_used, sent.transaction, ids)

    def _recorded(self, registration: Pinnable, arguments: tuple[Any, ...], ids: bytes | tuple[bytes, ...]) -> tuple[str, Sent]:
        """Why it was refused, or "" and the transaction. A call comes first: what it refuses costs nothing."""
        contract = self._ready(registration)
        try:
            proved, _ = contract.call("verify", *arguments)
            if proved != ids:
                return f"the evidence proves claim {_hex(proved)}, not {_hex(ids)}", NOTHING_SENT
            return "", contract.send("record", *arguments)
        except Reverted as refused:
            return verdict_of(refused), NOTHING_SENT

    def _ready(self, registration: Pinnable) -> Contract:
        """The contract of its kind, with this very key pinned in it; what it says under another one means nothing."""
        known = self.claim_verifiers.get(pins(registration).contract)
        pinned = self._pinned(known, registration) if known else None
        if known is None or pinned is None:
            if self.implicit:
                self.register(registration)
            return self._claim_verifier(registration)
        found = pins(registration).differences(self, known, pinned, compiled=False)
        if found:
            raise ChainError(
                thing=f"{known.artifact.name} at {known.address}",
                reason=f"it pins another key for this program and privacy: {', '.join(found)}",
                hint="ask one whose deployer pinned yours: vml deploy --check",
            )
        return known

    def _claim_verifier(self, registration: Pinnable) -> Contract:
        name = pins(registration).contract
        if name not in self.claim_verifiers:
            raise ChainError(
                thing=f"{name} on {self.node.name}",
                reason="no address is known",
                hint="deploy one with `vml deploy`, or pass the address of one",
            )
        return self.claim_verifiers[name]

    def _judge(self, address: str) -> Contract:
        """The contract at an address that judges claims of native proofs, or of ezkl's. Raises as `at`."""
        code = self.node.code(address) if is_hex_address(address) else b""
        native = (name for name in BY_PLANS if load_artifact(name).matches(code))
        return self.at(next(native, CLAIM_VERIFIER), address)

    def _pinned(self, contract: Contract, registration: Pinnable) -> tuple[Any, ...] | None:
        try:
            return tuple(contract.call("registered", *pins(registration).name())[0])
        except Reverted as refused:
            if refused.refusal.name in ("UnknownProgram", "UnknownBatch"):
                return None
            raise


def _of_runs(registration: Pinnable, claims: int) -> str:
    """Why a key is not of so many claims, "" if it is."""
    return "" if registration.runs == claims else f"the key is of {registration.runs} claims at once, not of {claims}"


def _alone(claim: Claim, proof: BatchEvidence, context: bytes) -> tuple[Any, ...]:
    """A batch of one, as the contract for one claim takes it, which knows no requests. Raises InvalidInput."""
    if context != UNBOUND:
        reason = "the contract there takes proofs that were made for no request"
        raise InvalidInput(thing="a batch of one claim", reason=reason, hint="a Settlement takes what was made for its request")
    return claim.program_id, claim.privacy.code, *batch_arguments((claim,), proof)


def _hex(ids: bytes | tuple[bytes, ...]) -> str:
    return ids.hex() if isinstance(ids, bytes) else ", ".join(each.hex() for each in ids)
