# SPDX-License-Identifier: MIT OR Apache-2.0
"""A prover who runs ezkl as it likes: another witness, other weights, another rounding. It gets a proof, and no acceptance."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.chain import FIELD
from verifiable_ml.commitment import OutputBytes, Privacy, encode_tensor
from verifiable_ml.execute import run_reference
from verifiable_ml.proving.ezkl import cache, prove, srs
from verifiable_ml.proving.ezkl.evidence import felt_text
from verifiable_ml.proving.ezkl.process import Worker

PUBLIC, HASHED, PRIVATE = Privacy(), Privacy("hashed", "hashed"), Privacy("private", "committed")
FALSE = "does not hold for these public values"


def test_tampered_witness_proves_and_the_proof_of_the_lie_is_rejected(honest):
    h = honest()
    values = run_reference(h.program, TINY_INPUT).outputs[0].copy()
    values[0, 0] += 1
    with cache.workspace() as folder:
        worker = Worker(folder)
        witness = worker.run("witness", circuit=str(h.keys.proving / "circuit"), input_data=[[1, 60, 3, 33]])
        witness["outputs"][0][0] = felt_text(int(values[0, 0]) % FIELD)
        (folder / "witness").write_text(json.dumps(witness))
        payload = _proven(worker, h, h.keys.proving / "circuit")
    told = h.telling(outputs=(OutputBytes(h.claim.outputs[0].dtype, encode_tensor(values)),)).sending(payload=payload)
    assert FALSE in told.verify().reason


@dataclass(frozen=True)
class Liar:
    """The claim and the proof of somebody who put weights of their own into the honest circuit, and their own key."""

    told: Any
    key: Any


def _lie_with_other_weights(h, privacy) -> Liar:
    liar = tiny_program(logits=2)
    keys = h.backend.setup(liar, privacy)
    salts = (bytes(16),) if privacy.input == "hashed" else ()
    with cache.workspace() as folder:
        worker, rows = Worker(folder), prove.circuit_inputs(liar, TINY_INPUT, salts)
        witness = worker.run("witness", circuit=str(keys.proving / "circuit"), input_data=rows)
        payload = _proven(worker, h, keys.proving / "circuit")
    values = run_reference(liar, TINY_INPUT).outputs[0].astype(h.claim.outputs[0].dtype.numpy)
    outputs, inputs = (OutputBytes(h.claim.outputs[0].dtype, encode_tensor(values)),), h.claim.inputs
    if salts:
        inputs = prove.poseidon(witness["processed_inputs"]["poseidon_hash"])
    assert outputs != h.claim.outputs
    return Liar(h.telling(inputs=inputs, outputs=outputs).sending(payload=payload), keys.verification)


@pytest.mark.parametrize(("privacy", "reason"), [(HASHED, FALSE), (PRIVATE, "other weights")], ids=str)
def test_other_weights_in_the_honest_circuit_are_stopped_by_nothing_but_what_the_key_pins(honest, privacy, reason):
    h = honest(privacy)
    liar = _lie_with_other_weights(h, privacy)
    assert reason in liar.told.verify().reason
    pinned = {"weight_instances": liar.key.weight_instances, "proof_prefix": liar.key.proof_prefix}
    careless = replace(h.key, **pinned)
    assert h.backend.verify(liar.told.proof, liar.told.claim, careless).accepted


def test_other_weights_in_a_circuit_that_fixes_them_are_rejected(honest):
    assert FALSE in _lie_with_other_weights(honest(), PUBLIC).told.verify().reason


def test_key_made_by_the_liar_has_another_id(honest):
    """Nothing but the pinned key tells a verifier which weights are meant: it must compare the id, and the id differs."""
    h = honest(HASHED)
    liar = h.backend.setup(tiny_program(logits=2), HASHED).verification
    forged = replace(liar, program_id=h.key.program_id)
    assert forged.id != h.key.id
    assert forged.registration() != h.key.registration()


def _proven(worker: Worker, h, path) -> bytes:
    reference = srs.reference(h.key.logrows, None, worker)
    answer = worker.run("prove", circuit=str(path), pk=str(h.keys.proving / "pk"), srs=str(reference.path))
    return bytes.fromhex(answer["proof"])
