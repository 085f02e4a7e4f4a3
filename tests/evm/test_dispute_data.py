# SPDX-License-Identifier: MIT OR Apache-2.0
"""Inputs above 24 KiB, given by roots alone: bought from who asserts, and shown where they are bad (rules 33, 51)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evm.dispute_scenes import bad_input, long_rows
from verifiable_ml import chain as chains
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.bonds import challenge_bond, demand_pay
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.docket import account_bytes
from verifiable_ml.dispute.duties import forecast
from verifiable_ml.dispute.duty import Answer, Buy, Challenge, CloseDemand, Play, Serve, ShowBadInput, Withdraw
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.rehearsal import Rehearsal, rehearse
from verifiable_ml.dispute.runs import Runs, honest
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus

TERMS = 30_000
DEMANDS = 4
"""118 leaves, 32 at a time."""


@pytest.fixture(params=["embedded", "anvil"])
def chain(request):
    if request.param == "embedded":
        return chains.embedded()
    return chains.connect(request.getfixturevalue("anvil")[0])


def scene_of(program, trace, chain=None, buys=TERMS, lie=None) -> Rehearsal:
    """The watcher is given roots alone."""
    scene = rehearse(program, trace, lie, chain)
    scene.watcher.runs = scene.watcher.reader.runner = Runs([program])
    scene.watcher.role = replace(scene.watcher.role, buys=buys)
    return scene


def kinds(daemon) -> list[type]:
    return [type(done.duty) for done in daemon.once()]


def test_watcher_with_roots_alone_buys_the_input_and_convicts(chain):
    scene = scene_of(*long_rows(TERMS), chain, lie=LIES["first"])
    assert kinds(scene.proposer) == [Answer]
    assert kinds(scene.watcher) == [Buy] * DEMANDS
    assert kinds(scene.watcher) == []  # they are asked for already
    assert kinds(scene.proposer) == [Serve] * DEMANDS
    assert kinds(scene.watcher) == [Challenge]
    assert Play in [type(done.duty) for _, done in scene.play()]
    (assertion,) = scene.watcher.docket.assertions.values()
    assert (assertion.status, assertion.reason) == (AssertionStatus.DEAD, Reason.STEP)


@pytest.mark.parametrize("buys", [0, TERMS - 1])
def test_watcher_buys_no_more_than_it_was_allowed_and_does_not_challenge_what_it_has_not_run(buys):
    scene = scene_of(*long_rows(TERMS), buys=buys, lie=LIES["first"])
    assert kinds(scene.proposer) == [Answer]
    assert kinds(scene.watcher) == []
    (danger,) = forecast(scene.watcher.docket, scene.watcher.role, scene.watcher.runs)
    assert (danger.reason, danger.left) == ("its input is not known here, so it is not checked", PROFILES[onchain.LOCAL].window)


def test_right_answer_is_bought_and_left_alone():
    scene = scene_of(*long_rows(TERMS))
    for side, expected in ((scene.proposer, [Answer]), (scene.watcher, [Buy] * DEMANDS), (scene.proposer, [Serve] * DEMANDS)):
        assert kinds(side) == expected
    assert kinds(scene.watcher) == []
    owed = onchain.owed(scene.contracts, scene.proposer.account)
    assert owed == demand_pay(PROFILES[onchain.LOCAL].cap, TERMS)


def test_who_does_not_serve_loses_its_bond_and_the_pay_returns():
    scene = scene_of(*long_rows(TERMS), lie=LIES["first"])
    assert kinds(scene.proposer) == [Answer]
    assert kinds(scene.watcher) == [Buy] * DEMANDS
    scene.chain.node.advance(PROFILES[onchain.LOCAL].time)
    done = [type(done.duty) for _ in range(3) for done in scene.watcher.once()]
    assert set(done) <= {CloseDemand, Withdraw} and CloseDemand in done and done[-1] is Withdraw
    (assertion,) = scene.watcher.docket.assertions.values()
    assert (assertion.status, assertion.reason) == (AssertionStatus.DEAD, Reason.DATA)


def test_bad_input_is_shown_by_whoever_has_it_and_nobody_answers(chain):
    program, trace = bad_input()
    scene = scene_of(program, trace, chain)
    (done,) = scene.proposer.once()
    assert isinstance(done.duty, ShowBadInput) and done.duty.outside.element == 20_000
    assert [type(done.duty) for done in scene.proposer.once()] == [Withdraw]
    (request,) = scene.proposer.docket.requests.values()
    assert request.status is RequestStatus.VOID
    assert kinds(scene.watcher) == []


@pytest.mark.parametrize("challenged", [False, True])
def test_bad_input_that_was_bought_is_shown_and_the_first_challenger_or_proposer_is_paid(challenged):
    program, trace = bad_input()
    scene = scene_of(program, trace)
    liar, griefer = (scene.contracts.by(account) for account in scene.chain.accounts[4:6])
    onchain.answer(liar, scene.request_id, honest(trace))
    assert kinds(scene.watcher) == [Buy] * DEMANDS
    (assertion,) = scene.watcher.docket.assertions
    if challenged:
        onchain.challenge(griefer, scene.request_id, assertion, bytes(32))
    for demand in scene.watcher.reader.read(scene.watcher.account).demands.values():
        onchain.serve(liar, demand, honest(trace).data(0))
    (done,) = scene.watcher.once()
    assert isinstance(done.duty, ShowBadInput)
    paid = scene.chain.accounts[5 if challenged else 4]
    assert done.duty.challenger == (account_bytes(paid) if challenged else bytes(20))
    price = PROFILES[onchain.LOCAL].cap
    pay = 0 if challenged else demand_pay(price, TERMS)
    assert onchain.owed(scene.contracts, paid) == challenge_bond(price) // 2 + pay
