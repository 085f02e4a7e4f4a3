# SPDX-License-Identifier: MIT OR Apache-2.0
"""Attacks on the fee of a right answer: by whoever copies it, and keeps what was copied from being final (property 19)."""

from __future__ import annotations

import pytest

from unit.small_settlements import (
    ALICE,
    CHALLENGE,
    FEE,
    HONEST,
    L1,
    MALLORY,
    PRICE,
    START,
    World,
    asserted,
    assertion_of,
    only,
    settle_all,
    side,
    world,
)
from verifiable_ml.dispute import actions, settlement
from verifiable_ml.dispute.actions import Challenge, Finalise, Propose, Serve
from verifiable_ml.dispute.bonds import demand_pay
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
    pay = demand_pay(PRICE, min(256, w.state.programs[w.asked.program].inputs[0].nbytes))
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
