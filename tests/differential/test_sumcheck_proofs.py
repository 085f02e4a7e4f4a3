# SPDX-License-Identifier: MIT OR Apache-2.0
"""Native proofs on chain: those that Rust recorded hold, and none with anything changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from differential.step_chain import Refused
from differential.sumcheck_chain import number
from differential.sumcheck_verifier import FOLDER, recorded, verifier
from verifiable_ml.commitment.transcript import MODULUS as P

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
GENERATOR = (
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
)
"""Of the second group: a secret of 1."""
REASONS = {"Rejected", "OpeningFails", "NoPoint", "NotCanonical", "Infinity"}


def flipped(word: bytes, bit: int) -> bytes:
    return (number(word) ^ 1 << bit).to_bytes(32, "big")


def refused(given) -> str:
    answer = verifier().verify(given)
    assert isinstance(answer, Refused), answer
    return answer.error


@pytest.mark.parametrize("name", NAMES)
def test_proof_that_rust_recorded_holds_on_chain(name):
    assert not isinstance(verifier().verify(recorded(name)), Refused)


def test_proofs_are_recorded_and_the_contract_may_be_deployed():
    assert {"credit-default", "digits-cnn", "digits-mlp", "digits-transformer", "lenet5-mnist"} <= set(NAMES)
    assert verifier().size <= 24_576


def test_proof_with_any_word_changed_is_refused():
    honest = recorded("digits-mlp")
    reasons = [refused(honest.with_proof(place, flipped(word, place % 254))) for place, word in enumerate(honest.proof)]
    assert set(reasons) <= REASONS
    assert {"Rejected", "OpeningFails", "NoPoint"} <= set(reasons)


def test_proof_with_a_scalar_that_is_not_canonical_is_refused():
    honest = recorded("digits-mlp")
    raised = [honest.with_proof(place, (number(word) + P).to_bytes(32, "big")) for place, word in enumerate(honest.proof)]
    assert {refused(given) for given in raised} <= REASONS


@pytest.mark.parametrize("name", NAMES)
def test_statement_with_any_word_changed_is_refused(name):
    honest = recorded(name)
    for place, word in enumerate(honest.statement):
        for bit in (0, 255, 8 * place % 256):
            assert refused(honest.with_statement(place, flipped(word, bit))) in REASONS


def test_proof_for_another_context_key_secret_or_length_is_refused():
    honest, other = recorded("digits-mlp"), recorded("digits-cnn")
    assert refused(replace(honest, context=flipped(honest.context, 0))) in REASONS
    assert refused(replace(honest, plan=other.plan)) == "WrongLength"
    assert refused(replace(honest, plan=honest.plan[:32] + bytes(32) + honest.plan[64:])) in REASONS
    generator = bytes.fromhex(GENERATOR)
    assert refused(replace(honest, plan=honest.plan[:64] + generator + honest.plan[192:])) == "OpeningFails"
    assert refused(replace(honest, plan=honest.plan[:64] + generator[::-1] + honest.plan[192:])) == "NoPoint"
    assert refused(replace(honest, plan=b"")) == "NoPlan"
    for change in ({"proof": honest.proof[:-1]}, {"proof": (*honest.proof, bytes(32))}, {"statement": honest.statement[1:]}):
        assert refused(replace(honest, **change)) == "WrongLength"


def test_plan_with_an_instruction_that_no_plan_holds_is_refused():
    honest = recorded("digits-mlp")
    data = int.from_bytes(honest.plan[12:16], "big")
    for code in (0, 31, 63, 255):
        plan = honest.plan[: 192 + data] + bytes([code]) + honest.plan[192 + data + 1 :]
        assert refused(replace(honest, plan=plan)) == "NoInstruction"
