# SPDX-License-Identifier: MIT OR Apache-2.0
"""Keys of a program: found in the cache, or made by the worker in a folder of its own and moved there in one rename."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifiable_ml.chain import TensorLayout
from verifiable_ml.chain.registration import DEDICATED_ABOVE_WORDS
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import InvalidInput, MalformedEvidence
from verifiable_ml.program import Program, TensorSpec
from verifiable_ml.proving.base import Keys, Progress
from verifiable_ml.proving.ezkl import cache
from verifiable_ml.proving.ezkl.circuit import Circuit
from verifiable_ml.proving.ezkl.evidence import felt
from verifiable_ml.proving.ezkl.keys import EzklKey, words
from verifiable_ml.proving.ezkl.points import unpack
from verifiable_ml.proving.ezkl.process import EZKL_VERSION, Worker
from verifiable_ml.proving.ezkl.srs import Reference, verifier_part
from verifiable_ml.proving.ezkl.view import SALT_LIMBS

CIRCUIT, PROVING_KEY, KEY = "circuit", "pk", "key"
FILES = CIRCUIT, PROVING_KEY, KEY
LAYOUT = 2
"""Version of what a folder of keys holds."""


@dataclass(frozen=True)
class Made:
    """A checked folder of keys."""

    folder: Path
    key: EzklKey


def make(program: Program, privacy: Privacy, circuit: Circuit, reference: Reference, worker: Worker, progress: Progress) -> Keys:
    """Keys of a designed circuit, whose view and settings lie in the worker's folder; from the cache if they are there."""
    folder = cache.root() / "keys" / name(program, privacy, circuit, reference)
    if not folder.exists():
        request = {"srs": str(reference.path), "input_data": _least_inputs(program, privacy)}
        answer = worker.run("setup", progress, **request)
        key = _key(program, privacy, circuit, reference, worker.folder, answer)
        files: dict[str, Path | bytes] = {item: worker.folder / item for item in (CIRCUIT, PROVING_KEY)}
        cache.publish({**files, KEY: key.to_bytes()}, {"srs": reference.label, "program": program.id.hex()}, folder)
    progress("checking the keys", None)
    return Keys(folder, load(folder).key)


def load(folder: Path) -> Made:
    """Read a folder of keys, every checksum checked. Raises CorruptedArtifact; InvalidInput if there is no such folder."""
    if not folder.is_dir():
        raise InvalidInput(thing=f"keys `{folder}`", reason="they are gone", hint="make them again: `vml setup`")
    cache.load(folder, FILES)
    try:
        return Made(folder, EzklKey.from_bytes((folder / KEY).read_bytes()))
    except (MalformedEvidence, OSError) as error:
        raise cache.corrupted(folder / KEY, str(error), folder) from error


def name(program: Program, privacy: Privacy, circuit: Circuit, reference: Reference) -> str:
    """Where keys lie: a digest of everything that they depend on."""
    parts = {
        "layout": LAYOUT,
        "program": program.id.hex(),
        "privacy": privacy.code,
        "arguments": circuit.arguments,
        "model": hashlib.sha256(circuit.view.model.SerializeToString(deterministic=True)).hexdigest(),
        "srs": [reference.id.hex(), reference.label],
        "ezkl": EZKL_VERSION,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:40]


def _key(
    program: Program, privacy: Privacy, circuit: Circuit, reference: Reference, folder: Path, answer: dict[str, Any]
) -> EzklKey:
    vka = words((folder / "vka").read_bytes()[8:])  # u64 LE count, then words, big endian
    source = (folder / "verifier.sol").read_text() if len(vka) > DEDICATED_ABOVE_WORDS else None
    return EzklKey(
        program_id=program.id,
        privacy=privacy,
        settings=json.dumps(circuit.settings),
        vk=(folder / "vk").read_bytes(),
        vka=vka,
        reference=verifier_part(reference.path),
        srs_id=reference.id,
        srs_label=reference.label,
        inputs=tuple(layout(given.spec) for given in program.inputs),
        outputs=tuple(layout(spec) for spec in program.output_specs),
        proof_bytes=answer["proof_bytes"],
        weight_instances=tuple(map(felt, answer["hashes"])),
        proof_prefix=b"".join(unpack(bytes.fromhex(point)) for point in answer["commitments"]),
        verifier_source=source,
    )


def layout(spec: TensorSpec) -> TensorLayout:
    """A tensor as a contract and a verifier know it."""
    return TensorLayout(spec.dtype, spec.size, spec.interval.low, spec.interval.high)


def _least_inputs(program: Program, privacy: Privacy) -> list[list[int]]:
    """Some legal input: digests of weights do not depend on which."""
    salt = [0] * SALT_LIMBS if privacy.input == "hashed" else []
    return [[given.spec.interval.low] * given.spec.size + salt for given in program.inputs]
