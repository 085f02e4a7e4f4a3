# SPDX-License-Identifier: MIT OR Apache-2.0
"""The main contract on what the Settlement says is final by a proof: who is paid, whoever delivers it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain import Chain, Contract, inputs_id
from verifiable_ml.commitment import Dtype, OutputBytes
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.settle import NEVER, EzklWay, Question, Settlement, Status

SUM = 10**18


@dataclass(frozen=True)
class Stage:
    """Every contract, for the tiny circuit."""

    chain: Chain
    settlement: Settlement
    way: EzklWay
    payout: Contract

    def open(self, claim, answer: int, account: int = 1, amount: int = SUM) -> Question:
        funder, beneficiary = self.chain.accounts[account], self.chain.accounts[2]
        wanted = inputs_id(claim), answer, beneficiary, NEVER, self.way.contract.address
        return self.settlement.asked(self.payout.by(funder).send("open", *wanted, 0, b"", value=amount)).question

    def balance(self, account: int) -> int:
        return self.payout.call("balances", self.chain.accounts[account])[0]


def staged(proof, chain: Chain | None = None) -> Stage:
    chain = chain or chains.embedded()
    verifier = chain.register(proof.registration()).claim_verifier
    settlement, way = Settlement.deploy(chain), EzklWay.deploy(chain, verifier)
    return Stage(chain, settlement, way, _payout(chain, settlement, way, proof.claim))


def _payout(chain, settlement, way, claim, dtype=Dtype.I16):
    fixed = claim.program_id, claim.privacy.code, int(dtype), [way.contract.address]
    return chain.deploy("VerifiedPayout", settlement.contract.address, *fixed)


def decided(claim) -> int:
    return int(np.frombuffer(claim.outputs[0].data, "<i2").argmax())


def lied(claim):
    turned = np.roll(np.frombuffer(claim.outputs[0].data, "<i2"), 1)
    return replace(claim, outputs=(OutputBytes(Dtype.I16, turned.tobytes()),))


@pytest.fixture
def stage(public):
    return staged(public)


def test_payout_verified_answer_pays_the_beneficiary(stage, public):
    question = stage.open(public.claim, decided(public.claim))
    beneficiary = stage.chain.accounts[2]
    before = stage.chain.balance(beneficiary)
    deliverer = stage.settlement.by(stage.chain.accounts[3])
    delivery = deliverer.deliver(question, public.claim, stage.way.evidence(public.claim, public))
    assert delivery.accepted and delivery.told and 600_000 < delivery.gas_used < 1_500_000
    assert stage.settlement.is_answer(question, public.claim)
    sent = stage.payout.by(beneficiary).send("withdraw")
    assert before + SUM - stage.chain.balance(beneficiary) <= sent.gas_used * 10**11
    assert stage.chain.balance(stage.payout.address) == 0


def test_payout_another_answer_pays_the_funder(stage, public):
    question = stage.open(public.claim, (decided(public.claim) + 1) % 3)
    assert stage.settlement.deliver(question, public.claim, stage.way.evidence(public.claim, public)).told
    assert stage.balance(1) == SUM
    assert stage.balance(2) == 0


def test_payout_tampered_output_is_rejected_and_moves_nothing(stage, public):
    question = stage.open(public.claim, (decided(public.claim) + 1) % 3)
    delivery = stage.settlement.deliver(question, lied(public.claim), stage.way.evidence(public.claim, public))
    assert not delivery.accepted
    assert delivery.reason == "ProofRejected()"
    assert stage.settlement.status(question) == Status.OPEN
    assert stage.chain.balance(stage.payout.address) == SUM


def test_payout_garbage_is_malformed_evidence(stage, public):
    question = stage.open(public.claim, 0)
    for evidence in (b"", b"proof", stage.way.evidence(public.claim, replace(public, payload=public.payload + b"\0"))):
        with pytest.raises(MalformedEvidence):
            stage.settlement.deliver(question, public.claim, evidence)


def test_payout_replayed_proof_is_refused(stage, public):
    question = stage.open(public.claim, decided(public.claim))
    evidence = stage.way.evidence(public.claim, public)
    assert stage.settlement.deliver(question, public.claim, evidence).told
    with pytest.raises(chains.Reverted, match=r"WrongStatus\(.*status=3\)"):
        stage.settlement.deliver(question, public.claim, evidence)


def test_payout_question_that_nobody_asked_is_refused(stage, public):
    question = stage.open(public.claim, decided(public.claim))
    evidence = stage.way.evidence(public.claim, public)
    for other in (replace(question, nonce=1), replace(question, deadline=1), replace(question, consumer=stage.chain.accounts[0])):
        assert stage.settlement.status(other) == Status.NONE
        with pytest.raises(chains.Reverted, match="WrongStatus"):
            stage.settlement.deliver(other, public.claim, evidence)


def test_payout_orders_of_one_public_input_do_not_see_each_other(stage, public):
    """One wei of a stranger, with no deadline in sight, blocks nobody's order."""
    stage.open(public.claim, decided(public.claim), account=4, amount=1)
    question = stage.open(public.claim, decided(public.claim))
    assert stage.settlement.deliver(question, public.claim, stage.way.evidence(public.claim, public)).told
    assert stage.balance(2) == SUM


def test_payout_read_with_another_dtype_cannot_be_deployed(stage, public):
    with pytest.raises(chains.Reverted, match=r"WrongDtype\(known=1, given=0\)"):
        _payout(stage.chain, stage.settlement, stage.way, public.claim, Dtype.U8)
    with pytest.raises(chains.Reverted, match="UnknownProgram"):
        _payout(stage.chain, stage.settlement, stage.way, replace(public.claim, program_id=bytes(32)))


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_payout_on_a_real_node_from_deployment_to_money(anvil, public, transport):
    """deploy, register, verify, open, a lie, deliver, a replay, withdraw: each a transaction or a refusal of anvil."""
    stage = staged(public, chains.connect(anvil[transport], chain_id=31337))
    assert stage.chain.check(public.registration()) == ()
    assert stage.chain.verify(public, public.claim, public).accepted
    question = stage.open(public.claim, decided(public.claim))
    evidence = stage.way.evidence(public.claim, public)
    assert stage.settlement.deliver(question, lied(public.claim), evidence).reason == "ProofRejected()"
    with pytest.raises(chains.Reverted, match="TooEarly"):
        stage.payout.by(stage.chain.accounts[1]).send("reclaim", stage.settlement.id(question))
    assert stage.settlement.by(stage.chain.accounts[3]).deliver(question, public.claim, evidence).told
    with pytest.raises(chains.Reverted, match="WrongStatus"):
        stage.settlement.deliver(question, public.claim, evidence)
    before = stage.chain.balance(stage.chain.accounts[2])
    sent = stage.payout.by(stage.chain.accounts[2]).send("withdraw")
    assert SUM - 10**12 * sent.gas_used < stage.chain.balance(stage.chain.accounts[2]) - before < SUM
    assert stage.chain.balance(stage.payout.address) == 0


def test_payout_hidden_input_counts_once(proofs):
    hashed = proofs["hashed"]
    stage = staged(hashed)
    question = stage.open(hashed.claim, 0)
    assert stage.settlement.deliver(question, hashed.claim, stage.way.evidence(hashed.claim, hashed)).told
    with pytest.raises(chains.Reverted, match="AlreadySpent"):
        stage.open(hashed.claim, 0)
