# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml verify`: a proof against a claim, under a key that the verifier chose; off chain, and on chain if one is named."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from verifiable_ml import api
from verifiable_ml.cli import files
from verifiable_ml.cli.node import ChainId, ChainName, ClaimVerifier, Keystore, PasswordFile, Verifier, Wanted
from verifiable_ml.cli.options import ClaimPath, Key, Proof
from verifiable_ml.cli.render import Screen, facts, verdict_line

if TYPE_CHECKING:
    from verifiable_ml.chain import Chain, Receipt

REJECTED = 1


def verify(
    screen: Screen,
    proof: Proof,
    claim: ClaimPath,
    key: Key,
    chain: ChainName = None,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
    claim_verifier: ClaimVerifier = None,
    verifier: Verifier = None,
) -> int | None:
    """Check a proof against a claim. Exits 0 if it is accepted, 1 if it is rejected, 2 if the files are no evidence at all.

    With --chain the ClaimVerifier on that chain judges as well, and both have to accept.

    For example:
      vml verify three.proof three.claim --key model.vk
      vml verify three.proof three.claim --key model.vk --chain embedded
    """
    evidence, asserted, pinned = files.read_proof(proof), files.read_claim(claim), files.read_key(key)
    node = Wanted(chain, chain_id, keystore, password_file, claim_verifier, verifier).connect() if chain else None
    verdict = api.verify(evidence, asserted, pinned)
    document: dict[str, Any] = {"claim_id": asserted.id.hex(), **asdict(verdict)}
    rows = [("claim id", asserted.id.hex()), *([("rests on", verdict.assumption)] if verdict.assumption else [])]
    screen.tell(verdict_line(verdict.accepted, "off chain", verdict.reason))
    if node:
        with screen.waiting(f"asking {node.node.name}"):
            receipt = node.verify(evidence, asserted, pinned)
        screen.tell(verdict_line(receipt.accepted, f"by {node.node.name}", receipt.reason))
        document["chain"] = _on_chain(node, receipt)
        document["accepted"] = verdict.accepted and receipt.accepted
        document["reason"] = verdict.reason or receipt.reason
        rows += [("gas", f"{receipt.gas_used:,}"), ("transaction", receipt.transaction.hex())] if receipt.accepted else []
    screen.show(document, facts("", rows))
    return None if document["accepted"] else REJECTED


def _on_chain(node: Chain, receipt: Receipt) -> dict[str, Any]:
    return {
        "node": node.node.name,
        "accepted": receipt.accepted,
        "reason": receipt.reason,
        "gas_used": receipt.gas_used,
        "transaction": receipt.transaction.hex(),
    }
