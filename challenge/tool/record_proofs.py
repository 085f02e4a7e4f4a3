# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes challenge/test/fixtures: true proofs of the tiny circuit, one a privacy, for forge and pytest. `make proofs`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tiny_circuit import TinyProof, prove, tiny_registration

from verifiable_ml.chain import inputs_id
from verifiable_ml.chain.claims import evidence_arguments
from verifiable_ml.commitment import Claim, Privacy

FIXTURES = Path(__file__).resolve().parents[1] / "test" / "fixtures"
PRIVACIES = (Privacy("public", "public"), Privacy("hashed", "hashed"), Privacy("private", "committed"))


def main() -> None:
    """Prove and write each. Proofs are hiding, so the bytes differ from run to run."""
    FIXTURES.mkdir(exist_ok=True)
    for privacy in PRIVACIES:
        with tempfile.TemporaryDirectory() as folder:
            fixture = to_json(prove(Path(folder), privacy))
        (FIXTURES / f"{privacy.input}_{privacy.weights}.json").write_text(json.dumps(fixture, indent=1) + "\n")


def to_json(proof: TinyProof) -> dict[str, object]:
    """What a contract test needs, all in hex; the claim as it travels."""
    inputs, outputs, payload = evidence_arguments(proof.claim, proof)
    pinned = proof.pinned
    return {
        "claim": proof.claim.to_json(),
        "claim_id": "0x" + proof.claim.id.hex(),
        "inputs_id": "0x" + inputs_id(proof.claim).hex(),
        "inputs": ["0x" + data.hex() for data in inputs],
        "outputs": ["0x" + data.hex() for data in outputs],
        "proof": "0x" + payload.hex(),
        "program_id": "0x" + pinned.program_id.hex(),
        "privacy": pinned.privacy_code,
        "srs_id": "0x" + pinned.srs_id.hex(),
        "weight_instances": ["0x" + value.to_bytes(32, "big").hex() for value in pinned.weight_instances],
        "proof_prefix": "0x" + pinned.proof_prefix.hex(),
        "vka": "0x" + pinned.vka_bytes.hex(),
    }


def read(privacy: Privacy) -> TinyProof:
    """A recorded proof, with its claim and its key."""
    fixture = json.loads((FIXTURES / f"{privacy.input}_{privacy.weights}.json").read_text())
    payload, words = (bytes.fromhex(fixture[name][2:]) for name in ("proof", "vka"))
    claim = Claim.from_json(fixture["claim"])
    pinned = tiny_registration(
        privacy,
        words=tuple(int.from_bytes(words[start : start + 32], "big") for start in range(0, len(words), 32)),
        payload=payload,
        weight_instances=tuple(int(value, 16) for value in fixture["weight_instances"]),
    )
    public = tuple(bytes.fromhex(data[2:]) for data in fixture["inputs"]) if privacy.input == "public" else ()
    return TinyProof(payload, public, claim, pinned)


if __name__ == "__main__":
    main()
