# SPDX-License-Identifier: MIT OR Apache-2.0
"""One proof of several claims: an honest one with one thing changed. Each is rejected, for its reason, off chain and on chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import tiny_program
from verifiable_ml.chain import Reverted, embedded, inputs_id
from verifiable_ml.chain.pins import PlanPins
from verifiable_ml.commitment import Claim, Dtype, InputCommitment, OutputBytes, Privacy
from verifiable_ml.errors import InvalidInput, MalformedEvidence, UnsupportedModel
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.proving import BatchProof, Proof, batch_backend, read_key

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

SUMCHECK = batch_backend("sumcheck")
INPUTS = [{"x": np.array([row], np.uint8)} for row in ([1, 60, 3, 33], [0, 0, 0, 0], [63, 1, 2, 9])]
COUNT = len(INPUTS)


@pytest.fixture(scope="module")
def key():
    return SUMCHECK.setup(tiny_program(), Privacy(), count=COUNT).verification


@pytest.fixture(scope="module")
def honest(key):
    keys = SUMCHECK.setup(tiny_program(), Privacy(), count=COUNT)
    return SUMCHECK.prove_batch(tiny_program(), INPUTS, keys)


def verdict(proof: BatchProof, key, claims=None):
    return SUMCHECK.verify_batch(proof, proof.claims if claims is None else claims, key)


def test_honest_batch_proof_is_accepted_after_travelling(key, honest):
    assert honest.claims == tuple(public_claim(run_reference(tiny_program(), each)) for each in INPUTS)
    assert verdict(BatchProof.from_bytes(honest.to_bytes()), read_key(key.to_bytes())).accepted
    assert key.count == COUNT


def with_claim(proof: BatchProof, place: int, change) -> BatchProof:
    claims = [*proof.claims]
    claims[place] = change(claims[place])
    return replace(proof, claims=tuple(claims))


def other_output(claim: Claim) -> Claim:
    (output,) = claim.outputs
    return replace(claim, outputs=(replace(output, data=bytes([output.data[0] ^ 1]) + output.data[1:]),))


def swapped(proof: BatchProof) -> BatchProof:
    """The claims with their inputs, in another order."""
    return replace(proof, claims=proof.claims[::-1], public_inputs=proof.public_inputs[::-1])


def outputs_swapped(proof: BatchProof) -> BatchProof:
    first, second, *rest = proof.claims
    return replace(proof, claims=(replace(first, outputs=second.outputs), replace(second, outputs=first.outputs), *rest))


def input_of_another(proof: BatchProof) -> BatchProof:
    given = (proof.public_inputs[1], *proof.public_inputs[1:])
    return with_claim(replace(proof, public_inputs=given), 0, lambda claim: replace(claim, inputs=proof.claims[1].inputs))


def input_not_committed_to(proof: BatchProof) -> BatchProof:
    return replace(proof, public_inputs=((bytes(4),), *proof.public_inputs[1:]))


def one_left_out(proof: BatchProof) -> BatchProof:
    return replace(proof, claims=proof.claims[:-1], public_inputs=proof.public_inputs[:-1])


def one_more(proof: BatchProof) -> BatchProof:
    return replace(proof, claims=(*proof.claims, proof.claims[0]), public_inputs=(*proof.public_inputs, proof.public_inputs[0]))


def bytes_moved_to_the_next(proof: BatchProof) -> BatchProof:
    """All tensors joined are what they were; each claim by itself is about an output that the program does not have."""
    (first,), (second,) = proof.claims[0].outputs, proof.claims[1].outputs
    width = first.dtype.width
    moved = OutputBytes(first.dtype, first.data[:-width]), OutputBytes(first.dtype, first.data[-width:] + second.data)
    claims = tuple(replace(claim, outputs=(data,)) for claim, data in zip(proof.claims, moved, strict=False))
    return replace(proof, claims=(*claims, *proof.claims[2:]))


def input_bytes_moved_to_the_next(proof: BatchProof) -> BatchProof:
    (first,), (second,), *rest = proof.public_inputs
    moved = first[:-1], first[-1:] + second
    claims = [
        replace(claim, inputs=(InputCommitment.public(Dtype.U8, data),)) for claim, data in zip(proof.claims, moved, strict=False)
    ]
    return replace(proof, claims=(*claims, *proof.claims[2:]), public_inputs=((moved[0],), (moved[1],), *rest))


LIES = {
    "swapped": (swapped, "not hold"),
    "outputs_swapped": (outputs_swapped, "not hold"),
    "input_of_another": (input_of_another, "not hold"),
    "input_not_committed_to": (input_not_committed_to, "commits to"),
    "one_left_out": (one_left_out, "the key is for 3 claims at once, and here is 2"),
    "one_more": (one_more, "the key is for 3 claims at once, and here is 4"),
    "bytes_moved_to_the_next": (bytes_moved_to_the_next, "different lengths"),
    "input_bytes_moved_to_the_next": (input_bytes_moved_to_the_next, "different lengths"),
    "of_another_program": (lambda p: with_claim(p, 1, lambda c: replace(c, program_id=bytes(32))), "another program"),
    "hiding": (lambda p: with_claim(p, 2, lambda c: replace(c, privacy=Privacy("hashed"))), "cannot hide"),
    "of_another_backend": (lambda p: replace(p, backend="replay"), "backend 'replay'"),
}
for place in range(COUNT):
    LIES[f"output_{place}_changed"] = (lambda p, place=place: with_claim(p, place, other_output), "not hold")


@pytest.mark.parametrize("name", LIES)
def test_batch_proof_with_one_thing_changed_is_rejected_for_its_reason(key, honest, name):
    lie, reason = LIES[name]
    found = verdict(lie(honest), key)
    assert not found.accepted
    assert reason in found.reason


def test_batch_proof_of_other_claims_than_asserted_is_rejected(key, honest):
    for claims in (honest.claims[::-1], (*honest.claims[:-1], other_output(honest.claims[-1]))):
        assert verdict(honest, key, claims).reason == "the proof is about another claim"
    assert "here is 0" in verdict(honest, key, ()).reason


def test_batch_proof_under_a_key_of_another_count_is_rejected(honest):
    for count in (1, 2, 4):
        key = SUMCHECK.setup(tiny_program(), Privacy(), count=count).verification
        assert f"the key is for {count} claims" in verdict(honest, key).reason
    padded = SUMCHECK.setup(tiny_program(), Privacy(), count=4).verification
    assert not verdict(one_more(honest), padded).accepted


def test_batch_proof_of_another_request_is_rejected(key, honest):
    assert not SUMCHECK.verify_batch(honest, honest.claims, key, bytes([1] * 32)).accepted


def test_proof_of_one_claim_is_none_under_a_key_of_several(key, honest):
    one = Proof("sumcheck", honest.claims[0], honest.payload, honest.public_inputs[0])
    assert "the key is for 3 claims" in SUMCHECK.verify(one, one.claim, key).reason


def test_several_inputs_joined_are_no_input(key, honest):
    """What the transcript absorbs is the inputs one after the other: as one claim of longer tensors nobody may take it."""
    joined = b"".join(given[0] for given in honest.public_inputs)
    outputs = b"".join(claim.outputs[0].data for claim in honest.claims)
    first = honest.claims[0]
    claim = replace(
        first,
        inputs=(InputCommitment.public(Dtype.U8, joined),),
        outputs=(replace(first.outputs[0], data=outputs),),
    )
    shown = Proof("sumcheck", claim, honest.payload, (joined,))
    assert not SUMCHECK.verify(shown, claim, key).accepted
    receipt = embedded().verify(shown, claim, key)
    assert (receipt.accepted, receipt.reason) == (False, "the key is of 3 claims at once, not of 1")
    chain = embedded()
    contract = chain.deploy("SumcheckClaimVerifier", chain.deploy("SumcheckVerifier").address)
    pin, _ = PlanPins(key.registration()).arguments(chain, contract, {})
    with pytest.raises(Reverted, match="another number of runs"):
        contract.send("register", *pin)


@pytest.mark.parametrize("cut", [lambda b: b[:-1], lambda b: b[:-32], lambda b: b + bytes(32), lambda b: b""])
def test_batch_proof_of_other_words_is_malformed(key, honest, cut):
    with pytest.raises(MalformedEvidence):
        verdict(replace(honest, payload=cut(honest.payload)), key)


def test_inputs_of_other_claims_than_there_are_is_malformed(key, honest):
    with pytest.raises(MalformedEvidence, match="inputs of 2 claims"):
        verdict(replace(honest, public_inputs=honest.public_inputs[:-1]), key)


def test_more_or_fewer_inputs_than_the_keys_are_for_are_refused():
    keys = SUMCHECK.setup(tiny_program(), Privacy(), count=2)
    for count in (0, 1, 3):
        with pytest.raises(InvalidInput, match="the keys are for 2 at once"):
            SUMCHECK.prove_batch(tiny_program(), INPUTS[:count], keys)


def test_backend_that_takes_one_input_at_a_time_is_refused():
    for name in ("ezkl", "replay"):
        with pytest.raises(UnsupportedModel, match="one input at a time"):
            batch_backend(name)


# ---- on chain ----------------------------------------------------------------------------------------------------------

ON_CHAIN = {
    "swapped": "ProofRejected",
    "outputs_swapped": "ProofRejected",
    "input_of_another": "ProofRejected",
    "input_not_committed_to": "ProofRejected",
    "one_left_out": "the key is of 3 claims at once, not of 2",
    "one_more": "the key is of 3 claims at once, not of 4",
    "bytes_moved_to_the_next": "proves claim",
    "input_bytes_moved_to_the_next": "proves claim",
    "of_another_program": "is about program",
    "hiding": "privacy",
}
"""All lies but the backend's name, which a contract is not told."""


@pytest.fixture(scope="module")
def chain(key):
    made = embedded()
    made.register(key.registration())
    made.implicit = False
    return made


def test_honest_batch_proof_is_recorded_on_chain_claim_by_claim(chain, key, honest):
    receipt = chain.verify_batch(honest, honest.claims, key)
    assert receipt.accepted and receipt.claim_ids == tuple(claim.id for claim in honest.claims)
    contract = chain.claim_verifiers["SumcheckBatchVerifier"]
    events = [event.values for event in contract.events(0, chain.node.number()) if event.name == "ClaimVerified"]
    assert [event["claimId"] for event in events] == [claim.id for claim in honest.claims]
    assert [event["inputsId"] for event in events] == [inputs_id(claim) for claim in honest.claims]


@pytest.mark.parametrize("name", sorted({*LIES} - {"of_another_backend"}))
def test_batch_proof_with_one_thing_changed_is_rejected_on_chain(chain, key, honest, name):
    lie = LIES[name][0](honest)
    receipt = chain.verify_batch(lie, lie.claims, key)
    assert (receipt.accepted, receipt.gas_used) == (False, 0)
    assert ON_CHAIN.get(name, "ProofRejected") in receipt.reason


def test_batch_proof_is_bound_to_its_request_on_chain(chain, key, honest):
    request = bytes([1] * 32)
    assert chain.verify_batch(honest, honest.claims, key, request).reason == "ProofRejected()"
    bound = SUMCHECK.prove_batch(tiny_program(), INPUTS, SUMCHECK.setup(tiny_program(), Privacy(), count=COUNT), context=request)
    assert chain.verify_batch(bound, bound.claims, key, request).accepted
    assert chain.verify_batch(bound, bound.claims, key).reason == "ProofRejected()"


def test_batch_proof_of_claims_that_others_assert_is_rejected_on_chain(chain, key, honest):
    receipt = chain.verify_batch(honest, (*honest.claims[:-1], other_output(honest.claims[-1])), key)
    assert (receipt.accepted, receipt.reason) == (False, "ProofRejected()")


def test_inputs_that_are_not_those_of_the_claims_are_malformed_on_chain(chain, key, honest):
    rest = honest.public_inputs[1:]
    for given in (rest, ((), *rest), (("text",), *rest), (5, *rest), None):
        with pytest.raises(MalformedEvidence, match="input"):
            chain.verify_batch(replace(honest, public_inputs=given), honest.claims, key)
    with pytest.raises(MalformedEvidence, match="bytes, a proof under this key"):
        chain.verify_batch(replace(honest, payload=honest.payload[:-32]), honest.claims, key)


def test_claim_that_is_none_is_malformed_on_chain_before_it_has_a_name(chain, key, honest):
    lie = with_claim(honest, 1, lambda claim: replace(claim, outputs=(replace(claim.outputs[0], data=b""),)))
    with pytest.raises(MalformedEvidence):
        chain.verify_batch(lie, lie.claims, key)


# ---- its document ------------------------------------------------------------------------------------------------------

OTHER_BYTES = {
    "a space": lambda data: data.replace(b'"version": 1', b'"version":  1'),
    "another version": lambda data: data.replace(b'"version": 1', b'"version": 2'),
    "a truth value for a version": lambda data: data.replace(b'"version": 1', b'"version": true'),
    "another format": lambda data: data.replace(b"batch proof", b"proof"),
    "upper case": lambda data: data[: data.index(b'"payload"')] + data[data.index(b'"payload"') :].upper(),
    "no claims": lambda data: data[: data.index(b'"claims"')] + b'"claims": [],\n' + data[data.index(b' "public_inputs"') :],
    "claims that are text": lambda data: (
        data[: data.index(b'"claims"')] + b'"claims": "abc",\n' + data[data.index(b' "public_inputs"') :]
    ),
    "a field more": lambda data: data.replace(b'"backend"', b'"more": 1,\n "backend"'),
    "a backend that is a number": lambda data: data.replace(b'"sumcheck"', b"1"),
    "no end": lambda data: data[:-9],
    "bytes behind the end": lambda data: data + b"\n",
    "a nested list of inputs": lambda data: data.replace(b'"public_inputs": [\n  [', b'"public_inputs": [\n  [[', 1),
}


@pytest.mark.parametrize("name", OTHER_BYTES)
def test_bytes_that_no_batch_proof_is_written_as_are_malformed(honest, name):
    data = honest.to_bytes()
    assert OTHER_BYTES[name](data) != data
    with pytest.raises(MalformedEvidence):
        BatchProof.from_bytes(OTHER_BYTES[name](data))
