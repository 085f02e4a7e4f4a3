# SPDX-License-Identifier: MIT OR Apache-2.0
"""Attacks on the fee of a right answer: by whoever copies it, and keeps what was copied from being final (property 19), and by
whoever asked, and takes it back before that (rule 17).
"""

from __future__ import annotations

from bisect import bisect_left

import pytest

from unit.dockets import Known, docket_of
from unit.small_settlements import (
    ALICE,
    CHALLENGE,
    FEE,
    HONEST,
    L1,
    LIAR,
    MALLORY,
    REQUESTER,
    START,
    World,
    asserted,
    assertion_of,
    only,
    patient,
    settle_all,
    side,
    world,
)
from verifiable_ml.dispute import actions, settlement
from verifiable_ml.dispute.actions import Challenge, Finalise, Play, Propose, Serve
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.duties import duties
from verifiable_ml.dispute.duty import Answer, Role
from verifiable_ml.dispute.onchain import NEVER
from verifiable_ml.dispute.settlement.demands import OfInput


def copied() -> World:
    """ALICE has run the program; a second later MALLORY sends what she has sent. Now the last second of ALICE's window runs."""
    w = asserted((ALICE, HONEST))
    w.now += 1
    w.act(MALLORY, Propose(w.request, actions.answer(w.state, w.request, HONEST)))
    w.now = START + L1.window - 1
    return w


def one_leaf(w: World, sender: bytes) -> None:
    """A demand of one leaf of the input that ALICE spoke of."""
    pay = demand_pay(w.asked.price, min(256, w.state.programs[w.asked.program].inputs[0].nbytes))
    call = w.call(sender, pay)
    w.put(settlement.demand(w.state, call, assertion_of(w, ALICE), OfInput(0), 0, 1))


def finalise_copy(w: World) -> None:
    """As soon as it can be."""
    w.now = START + L1.window + 1
    w.act(MALLORY, Finalise(assertion_of(w, MALLORY)))
    settle_all(w)


def test_property_19_copy_earns_nothing_though_a_demand_moves_the_window_of_what_it_copied():
    """A leaf costs a thousandth of a bond, and its serving half of T: by then the copy is final."""
    w = copied()
    one_leaf(w, MALLORY)
    w.run({ALICE: only(side(ALICE, HONEST), Serve)}, until=w.now + 1)
    finalise_copy(w)
    assert w.gain(MALLORY) < 0 < FEE <= w.gain(ALICE)


def test_property_19_copy_earns_nothing_though_a_game_against_what_it_copied_is_open():
    w = copied()
    w.act(MALLORY, Challenge(assertion_of(w, ALICE), bytes(32)))
    finalise_copy(w)
    assert (w.gain(ALICE), w.gain(MALLORY)) == (FEE + CHALLENGE // 2, -CHALLENGE)


@pytest.mark.xfail(reason="an assertion can be read before it is in a block: to hide it takes two transactions", strict=True)
def test_property_19_copy_that_is_in_a_block_before_what_it_copied_earns_nothing():
    w = world()
    made = actions.answer(w.state, w.request, HONEST)
    w.act(MALLORY, Propose(w.request, made))
    w.act(ALICE, Propose(w.request, made))
    finalise_copy(w)
    assert (w.gain(ALICE), w.gain(MALLORY)) == (FEE, 0)


def is_answered(w: World) -> bool:
    """By a proposer that wants its fee."""
    role, known = Role(ALICE, proposes=True, least_fee=FEE), Known({w.request: HONEST})
    return any(isinstance(duty, Answer) for duty in duties(docket_of(w.state, {}, ALICE, w.now), role, known))


def test_rule_17_fee_that_can_be_taken_back_before_the_answer_is_final_is_none():
    assert is_answered(world(deadline=NEVER))
    w = world(deadline=START + L1.window)
    assert not is_answered(w)
    w.act(ALICE, Propose(w.request, actions.answer(w.state, w.request, HONEST)))
    w.now += L1.window
    w.put(settlement.withdraw_fee(w.state, w.call(REQUESTER), w.request))
    w.act(ALICE, Finalise(assertion_of(w, ALICE)))
    assert w.gain(ALICE) == 0, "right, and not paid"


@pytest.mark.parametrize("profile", range(3))
def test_rule_17_fee_that_is_counted_on_outlasts_a_demand_and_a_game_that_stalls(profile):
    """The earliest deadline with which it is answered: later than such a siege ends, but not by more than as long again."""
    times = PROFILES[profile]
    least = bisect_left(range(10**7), True, key=lambda after: is_answered(world(profile=profile, deadline=START + after)))
    w = world(profile=profile, deadline=START + least)
    w.act(ALICE, Propose(w.request, actions.answer(w.state, w.request, HONEST)))
    w.now += times.window - 1
    one_leaf(w, MALLORY)
    w.run({ALICE: only(side(ALICE, HONEST), Serve)}, until=w.now + 1)
    w.now = w.state.assertions[assertion_of(w, ALICE)].end - 1
    w.act(MALLORY, Challenge(assertion_of(w, ALICE), LIAR.root))
    w.run({ALICE: side(ALICE, HONEST), MALLORY: patient(only(side(MALLORY, LIAR), Play))})
    assert w.outcome() == HONEST.root
    assert w.now < w.asked.deadline < START + 2 * (w.now - START)
    assert w.gain(ALICE) > FEE
