# SPDX-License-Identifier: MIT OR Apache-2.0
"""The ezkl backend from outside: what it proves, what it hides, what it refuses, and what damage it notices."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import HASHED, PRIVATE, PUBLIC, TINY_INPUT, tiny_program
from verifiable_ml.commitment import InputCommitment, Privacy
from verifiable_ml.commitment.claim import INPUT_MODES
from verifiable_ml.errors import CorruptedArtifact, InvalidInput, MalformedEvidence, UnsupportedModel, WorkerFailed
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.program import Builder, Interval
from verifiable_ml.program.encoding import Tokens
from verifiable_ml.proving import Keys, backend
from verifiable_ml.proving.ezkl import cache, circuit, prove
from verifiable_ml.proving.ezkl.backend import EzklBackend
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.srs import GIVEN

MODES = [Privacy(given, weights) for given, weights in itertools.product(INPUT_MODES, ("public", "hashed", "committed"))]


@pytest.mark.parametrize("privacy", MODES, ids=str)
def test_proof_in_every_mode_is_accepted(honest, privacy):
    assert honest(privacy).verify().accepted


def test_proof_of_a_public_input_is_about_the_claim_of_a_plain_run(honest):
    assert honest().claim == public_claim(run_reference(tiny_program(), TINY_INPUT))


@pytest.mark.parametrize("privacy", [HASHED, PRIVATE], ids=str)
def test_proof_of_a_hidden_input_holds_no_input(honest, privacy):
    h = honest(privacy)
    assert h.proof.public_inputs == ()
    assert h.claim.inputs != public_claim(run_reference(h.program, TINY_INPUT)).inputs


def test_hashed_input_opens_with_its_salt_and_with_no_other(honest):
    h = honest(HASHED)
    assert h.backend.commitments(h.program, TINY_INPUT, h.proof.salts) == h.claim.inputs
    assert h.backend.commitments(h.program, TINY_INPUT, (bytes(16),)) != h.claim.inputs
    other = {"x": TINY_INPUT["x"][:, ::-1]}
    assert h.backend.commitments(h.program, other, h.proof.salts) != h.claim.inputs


def test_hashed_input_is_committed_to_afresh_each_time(honest):
    h = honest(HASHED)
    assert h.backend.prove(h.program, TINY_INPUT, h.keys).claim.inputs != h.claim.inputs


@pytest.mark.parametrize("salts", [(), (bytes(16),) * 2, (bytes(15),)], ids=len)
def test_salts_of_another_form_are_refused(honest, salts):
    with pytest.raises(InvalidInput):
        honest(HASHED).backend.commitments(tiny_program(), TINY_INPUT, salts)


def test_private_weights_are_refused_since_nothing_would_pin_them(ezkl):
    for call in (ezkl.supports, ezkl.estimate, ezkl.setup):
        with pytest.raises(UnsupportedModel, match="holds for any weights"):
            call(tiny_program(), Privacy("public", "private"))


def test_setup_gives_the_same_key_each_time(honest, tmp_path, monkeypatch):
    """ezkl writes sets in a random order; the key must not depend on it, or nobody could make it again."""
    h = honest()
    shutil.copytree(cache.root() / "srs", tmp_path / "srs")
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path))
    for _ in range(3):
        assert h.backend.setup(h.program, PUBLIC).verification == h.key
        shutil.rmtree(tmp_path / "keys")


def test_registration_says_what_the_key_says(honest):
    registration = honest(HASHED).key.registration()
    assert registration.program_id == tiny_program().id
    assert registration.privacy == HASHED
    assert registration.inputs[0].interval == (0, 63)
    assert len(registration.weight_instances) == 1
    assert honest(PRIVATE).key.registration().proof_prefix == honest(PRIVATE).proof.payload[:64]


def test_estimate_is_of_the_size_that_is_made(honest):
    h = honest()
    found = h.backend.estimate(h.program, PUBLIC)
    made = (h.keys.proving / "pk").stat().st_size
    assert found.logrows == h.key.logrows
    assert made / 3 < found.key_bytes < made * 3
    assert "UNSAFE" in found.warning


def test_many_inputs_give_the_reference_outputs(honest):
    """The circuit's witness against NumPy: ends of the interval, then random inputs."""
    h, rng = honest(), np.random.default_rng(5)
    rows = [np.zeros((1, 4)), np.full((1, 4), 63), *(rng.integers(0, 64, (1, 4)) for _ in range(10))]
    with cache.workspace() as folder:
        worker = Worker(folder)
        for row in rows:
            given = {"x": row.astype(np.uint8)}
            witness = worker.run(
                "witness", circuit=str(h.keys.proving / "circuit"), input_data=[row.astype(int).ravel().tolist()]
            )
            prove._agree(witness, run_reference(h.program, given))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"x": np.zeros((1, 3), np.uint8)},
        {"x": np.full((1, 4), 64)},
        {"x": np.full((1, 4), np.nan)},
        {"y": np.zeros((1, 4), int)},
    ],
    ids=str,
)
def test_prove_input_that_is_none_is_refused(honest, values):
    with pytest.raises(InvalidInput):
        honest().backend.prove(honest().program, values, honest().keys)


def test_prove_with_keys_of_another_program_is_refused(honest):
    with pytest.raises(InvalidInput, match="another program"):
        honest().backend.prove(tiny_program(logits=2), TINY_INPUT, honest().keys)


def test_prove_with_halves_of_two_keys_is_refused(honest):
    mixed = Keys(honest(HASHED).keys.proving, honest().key)
    with pytest.raises(InvalidInput, match="two halves"):
        honest().backend.prove(tiny_program(), TINY_INPUT, mixed)


def test_prove_and_verify_with_keys_of_another_backend_are_refused(honest):
    replay = backend("replay").setup(tiny_program(), PUBLIC)
    with pytest.raises(InvalidInput, match="no keys of ezkl"):
        honest().backend.prove(tiny_program(), TINY_INPUT, replay)
    with pytest.raises(InvalidInput, match="no ezkl key"):
        honest().backend.verify(honest().proof, honest().claim, replay.verification)


@pytest.mark.parametrize("name", ["pk", "circuit", "key"])
def test_key_file_corrupted_in_the_cache_is_named(honest, tmp_path, name):
    h = honest()
    folder = shutil.copytree(h.keys.proving, tmp_path / "keys")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(CorruptedArtifact, match=f"{name}.*checksum is wrong"):
        h.backend.prove(h.program, TINY_INPUT, Keys(folder, h.key))


def test_keys_that_are_gone_say_how_to_make_them(honest, tmp_path):
    with pytest.raises(InvalidInput, match="vml setup"):
        honest().backend.prove(tiny_program(), TINY_INPUT, Keys(tmp_path / "none", honest().key))


def test_reference_string_of_the_user_gives_keys_without_the_unsafe_label(honest, tmp_path):
    mine = tmp_path / "ceremony.srs"
    shutil.copy(cache.root() / "srs" / f"unsafe-{honest().key.logrows}" / "srs", mine)
    given = EzklBackend(srs=mine, memory_limit=1 << 32)
    keys = given.setup(tiny_program(), PUBLIC)
    proof = given.prove(tiny_program(), TINY_INPUT, keys)
    assert given.verify(proof, proof.claim, keys.verification).assumption.endswith(GIVEN)
    assert given.estimate(tiny_program(), PUBLIC).warning == ""


def test_keys_of_another_reference_string_are_refused(honest, tmp_path):
    logrows = honest().key.logrows
    Worker(tmp_path).run("srs", logrows=logrows)
    other = EzklBackend(srs=tmp_path / "srs", memory_limit=1 << 32)
    with pytest.raises(InvalidInput, match="under another one"):
        other.prove(tiny_program(), TINY_INPUT, honest().keys)


def test_proof_that_does_not_verify_is_never_handed_out(honest, monkeypatch):
    monkeypatch.setattr(prove, "holds", lambda proof, key, worker: "it does not hold")
    with pytest.raises(WorkerFailed, match="it does not hold"):
        honest().backend.prove(tiny_program(), TINY_INPUT, honest().keys)


def test_circuit_that_differs_from_the_reference_is_never_proved(honest, monkeypatch):
    other = run_reference(tiny_program(logits=2), TINY_INPUT)
    monkeypatch.setattr(prove, "run_reference", lambda program, inputs: other)
    with pytest.raises(WorkerFailed, match="differs from the reference"):
        honest().backend.prove(tiny_program(), TINY_INPUT, honest().keys)


def test_verify_garbage_key_of_the_right_form_rejects(honest):
    """A key that somebody rebuilt with a checksum of their own: halo2 panics inside, and nothing comes out but a verdict."""
    h = honest()
    for vk in (bytes(len(h.key.vk)), b"", h.key.vk[:-1], b"\xff" * len(h.key.vk)):
        assert not h.backend.verify(h.proof, h.claim, replace(h.key, vk=vk)).accepted
    for settings in ("{}", "", h.key.settings.replace('"logrows": ', '"logrows": 1')):
        assert not h.backend.verify(h.proof, h.claim, replace(h.key, settings=settings)).accepted


@pytest.mark.parametrize("at", [0, 4, 4 + 128, 516 - 256, 516 - 128])
def test_key_with_a_reference_string_of_zeros_is_refused(honest, at):
    """Pairings with zero are all equal: halo2 would accept anything under such a key."""
    zeroed = honest().key.reference[:at] + bytes(128) + honest().key.reference[at + 128 :]
    with pytest.raises(InvalidInput, match="reference string"):
        replace(honest().key, reference=zeroed[:516])


def _two_inputs():
    builder = Builder()
    a = builder.input("a", (1, 3), Interval(-8, 7), Tokens())
    b = builder.input("b", (1, 3), Interval(0, 9), Tokens())
    total = builder.apply("add", a, b, coefficients=((2,), (-3,)))
    product = builder.apply("mul", a, b, x_zero=0, y_zero=0)
    builder.output("sum", total, Tokens())
    builder.output("product", product, Tokens())
    return builder.build()


@pytest.mark.parametrize("privacy", [PUBLIC, Privacy("hashed"), Privacy("private")], ids=str)
def test_program_with_two_inputs_and_outputs_is_proven(ezkl, privacy):
    program, given = _two_inputs(), {"a": np.array([[-8, 0, 7]]), "b": np.array([[9, 1, 0]])}
    keys = ezkl.setup(program, privacy)
    proof = ezkl.prove(program, given, keys)
    assert ezkl.verify(proof, proof.claim, keys.verification).accepted
    assert [output.data for output in proof.claim.outputs] == [
        o.data for o in public_claim(run_reference(program, given)).outputs
    ]
    if privacy.input == "hashed":
        swapped = replace(proof, claim=replace(proof.claim, inputs=proof.claim.inputs[::-1]))
        assert not ezkl.verify(swapped, swapped.claim, keys.verification).accepted


def test_public_inputs_of_two_in_the_wrong_order_are_rejected(ezkl):
    program, given = _two_inputs(), {"a": np.array([[1, 2, 3]]), "b": np.array([[4, 5, 6]])}
    keys = ezkl.setup(program, PUBLIC)
    proof = ezkl.prove(program, given, keys)
    told = replace(proof, public_inputs=proof.public_inputs[::-1])
    assert not ezkl.verify(told, told.claim, keys.verification).accepted
    with pytest.raises(MalformedEvidence):
        ezkl.verify(replace(proof, public_inputs=proof.public_inputs[:1]), proof.claim, keys.verification)


def test_circuit_too_large_is_refused_before_any_work(monkeypatch, ezkl):
    monkeypatch.setattr(circuit, "GREATEST", 8)
    with pytest.raises(UnsupportedModel, match="more than 2\\^8 rows"):
        ezkl.setup(tiny_program(), PUBLIC)


def test_input_commitment_of_a_private_input_names_nothing(honest):
    assert honest(PRIVATE).claim.inputs == (InputCommitment(4, bytes(32)),)
