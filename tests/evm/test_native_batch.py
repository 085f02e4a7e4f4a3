# SPDX-License-Identifier: MIT OR Apache-2.0
"""Plans of several runs on chain: pinned by their number, once, by the deployer; and a claim costs less than one alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import verifiable_ml as vml
from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.bench.native import recorded
from verifiable_ml.chain import Chain, Contract, Reverted
from verifiable_ml.chain.pins import BatchPins
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import ChainError, InvalidInput
from verifiable_ml.proving import batch_backend

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

SUMCHECK = batch_backend("sumcheck")


def key(count: int) -> Any:
    return SUMCHECK.setup(tiny_program(), Privacy(), count=count).verification


@pytest.fixture(scope="module")
def chain() -> Chain:
    chain = vml.chain.embedded()
    for count in (1, 2, 4):
        chain.register(key(count).registration())
    chain.implicit = False
    return chain


@pytest.fixture
def judge(chain) -> Contract:
    return chain.claim_verifiers["SumcheckBatchVerifier"]


def pin(chain: Chain, contract: Contract, count: int, **changes: Any) -> tuple[Any, ...]:
    (pinned, _), _ = BatchPins(key(count).registration()).arguments(chain, contract, {})
    names = ("program_id", "srs_id", "plan_digest", "plans", "proof_length", "inputs", "outputs")
    return tuple(({**dict(zip(names, pinned, strict=True)), **changes}).values())


def test_claims_of_one_proof_cost_less_than_one_alone(chain):
    gas = []
    for count in (1, 4):
        keys = SUMCHECK.setup(tiny_program(), Privacy(), count=count)
        proof = SUMCHECK.prove_batch(tiny_program(), [TINY_INPUT] * count, keys)
        receipt = recorded(proof, keys.verification, chain)
        assert receipt.accepted
        gas.append(receipt.gas_used / count)
    assert gas[1] < 0.4 * gas[0]


def test_plans_of_one_program_stand_beside_each_other_with_one_verifier(chain):
    assert {contract.call("VERIFIER")[0] for contract in chain.claim_verifiers.values()} == {
        chain.claim_verifiers["SumcheckClaimVerifier"].call("VERIFIER")[0]
    }
    for count in (1, 2, 4):
        assert chain.check(key(count).registration()) == ()
    assert chain.check(key(3).registration()) == ("nothing is pinned for this program and privacy",)


def test_batch_of_a_number_that_is_not_pinned_is_no_verdict(chain):
    keys = SUMCHECK.setup(tiny_program(), Privacy(), count=3)
    proof = SUMCHECK.prove_batch(tiny_program(), [TINY_INPUT] * 3, keys)
    with pytest.raises(ChainError, match="UnknownBatch"):
        chain.verify_batch(proof, proof.claims, keys.verification)


def test_plan_of_no_runs_is_no_registration():
    registration = key(2).registration()
    plan = registration.plan
    with pytest.raises(InvalidInput):
        replace(registration, plan=plan[:28] + bytes(4) + plan[32:])


def test_batch_pin_is_the_deployers_and_for_ever(chain, judge):
    with pytest.raises(Reverted, match="AlreadyPinned"):
        judge.send("register", pin(chain, judge, 2), 2)
    with pytest.raises(Reverted, match="NotDeployer"):
        judge.by(chain.accounts[1]).send("register", pin(chain, judge, 3), 3)


def test_batch_pin_that_is_of_another_number_of_runs_is_refused(chain, judge):
    with pytest.raises(Reverted, match=r"BadDeployment.*no runs"):
        judge.send("register", pin(chain, judge, 2), 0)
    for runs in (1, 3, 6):
        with pytest.raises(Reverted, match=r"BadDeployment.*number of runs|BadDeployment.*so many runs"):
            judge.send("register", pin(chain, judge, 2), runs)
    with pytest.raises(Reverted, match=r"BadDeployment.*plan digest"):
        judge.send("register", pin(chain, judge, 3, plan_digest=bytes(32)), 3)
    inputs = pin(chain, judge, 3)[5]
    uneven = ((inputs[0][0], inputs[0][1] - 1, *inputs[0][2:]),)
    with pytest.raises(Reverted, match=r"BadDeployment.*so many runs"):
        judge.send("register", pin(chain, judge, 3, inputs=uneven), 3)


def test_batch_pin_is_found_under_its_number_alone(judge):
    with pytest.raises(Reverted, match="UnknownBatch"):
        judge.call("registered", tiny_program().id, 3)
    with pytest.raises(Reverted, match="UnknownBatch"):
        judge.call("registered", bytes(32), 2)
