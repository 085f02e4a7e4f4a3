# SPDX-License-Identifier: MIT OR Apache-2.0
"""Proofs and keys as files: one form each, and any other bytes are malformed evidence, never another exception."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.conftest import HASHED, PRIVATE, PUBLIC, TINY_INPUT, tiny_program
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.proving import Proof, backend, read_key

REPLAY = backend("replay")


@pytest.fixture(scope="module")
def proof_bytes():
    program = tiny_program()
    return REPLAY.prove(program, TINY_INPUT, REPLAY.setup(program, Privacy())).to_bytes()


def test_proof_survives_its_file(proof_bytes):
    assert Proof.from_bytes(proof_bytes).to_bytes() == proof_bytes


def test_proof_file_holds_no_salt(honest):
    h = honest(HASHED)
    assert len(h.proof.salts) == 1
    assert h.proof.salts[0].hex().encode() not in h.proof.to_bytes()
    assert Proof.from_bytes(h.proof.to_bytes()).salts == ()
    assert "salts" not in repr(h.proof)


CHANGES = {
    "backend": 1,
    "version": 2,
    "format": "verifiable-ml claim",
    "claim": None,
    "public_inputs": ["0"],
    "payload": "0X",
}


@pytest.mark.parametrize("field", CHANGES)
def test_proof_file_with_a_strange_field_is_malformed(proof_bytes, field):
    value = json.loads(proof_bytes)
    for told in ({**value, field: CHANGES[field]}, {k: v for k, v in value.items() if k != field}):
        with pytest.raises(MalformedEvidence):
            Proof.from_bytes((json.dumps(told, indent=1) + "\n").encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff" * 99,
        b"9" * 9999,
        b'{"format": "verifiable-ml proof", "version": 1}',
    ],
    ids=lambda data: str(data[:12]),
)
@pytest.mark.parametrize("read", [Proof.from_bytes, read_key])
def test_file_of_garbage_is_malformed(read, data):
    with pytest.raises(MalformedEvidence):
        read(data)


def test_proof_file_in_another_spelling_is_malformed(proof_bytes):
    value = json.loads(proof_bytes)
    spellings = [json.dumps(value).encode(), proof_bytes[:-1], proof_bytes + b"\n", b" " + proof_bytes]
    spellings.append(proof_bytes.replace(b'"payload": ""', b'"payload": " "'))
    spellings.append(proof_bytes.replace(b'"payload"', b'"payload": "", "payload"'))
    for told in spellings:
        assert told != proof_bytes
        with pytest.raises(MalformedEvidence):
            Proof.from_bytes(told)


def test_proof_file_of_unknown_version_names_it(proof_bytes):
    with pytest.raises(MalformedEvidence, match="version 2"):
        Proof.from_bytes(proof_bytes.replace(b'"version": 1', b'"version": 2'))


@pytest.mark.parametrize("privacy", [PUBLIC, HASHED, PRIVATE], ids=str)
def test_key_survives_its_file(honest, privacy):
    key = honest(privacy).key
    assert read_key(key.to_bytes()) == key
    assert "UNSAFE" in key.to_bytes().decode()


def test_key_file_with_any_byte_changed_is_malformed(honest):
    data, rng = honest().key.to_bytes(), np.random.default_rng(0)
    for at in rng.integers(0, len(data), 300):
        with pytest.raises(MalformedEvidence):
            read_key(data[:at] + bytes([data[at] ^ (1 << int(rng.integers(8)))]) + data[at + 1 :])


def test_key_file_with_any_field_changed_is_malformed_by_its_checksum(honest):
    value = json.loads(honest().key.to_bytes())
    changed = {
        "proof_bytes": value["proof_bytes"] + 32,
        "program": "00" * 32,
        "privacy": 1,
        "srs": "a ceremony",
        "srs_id": "00" * 32,
    }
    changed |= {name: "00" * (len(value[name]) // 2) for name in ("vk", "vka", "reference", "srs_id")}
    changed |= {"settings": "{}", "inputs": value["outputs"], "weight_instances": ["00" * 32], "proof_prefix": "00" * 64}
    changed |= {
        "verifier_source": "contract Halo2Verifier {}",
        "backend": "replay",
        "outputs": [],
        "checksum": "00" * 32,
        "version": 2,
    }
    assert changed.keys() == value.keys() - {"format"}
    for name, told in changed.items():
        with pytest.raises(MalformedEvidence):
            read_key((json.dumps({**value, name: told}, indent=1) + "\n").encode())


def test_key_file_of_unknown_backend_is_malformed():
    with pytest.raises(MalformedEvidence, match="plonk"):
        read_key(b'{"format": "verifiable-ml verification key", "version": 1, "backend": "plonk"}')
