# SPDX-License-Identifier: MIT OR Apache-2.0
"""Attacks on an honest account's purse: what it has won lies in the contract, while the bonds that it needs have to be sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unit.dockets import Known, docket_of
from unit.small_settlements import (
    ALICE,
    BOB,
    BOND,
    CHALLENGE,
    HONEST,
    LIAR,
    MALLORY,
    START,
    World,
    asserted,
    assertion_of,
)
from verifiable_ml.dispute import liars
from verifiable_ml.dispute.actions import Challenge as Opens
from verifiable_ml.dispute.duties import duties
from verifiable_ml.dispute.duty import Answer, Challenge, Role, Withdraw

ENOUGH = 10 * BOND


def stalled() -> World:
    """Two lies. ALICE plays against MALLORY's, and MALLORY waits; the one of BOB has to be challenged as well."""
    w = asserted((MALLORY, LIAR), (BOB, liars.one_number(HONEST, 2, 1)))
    w.act(ALICE, Opens(assertion_of(w, MALLORY), HONEST.root))
    return w


def kinds(w: World, role: Role, owed: int, funds: int) -> list[type]:
    seen = replace(docket_of(w.state, {}, ALICE, w.now), owed=owed, funds=funds)
    return [type(duty) for duty in duties(seen, role, Known({w.request: HONEST}))]


@pytest.mark.parametrize(("funds", "withdraws"), [(0, True), (CHALLENGE - 1, True), (2 * CHALLENGE, False)])
def test_property_02_liar_that_waits_does_not_keep_the_watcher_from_the_bond_that_it_needs(funds, withdraws):
    """What is owed is taken when the games are over; before that, as soon as a bond cannot be paid without it."""
    found = kinds(stalled(), Role(ALICE, watches=True), CHALLENGE, funds)
    assert found == [Challenge, *([Withdraw] if withdraws else [])]


@pytest.mark.parametrize(("funds", "withdraws"), [(BOND - 1, True), (ENOUGH, False)])
def test_property_02_nor_the_proposer_from_its_bond(funds, withdraws):
    found = kinds(stalled(), Role(ALICE, proposes=True), BOND, funds)
    assert found == [Answer, *([Withdraw] if withdraws else [])]


def test_property_02_nothing_is_taken_while_nothing_is_needed():
    w = stalled()
    w.now = START + 1
    w.act(ALICE, Opens(assertion_of(w, BOB), HONEST.root))
    assert kinds(w, Role(ALICE, watches=True), CHALLENGE, CHALLENGE) == []
    assert kinds(w, Role(ALICE, watches=True), CHALLENGE, 0) == [Withdraw], "its moves cost gas"
