# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is pinned on chain can be compared with what it should be, field by field; a wrong registration cannot be made."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain import TensorLayout
from verifiable_ml.chain.deployment import FIELDS, differences, to_struct
from verifiable_ml.commitment import Dtype, Privacy, keccak
from verifiable_ml.errors import InvalidInput

ADDRESS = "0x" + "11" * 20

CHANGES = {
    "program id": {"program_id": bytes(32)},
    "privacy": {"privacy_code": 0x21},
    "SRS id": {"srs_id": bytes(32)},
    "proof length": {"proof_bytes": 64},
    "proof prefix": {"privacy_code": 0x30, "proof_prefix": bytes(64)},
    "weight instances": {"privacy_code": 0x10, "weight_instances": (1,)},
    "inputs": {"inputs": (TensorLayout(Dtype.U8, 8),)},
    "outputs": {"outputs": (TensorLayout(Dtype.I32, 3),)},
    "vka": {"vka": (1, 2, 3)},
}


@pytest.mark.parametrize("field", CHANGES)
def test_check_names_the_field_that_differs(public, field):
    pinned = to_struct(public.registration(), ADDRESS)
    wanted = to_struct(replace(public.registration(), **CHANGES[field]), ADDRESS)
    assert field in differences(pinned, wanted)
    assert set(differences(pinned, wanted)) <= {field, "vk digest", *({"privacy"} if "privacy_code" in CHANGES[field] else ())}


def test_check_changes_cover_every_field():
    assert CHANGES.keys() | {"vk digest", "verifier"} == set(FIELDS)


def test_check_on_chain_names_another_key(registered, public):
    assert registered.check(public.registration()) == ()
    assert registered.check(replace(public.registration(), vka=(1, 2))) == ("vk digest", "vka")
    assert registered.check(replace(public.registration(), srs_id=bytes(32))) == ("SRS id",)


def test_check_on_chain_names_what_is_not_pinned(registered, public):
    other = replace(public.registration(), program_id=bytes(32))
    assert registered.check(other) == ("nothing is pinned for this program and privacy",)


def test_check_on_chain_names_a_verifier_of_other_code(public):
    chain = chains.embedded()
    chain.reusable_verifier = replace(chain.deploy("ClaimVerifier"), artifact=chains.load_artifact("Halo2VerifierReusable"))
    contract = chain.deploy("ClaimVerifier")
    chain.claim_verifier = contract
    # A ClaimVerifier in the verifier's place: register would call registerVka on it, so the words are left out.
    struct = (*to_struct(public.registration(), chain.reusable_verifier.address)[:-1], ())
    contract.send("register", struct)
    assert chain.check(public.registration()) == ("vka", "verifier")


def test_deployment_id_is_that_of_rule_10(registered, public):
    made = public.registration()
    assert made.deployment_id == keccak(b"\x14" + made.program_id + made.srs_id + keccak(made.vka_bytes))


@pytest.mark.parametrize(
    "change",
    [
        {"program_id": b""},
        {"srs_id": bytes(31)},
        {"privacy_code": 256},
        {"privacy_code": 3},
        {"privacy_code": -1},
        {"privacy_code": 0x10},
        {"privacy_code": 0x30},
        {"privacy_code": 0x30, "proof_prefix": bytes(65)},
        {"proof_prefix": bytes(64)},
        {"weight_instances": (1,)},
        {"inputs": ()},
        {"outputs": (TensorLayout(Dtype.U8, 0),)},
        {"inputs": (TensorLayout(Dtype.U8, 8, -1, 250),)},
        {"inputs": (TensorLayout(Dtype.U8, 8, 7, 6),)},
        {"proof_bytes": 33},
        {"privacy_code": 0x30, "proof_prefix": bytes(6_400)},
        {"privacy_code": 0x10, "weight_instances": (chains.FIELD,)},
        {"vka": (1 << 256,)},
        {"vka": ()},
    ],
    ids=str,
)
def test_registration_that_contradicts_itself_is_invalid_input(public, change):
    with pytest.raises(InvalidInput):
        replace(public.registration(), **change)


def test_dedicated_verifier_serves_the_same_claim(tmp_path):
    pytest.importorskip("ezkl")
    proof = importlib.import_module("tiny_circuit").prove(tmp_path, Privacy(), dedicated=True)
    chain = chains.embedded()
    made = chain.register(proof.registration())
    assert set(made.gas) == {"ClaimVerifier", "Halo2Verifier", "register"}
    assert chain.verify(proof, proof.claim, proof).accepted
    assert chain.check(proof.registration()) == ()
    told = replace(proof, payload=bytes(len(proof.payload)))
    assert chain.verify(told, told.claim, proof).reason == "ProofRejected()"
    assert "verifier" in chain.check(replace(proof.registration(), dedicated_source=None))


def test_long_keys_ask_for_a_dedicated_verifier(public):
    assert not public.registration().needs_dedicated
    assert replace(public.registration(), vka=(1,) * 929).needs_dedicated
