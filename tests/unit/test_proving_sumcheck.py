# SPDX-License-Identifier: MIT OR Apache-2.0
"""sumcheck: what the native prover accepts, rejects and refuses, through the Backend."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.commitment import InputCommitment, OutputBytes, Privacy
from verifiable_ml.commitment.codec import Dtype
from verifiable_ml.errors import MalformedEvidence, UnsupportedModel
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.program import Builder, Interval, Tokens
from verifiable_ml.proving import Proof, backend, read_key

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

SUMCHECK = backend("sumcheck")


@pytest.fixture(scope="module")
def keys():
    return SUMCHECK.setup(tiny_program(), Privacy())


@pytest.fixture(scope="module")
def proof(keys):
    return SUMCHECK.prove(tiny_program(), TINY_INPUT, keys)


def test_sumcheck_honest_proof_is_accepted_after_travelling(keys, proof):
    key = read_key(keys.verification.to_bytes())
    assert key.id == keys.verification.id
    verdict = SUMCHECK.verify(Proof.from_bytes(proof.to_bytes()), proof.claim, key)
    assert verdict.accepted
    assert "UNSAFE" in verdict.assumption


def test_sumcheck_claim_is_the_one_of_a_plain_run(proof):
    assert proof.claim == public_claim(run_reference(tiny_program(), TINY_INPUT))


def _telling(proof, **changes):
    return replace(proof, claim=replace(proof.claim, **changes))


def _other_output(proof):
    (output,) = proof.claim.outputs
    return _telling(proof, outputs=(OutputBytes(output.dtype, bytes([output.data[0] ^ 1]) + output.data[1:]),))


def _other_input(proof):
    (data,) = proof.public_inputs
    data = bytes([data[0] ^ 1]) + data[1:]
    return replace(_telling(proof, inputs=(InputCommitment.public(Dtype.U8, data),)), public_inputs=(data,))


LIES = {
    "does not hold": _other_output,
    "not hold": _other_input,
    "another program": lambda p: _telling(p, program_id=bytes(32)),
    "cannot hide": lambda p: _telling(p, privacy=Privacy("hashed")),
    "program's types": lambda p: _telling(p, outputs=(OutputBytes(Dtype.U8, p.claim.outputs[0].data),)),
    "commits to": lambda p: replace(p, public_inputs=(bytes(4),)),
    "backend 'ezkl'": lambda p: replace(p, backend="ezkl"),
}


@pytest.mark.parametrize("reason", LIES)
def test_sumcheck_lie_is_rejected_for_its_reason(keys, proof, reason):
    told = LIES[reason](proof)
    verdict = SUMCHECK.verify(told, told.claim, keys.verification)
    assert not verdict.accepted
    assert reason in verdict.reason


CHANGES = [lambda b: b[:-1], lambda b: b[:-32], lambda b: b + bytes(32), lambda b: b"", lambda b: b"\xff" * len(b)]


@pytest.mark.parametrize("change", CHANGES)
def test_sumcheck_bytes_that_are_no_proof_are_malformed(keys, proof, change):
    with pytest.raises(MalformedEvidence):
        SUMCHECK.verify(replace(proof, payload=change(proof.payload)), proof.claim, keys.verification)


@pytest.mark.parametrize("cut", range(0, 2000, 97))
def test_sumcheck_key_with_a_changed_byte_is_malformed_or_another_key(keys, cut):
    data = bytearray(keys.verification.to_bytes())
    data[cut % len(data)] ^= 1
    with suppress(MalformedEvidence):
        assert read_key(bytes(data)).id != keys.verification.id


def test_sumcheck_refuses_what_it_cannot_prove_and_names_the_operator():
    builder = Builder()
    x = builder.input("x", (2, 1_025), Interval(0, 255), Tokens())
    builder.output("y", builder.apply("argmax", x), Tokens())
    with pytest.raises(UnsupportedModel, match=r"argmax.*1024 is the most"):
        SUMCHECK.supports(builder.build(), Privacy())


def test_sumcheck_hides_nothing_and_says_so():
    with pytest.raises(UnsupportedModel, match="does not hide"):
        SUMCHECK.supports(tiny_program(), Privacy("hashed"))
