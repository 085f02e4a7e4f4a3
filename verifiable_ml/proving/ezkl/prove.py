# SPDX-License-Identifier: MIT OR Apache-2.0
"""A proof of one run. What ezkl computed is compared with the reference before, and the proof verified after."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from verifiable_ml.chain import FIELD
from verifiable_ml.commitment import Claim, InputCommitment, Privacy, encode_tensor
from verifiable_ml.commitment.claim import HIDDEN, POSEIDON
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput, WorkerFailed
from verifiable_ml.execute import Trace, public_claim, run_reference
from verifiable_ml.program import Program
from verifiable_ml.proving.base import Keys, Progress
from verifiable_ml.proving.ezkl import setup
from verifiable_ml.proving.ezkl.evidence import felt, felt_text, instances
from verifiable_ml.proving.ezkl.keys import NAME, EzklKey
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.srs import Reference
from verifiable_ml.proving.ezkl.verify import holds
from verifiable_ml.proving.ezkl.view import SALT_LIMBS
from verifiable_ml.proving.proof import Proof

SALT_BYTES = 2 * SALT_LIMBS


def fitting_key(program: Program, keys: Keys) -> EzklKey:
    """The ezkl key of this program among `keys`. Raises InvalidInput."""
    key = keys.verification
    if not isinstance(key, EzklKey) or keys.proving is None:
        raise InvalidInput(thing="keys", reason="they are no keys of ezkl", hint="make them with `vml setup --backend ezkl`")
    if key.program_id != program.id:
        raise InvalidInput(thing="keys", reason="they are another program's", hint="make them with `vml setup`")
    return key


def run(
    program: Program, inputs: Mapping[str, IntArray], keys: Keys, reference: Reference, worker: Worker, progress: Progress
) -> Proof:
    """Prove. Raises InvalidInput, CorruptedArtifact, and WorkerFailed if circuit and reference disagree."""
    key = fitting_key(program, keys)
    trace = run_reference(program, inputs)
    progress("checking the keys", None)
    made = setup.load(keys.proving or worker.folder)
    if made.key != key:
        raise InvalidInput(thing="keys", reason="the two halves belong to different circuits", hint="make them with `vml setup`")
    salts = tuple(secrets.token_bytes(SALT_BYTES) for _ in program.inputs) if key.privacy.input == "hashed" else ()
    circuit = str(made.folder / setup.CIRCUIT)
    witness = worker.run("witness", progress, circuit=circuit, input_data=circuit_inputs(program, inputs, salts))
    claim = _claim(trace, key.privacy, witness)
    _agree(witness, trace)
    answer = worker.run("prove", progress, circuit=circuit, pk=str(made.folder / setup.PROVING_KEY), srs=str(reference.path))
    public = tuple(encode_tensor(tensor) for tensor in trace.inputs) if key.privacy.input == "public" else ()
    proof = Proof(NAME, claim, bytes.fromhex(answer["proof"]), public, salts)
    _check(proof, key, answer["instances"][0], worker)
    return proof


def circuit_inputs(program: Program, inputs: Mapping[str, IntArray], salts: tuple[bytes, ...]) -> list[list[int]]:
    """What ezkl takes: each input flat, a hashed one with the limbs of its own salt behind it (16 bits each)."""
    rows = []
    for place, given in enumerate(program.inputs):
        limbs = [int.from_bytes(salts[place][at : at + 2], "little") for at in range(0, SALT_BYTES, 2)] if salts else []
        rows.append([*map(int, inputs[given.name].ravel()), *limbs])
    return rows


def poseidon(felts: list[str]) -> tuple[InputCommitment, ...]:
    """Digests as ezkl writes them, as commitments."""
    return tuple(InputCommitment(POSEIDON, felt(text).to_bytes(32, "big")) for text in felts)


def _claim(trace: Trace, privacy: Privacy, witness: dict[str, Any]) -> Claim:
    claim = public_claim(trace)
    commitments = claim.inputs
    if privacy.input == "hashed":
        commitments = poseidon(witness["processed_inputs"]["poseidon_hash"])
    if privacy.input == "private":
        commitments = tuple(InputCommitment(HIDDEN, bytes(32)) for _ in trace.inputs)
    return Claim(claim.program_id, commitments, claim.outputs, privacy)


def _agree(witness: dict[str, Any], trace: Trace) -> None:
    """Raises WorkerFailed unless the circuit gives what the reference gives, element by element."""
    for place, (felts, tensor) in enumerate(zip(witness["outputs"], trace.outputs, strict=True)):
        if felts != [felt_text(value) for value in _field(tensor)]:
            raise WorkerFailed(
                thing="the circuit of this program",
                reason=f"its output {place} differs from the reference on this input",
                hint="this is a bug of ours: report it with the program and the input",
            )


def _field(tensor: IntArray) -> list[int]:
    return [int(value) % FIELD for value in tensor.ravel()]


def _check(proof: Proof, key: EzklKey, said: list[str], worker: Worker) -> None:
    """A proof that does not verify is never handed out."""
    expected = [felt_text(value) for value in instances(proof.claim, proof.public_inputs, key)]
    reason = "its public values are not the claim's" if said != expected else holds(proof, key, worker)
    if reason or len(proof.payload) != key.proof_bytes or not proof.payload.startswith(key.proof_prefix):
        raise WorkerFailed(
            thing="the new proof",
            reason=reason or "its length or its commitment to the weights is not the key's",
            hint="delete the keys and the reference string in the cache, and run it again",
        )
