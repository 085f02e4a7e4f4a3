# SPDX-License-Identifier: MIT OR Apache-2.0
"""The verdict on a proof: first our rules, then halo2 on files that we write ourselves from the claim and the key."""

from __future__ import annotations

import json

from verifiable_ml.commitment import Claim
from verifiable_ml.proving.base import Verdict
from verifiable_ml.proving.ezkl.evidence import felt_text, instances, objection
from verifiable_ml.proving.ezkl.keys import EzklKey
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.proof import Proof


def judge(proof: Proof, claim: Claim, key: EzklKey, worker: Worker) -> Verdict:
    """Assures that some input, committed to as the claim says, takes the key's program to these outputs.

    Under: knowledge soundness of halo2-KZG over BN254 as ezkl implements it (algebraic group model, random oracle), a string
    whose secret nobody knows, Poseidon and keccak-256 collision-free, and that the key was made from the program.
    """
    reason = objection(proof, claim, key)
    if not reason and holds(proof, key, worker):
        reason = "the proof does not hold for these public values"
    return Verdict.rejected(reason) if reason else Verdict.accept(f"halo2-KZG over BN254; {key.srs_label}")


def holds(proof: Proof, key: EzklKey, worker: Worker) -> str:
    """What halo2 objects to, "" if nothing. The public values are computed here; of the proof only its payload is used."""
    values = [felt_text(value) for value in instances(proof.claim, proof.public_inputs, key)]
    document = {"instances": [values], "proof": list(proof.payload)}
    for name, data in (
        ("proof", json.dumps(document).encode()),
        ("settings", key.settings.encode()),
        ("vk", key.vk),
        ("srs", key.reference),
    ):
        _write(worker, name, data)
    return str(worker.run("verify"))


def _write(worker: Worker, name: str, data: bytes) -> None:
    try:
        (worker.folder / name).write_bytes(data)
    except OSError as error:
        raise worker.exhausted("the disk", str(error)) from error
