# SPDX-License-Identifier: MIT OR Apache-2.0
"""One question, one claim, three ways: a proof, a dispute window, execution; on one chain, with the true contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.evm.tiny_disputes import (
    LOCAL,
    WINDOW,
    Disputes,
    answer,
    claimed,
    deploy_disputes,
    deploy_execution,
    of_program,
    register,
    tiny_program,
    tiny_trace,
)
from verifiable_ml import chain as chains
from verifiable_ml.chain import Chain, inputs_id
from verifiable_ml.commitment import Claim, Dtype, OutputBytes
from verifiable_ml.errors import ChainError, InvalidInput, MalformedEvidence
from verifiable_ml.execute import Trace
from verifiable_ml.execute.trace import public_claim
from verifiable_ml.settle import NEVER, DisputeWay, ExecutionWay, EzklWay, Question, Settlement, Status

SUM = 10**18
FEE = 10**15


@dataclass(frozen=True)
class World:
    """Every way to settle what the tiny program says."""

    chain: Chain
    settlement: Settlement
    ezkl: EzklWay
    dispute: DisputeWay
    execution: ExecutionWay
    disputes: Disputes
    trace: Trace
    proof: object
    claim: Claim


@pytest.fixture(scope="module")
def world(public):
    trace = tiny_trace(tiny_program())
    chain, proof = chains.embedded(), of_program(public, trace.program)
    disputes = deploy_disputes(chain)
    register(disputes, trace)
    chain.node.advance(WINDOW)
    verifier = chain.register(proof.registration()).claim_verifier
    runner = deploy_execution(chain, disputes, trace.program)
    ways = (
        EzklWay.deploy(chain, verifier),
        DisputeWay.deploy(chain, disputes.claims.address, LOCAL),
        ExecutionWay.deploy(chain, runner.address, disputes.registry.address),
    )
    return World(chain, Settlement.deploy(chain), *ways, disputes, trace, proof, public_claim(trace))


def _ask(world, **options):
    """In the name of the node's own account, by the dispute window."""
    terms = world.dispute.terms(world.proof.public_inputs, world.chain.node.sender)
    return world.settlement.request(world.claim, world.dispute, terms, fee=FEE, **options)


def _finalise(world, asked):
    request = world.dispute.claims_request(asked.id)
    assertion = answer(world.disputes, request, world.trace, claimed(world.trace))
    world.chain.node.advance(WINDOW + 1)
    world.disputes.claims.send("finalise", assertion)


def test_claim_of_the_program_is_the_claim_of_the_proof(world):
    assert world.claim == world.proof.claim


def test_settlement_same_claim_by_every_way(world):
    """The answers are one claim: whichever way made it final, the consumer gets the same."""
    by_proof = world.settlement.request(world.claim, world.ezkl)
    by_window = _ask(world)
    by_run = world.settlement.request(world.claim, world.execution, world.execution.terms())
    run = world.settlement.deliver(by_run.question, world.claim, world.execution.evidence(world.proof.public_inputs))
    assert run.accepted and run.gas_used < 500_000
    told = world.settlement.deliver(by_proof.question, world.claim, world.ezkl.evidence(world.claim, world.proof))
    assert told.accepted and not told.told  # an account is not called
    _finalise(world, by_window)
    assert world.settlement.deliver(by_window.question, world.claim, world.dispute.evidence(world.claim)).accepted
    assert len({by_proof.id, by_window.id, by_run.id}) == 3
    for asked in (by_proof, by_window, by_run):
        assert world.settlement.status(asked.question) == Status.ANSWERED
        assert world.settlement.is_answer(asked.question, world.claim)
        world.settlement.take(asked.question, world.claim)
        assert world.settlement.status(asked.question) == Status.DELIVERED


def test_settlement_window_that_is_open_is_not_final_yet(world):
    asked = _ask(world)
    evidence = world.dispute.evidence(world.claim)
    assert world.settlement.deliver(asked.question, world.claim, evidence).reason.startswith("NotFinal")
    answer(world.disputes, world.dispute.claims_request(asked.id), world.trace, claimed(world.trace))
    early = world.settlement.deliver(asked.question, world.claim, evidence)
    assert not early.accepted and early.gas_used == 0 and early.reason.startswith("NotFinal")


def test_settlement_other_output_than_the_final_one_is_rejected(world):
    asked = _ask(world)
    _finalise(world, asked)
    turned = np.roll(np.frombuffer(world.claim.outputs[0].data, "<i2"), 1).tobytes()
    lie = replace(world.claim, outputs=(OutputBytes(Dtype.I16, turned),))
    assert world.settlement.deliver(asked.question, lie, world.dispute.evidence(lie)).reason.startswith("NotFinal")


def test_settlement_other_output_than_the_chain_computes_is_rejected(world):
    asked = world.settlement.request(world.claim, world.execution)
    turned = np.roll(np.frombuffer(world.claim.outputs[0].data, "<i2"), 1).tobytes()
    lie = replace(world.claim, outputs=(OutputBytes(Dtype.I16, turned),))
    evidence = world.execution.evidence(world.proof.public_inputs)
    assert world.settlement.deliver(asked.question, lie, evidence).reason == "WrongOutputs()"


def test_settlement_evidence_of_the_other_way_is_refused(world):
    """A true proof shown to the window, which reads it as roots; and roots shown to the verifier, which are no proof at all."""
    by_window, by_proof = _ask(world), world.settlement.request(world.claim, world.ezkl)
    proof, roots = world.ezkl.evidence(world.claim, world.proof), world.dispute.evidence(world.claim)
    assert world.settlement.deliver(by_window.question, world.claim, proof).reason.startswith("WrongQuestion")
    with pytest.raises(MalformedEvidence):
        world.settlement.deliver(by_proof.question, world.claim, roots)
    assert world.settlement.status(by_window.question) == world.settlement.status(by_proof.question) == Status.OPEN


@pytest.mark.parametrize("way", ["ezkl", "dispute"])
def test_payout_by_either_way_pays_the_beneficiary(world, way):
    ways = [world.ezkl.contract.address, world.dispute.contract.address]
    fixed = world.claim.program_id, 0, int(Dtype.I16), ways
    payout = world.chain.deploy("VerifiedPayout", world.settlement.contract.address, *fixed)
    funder, beneficiary = world.chain.accounts[1:3]
    chosen = getattr(world, way)
    fee, terms = (0, chosen.terms()) if way == "ezkl" else (FEE, chosen.terms(world.proof.public_inputs, funder))
    decided = int(np.frombuffer(world.claim.outputs[0].data, "<i2").argmax())
    wanted = inputs_id(world.claim), decided, beneficiary, NEVER, chosen.contract.address, fee, terms
    asked = world.settlement.asked(payout.by(funder).send("open", *wanted, value=SUM + fee))
    if way == "dispute":
        _finalise(world, asked)
    evidence = chosen.evidence(world.claim, *([world.proof] if way == "ezkl" else []))
    delivery = world.settlement.by(world.chain.accounts[5]).deliver(asked.question, world.claim, evidence)
    assert delivery.accepted and delivery.told
    assert payout.call("balances", beneficiary) == (SUM,)


def test_dispute_way_fee_is_the_payers_alone_from_the_deadline_on(world):
    asked = _ask(world, deadline=world.chain.node.now() + 1000)
    with pytest.raises(chains.Reverted, match="TooEarly"):
        world.dispute.reclaim(asked.id)
    world.chain.node.advance(1001)
    stranger = replace(world.dispute, contract=world.dispute.contract.by(world.chain.accounts[4]))
    with pytest.raises(chains.Reverted, match="NotPayer"):
        stranger.reclaim(asked.id)
    world.dispute.reclaim(asked.id)
    with pytest.raises(chains.Reverted, match="RequestNotOpen"):
        world.dispute.reclaim(asked.id)


def test_dispute_way_hidden_input_is_refused(world, proofs):
    hashed = of_program(proofs["hashed"], world.trace.program)
    with pytest.raises(InvalidInput, match="hidden"):
        world.dispute.evidence(hashed.claim)
    with pytest.raises(chains.Reverted, match=r"HiddenClaim\(privacy=17\)"):
        world.settlement.request(hashed.claim, world.dispute, world.dispute.terms([b""], world.chain.accounts[0]))


def test_settlement_transaction_without_a_request_is_a_chain_error(world):
    sent = world.disputes.registry.send("publish", world.claim.program_id, "ipfs://elsewhere")
    with pytest.raises(ChainError, match="made 0 requests"):
        world.settlement.asked(sent)


def test_settlement_requested_lists_what_was_asked(world):
    first = world.chain.node.number() + 1
    asked = [world.settlement.request(world.claim, world.ezkl).question for _ in range(2)]
    assert list(world.settlement.requested(first, world.chain.node.number())) == asked
    assert asked[1].nonce == asked[0].nonce + 1


QUESTIONS = st.builds(
    Question,
    consumer=st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex()),
    nonce=st.integers(0, 2**64 - 1),
    program_id=st.binary(min_size=32, max_size=32),
    inputs_id=st.binary(min_size=32, max_size=32),
    privacy=st.integers(0, 255),
    way=st.binary(min_size=20, max_size=20).map(lambda data: "0x" + data.hex()),
    callback_gas=st.integers(0, 2**32 - 1),
    deadline=st.integers(0, NEVER),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=QUESTIONS)
def test_question_id_is_that_of_the_contract(world, question):
    """WrongStatus names the id that the contract has computed of a question that nobody asked."""
    with pytest.raises(chains.Reverted) as caught:
        world.settlement.contract.call("retry", question.struct, bytes(32), [])
    fields = dict(caught.value.refusal.fields)
    assert fields == {"requestId": world.settlement.id(question), "status": Status.NONE}
