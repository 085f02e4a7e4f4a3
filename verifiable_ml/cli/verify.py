# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml verify`: a proof against a claim, under a key that the verifier chose; off chain, and on chain if one is named."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from verifiable_ml import api, proving
from verifiable_ml.cli import files
from verifiable_ml.cli.node import ChainId, ChainName, ClaimVerifier, Keystore, PasswordFile, Verifier, Wanted
from verifiable_ml.cli.options import ClaimPath, Context, Key, Proof
from verifiable_ml.cli.prove import bound_to
from verifiable_ml.cli.render import Screen, facts, verdict_line
from verifiable_ml.errors import InvalidInput
from verifiable_ml.proving import UNBOUND, BatchProof, Verdict

if TYPE_CHECKING:
    from verifiable_ml.chain import BatchReceipt, Chain, Receipt
    from verifiable_ml.commitment import Claim
    from verifiable_ml.proving import VerificationKey

REJECTED = 1


def verify(
    screen: Screen,
    proof: Proof,
    claim: ClaimPath,
    key: Key,
    context: Context = None,
    chain: ChainName = None,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
    claim_verifier: ClaimVerifier = None,
    verifier: Verifier = None,
) -> int | None:
    """Check a proof against a claim. Exits 0 if it is accepted, 1 if it is rejected, 2 if the files are no evidence at all.

    With --chain the contract on that chain judges as well, and both have to accept. A batch proof is checked against its list of
    claims, all of which have to hold. With --context a proof is accepted only if it was made for that request.

    For example:
      vml verify three.proof three.claim --key model.vk
      vml verify three.proof three.claim --key model.vk --chain embedded
    """
    evidence, pinned, request = files.read_evidence(proof), files.read_key(key), bound_to(context)
    if chain and request != UNBOUND and (isinstance(evidence, proving.Proof) or len(evidence.claims) == 1):
        reason = "the contract there takes proofs that were made for no request"
        raise InvalidInput(thing="--chain", reason=reason, hint="leave it out; a Settlement takes what was made for its request")
    judged = (
        Batch(evidence, files.read_claims(claim), pinned, request)
        if isinstance(evidence, BatchProof)
        else One(evidence, files.read_claim(claim), pinned, request)
    )
    node = Wanted(chain, chain_id, keystore, password_file, claim_verifier, verifier).connect() if chain else None
    verdict = judged.verdict()
    document: dict[str, Any] = {**judged.named(), **asdict(verdict)}
    rows = [*judged.rows(), *_rests_on(verdict)]
    screen.tell(verdict_line(verdict.accepted, "off chain", verdict.reason))
    if node:
        with screen.waiting(f"asking {node.node.name}"):
            receipt = judged.receipt(node)
        screen.tell(verdict_line(receipt.accepted, f"by {node.node.name}", receipt.reason))
        document["chain"] = _on_chain(node, receipt)
        document["accepted"] = verdict.accepted and receipt.accepted
        document["reason"] = verdict.reason or receipt.reason
        rows += [("gas", judged.gas(receipt.gas_used)), ("transaction", receipt.transaction.hex())] if receipt.accepted else []
    screen.show(document, facts("", rows))
    return None if document["accepted"] else REJECTED


@dataclass(frozen=True)
class One:
    """A proof of one claim, and who judges it."""

    proof: proving.Proof
    claim: Claim
    key: VerificationKey
    context: bytes

    def verdict(self) -> Verdict:
        """Off chain."""
        return api.verify(self.proof, self.claim, self.key, context=self.context)

    def receipt(self, node: Chain) -> Receipt:
        """On chain."""
        return node.verify(self.proof, self.claim, self.key)

    def named(self) -> dict[str, Any]:
        """For machines."""
        return {"claim_id": self.claim.id.hex()}

    def rows(self) -> list[tuple[str, Any]]:
        """For people."""
        return [("claim id", self.claim.id.hex())]

    def gas(self, used: int) -> str:
        """For people."""
        return f"{used:,}"


@dataclass(frozen=True)
class Batch:
    """The same of several claims."""

    proof: BatchProof
    claims: tuple[Claim, ...]
    key: VerificationKey
    context: bytes

    def verdict(self) -> Verdict:
        """Off chain."""
        return api.verify_batch(self.proof, self.claims, self.key, context=self.context)

    def receipt(self, node: Chain) -> BatchReceipt:
        """On chain."""
        return node.verify_batch(self.proof, self.claims, self.key, self.context)

    def named(self) -> dict[str, Any]:
        """For machines."""
        return {"claim_ids": [claim.id.hex() for claim in self.claims]}

    def rows(self) -> list[tuple[str, Any]]:
        """For people."""
        return [("claims", len(self.claims))]

    def gas(self, used: int) -> str:
        """For people."""
        return f"{used:,}, {used // len(self.claims):,} a claim"


def _rests_on(verdict: Verdict) -> list[tuple[str, str]]:
    return [("rests on", verdict.assumption)] if verdict.assumption else []


def _on_chain(node: Chain, receipt: Receipt | BatchReceipt) -> dict[str, Any]:
    return {
        "node": node.node.name,
        "accepted": receipt.accepted,
        "reason": receipt.reason,
        "gas_used": receipt.gas_used,
        "transaction": receipt.transaction.hex(),
    }
