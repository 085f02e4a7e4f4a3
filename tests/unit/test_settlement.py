# SPDX-License-Identifier: MIT OR Apache-2.0
"""Assertions, games and finality: rules 12 to 19 and 43, and whose the money is at the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unit.small_games import honest_forest, honest_of
from unit.small_settlements import (
    ALICE,
    BOB,
    BOND,
    CHALLENGE,
    FEE,
    GWEI,
    HONEST,
    L1,
    LIAR,
    MALLORY,
    PRICE,
    REQUESTER,
    START,
    asserted,
    assertion_of,
    game_of,
    liar,
    refused,
    settle_all,
    side,
    world,
)
from verifiable_ml.dispute import settlement
from verifiable_ml.dispute.actions import Challenge, Finalise, Play, Propose, ReturnBond, answer
from verifiable_ml.dispute.bonds import challenge_bond, demand_pay, price_of, proposer_bond
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.moves import Timeout
from verifiable_ml.dispute.settlement import AssertionStatus, Call
from verifiable_ml.dispute.settlement.demands import OfOutput

# ---- one right answer ------------------------------------------------------------------------------------------------


def test_request_one_right_assertion_is_final_when_its_window_has_ended():
    w = world()
    w.run({ALICE: side(ALICE, HONEST)})
    assert (w.outcome(), w.now) == (HONEST.root, START + L1.window)
    assert settlement.is_final(w.state, w.request, [HONEST.trace[0][2]])
    assert not settlement.is_final(w.state, w.request, [HONEST.trace[0][1]])
    assert (w.gain(ALICE), w.state.balances[ALICE], w.state.burnt) == (FEE, FEE + BOND, 0)
    assert w.state.balances[REQUESTER] == 10**18, "what was sent beyond the fee"


def test_watcher_called_again_repeats_nothing():
    w = world()
    (action,) = side(ALICE, HONEST)(w)
    w.act(ALICE, action)
    assert list(side(ALICE, HONEST)(w)) == []


@pytest.mark.parametrize("second", [-1, 0, 1])
def test_rule_15_window_and_posting_end_at_the_same_second_for_the_first_assertion(second):
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window + second
    key = assertion_of(w, ALICE)
    if second < 0:
        assert refused(lambda: w.act(ALICE, Finalise(key))) == 15
        assert refused(lambda: w.act(BOB, Challenge(key, HONEST.root))) == 20
        w.act(BOB, Challenge(key, LIAR.root))
    else:
        assert refused(lambda: w.act(BOB, Challenge(key, LIAR.root))) == 16
        assert refused(lambda: w.act(BOB, Propose(w.request, answer(w.state, w.request, HONEST)))) == 13
        w.act(BOB, Finalise(key))


def test_rule_15_second_finalisation_is_refused():
    w = asserted((ALICE, HONEST), (BOB, HONEST))
    w.now = START + L1.window
    w.act(ALICE, Finalise(assertion_of(w, ALICE)))
    assert refused(lambda: w.act(BOB, Finalise(assertion_of(w, BOB)))) == 15
    assert refused(lambda: w.act(BOB, Challenge(assertion_of(w, BOB), LIAR.root))) == 15


@pytest.mark.parametrize("obstacle", ["posting", "window", "game", "demand", "rival"])
def test_rule_15_every_condition_alone_prevents_finality(obstacle):
    w = asserted((ALICE, HONEST))
    key = assertion_of(w, ALICE)
    w.now = START + L1.window - 1
    if obstacle == "window":
        w.act(BOB, Propose(w.request, answer(w.state, w.request, HONEST)))
        key = assertion_of(w, BOB)
    if obstacle == "game":
        w.act(MALLORY, Challenge(key, LIAR.root))
    if obstacle == "rival":
        w.act(MALLORY, Propose(w.request, answer(w.state, w.request, LIAR)))
    if obstacle == "demand":
        w.put(settlement.demand(w.state, w.call(BOB, demand_pay(PRICE, 3)), key, OfOutput(0), 0, 1))
    w.now += 0 if obstacle == "posting" else 1
    assert refused(lambda: w.act(ALICE, Finalise(key))) == 15


# ---- two answers -----------------------------------------------------------------------------------------------------


def test_property_01_liar_alone_is_challenged_dies_and_the_next_epoch_begins():
    w = world()
    w.run({MALLORY: liar(MALLORY, LIAR), BOB: side(BOB, HONEST, proposes=False)}, until=START + 1)
    made = w.state.assertions[assertion_of(w, MALLORY)]
    assert (made.status, made.reason, w.asked.epoch) == (AssertionStatus.DEAD, Reason.STEP, 1)
    w.run({ALICE: side(ALICE, HONEST)})
    assert w.outcome() == HONEST.root


def test_property_02_honest_side_earns_and_the_liar_loses_its_bond():
    w = world()
    w.run({MALLORY: liar(MALLORY, LIAR), ALICE: side(ALICE, HONEST)})
    assert w.outcome() == HONEST.root
    settle_all(w)
    assert w.gain(ALICE) == FEE + BOND // 2 + CHALLENGE // 2, "its challenge was won, and the liar's was lost"
    assert w.gain(MALLORY) == -BOND - CHALLENGE
    assert w.state.burnt == BOND // 2 + CHALLENGE // 2


def test_property_02_honest_account_posts_one_challenge_an_assertion_and_none_against_its_own():
    w = world()
    w.run({MALLORY: liar(MALLORY, LIAR), ALICE: side(ALICE, HONEST), BOB: side(BOB, HONEST)})
    opened = [(game.terms.challenger, game.terms.assertion) for game in w.state.games.values()]
    assert len(opened) == len(set(opened))
    assert all(w.state.assertions[key].trace_root != HONEST.root for by, key in opened if by in (ALICE, BOB))


def test_property_04_two_honest_accounts_do_not_harm_each_other():
    w = world()
    w.run({MALLORY: liar(MALLORY, LIAR), ALICE: side(ALICE, HONEST), BOB: side(BOB, HONEST)})
    settle_all(w)
    assert w.outcome() == HONEST.root
    assert min(w.gain(ALICE), w.gain(BOB)) >= 0


def test_property_12_game_of_a_dead_assertion_can_only_be_closed_and_its_bond_returns():
    w = asserted((MALLORY, LIAR))
    key = assertion_of(w, MALLORY)
    for sender in (ALICE, BOB):
        w.act(sender, Challenge(key, HONEST.root))
    w.run({MALLORY: liar(MALLORY, LIAR), ALICE: side(ALICE, HONEST, proposes=False)}, until=START + 1)
    assert w.state.assertions[key].status is AssertionStatus.DEAD
    name = game_of(w, BOB)
    game = w.state.games[name]
    w.now = game.clock.deadline
    assert refused(lambda: w.act(BOB, Play(name, Timeout(name, game.number, game.node)))) == 43
    w.put(settlement.close(w.state, w.call(BOB), name))
    assert w.gain(BOB) == 0
    assert refused(lambda: settlement.close(w.state, w.call(BOB), name)) == 43


def test_rule_16_old_assertion_is_challenged_as_long_as_a_rival_lives():
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window - 1
    w.act(MALLORY, Propose(w.request, answer(w.state, w.request, LIAR)))
    w.now = START + 10 * L1.window
    w.act(MALLORY, Challenge(assertion_of(w, ALICE), LIAR.root))
    assert Challenge(assertion_of(w, MALLORY), HONEST.root) in side(ALICE, HONEST)(w), "and an honest account does so"
    w.act(ALICE, Challenge(assertion_of(w, MALLORY), HONEST.root))


def test_rule_15_game_against_the_final_commitment_is_lost_by_its_challenger():
    """Another assertion of it became final; the game's own assertion was right as well, so its challenger was wrong."""
    w = asserted((ALICE, HONEST), (BOB, HONEST))
    w.now = START + L1.window - 1
    w.act(MALLORY, Challenge(assertion_of(w, BOB), LIAR.root))
    w.now += 1
    w.act(ALICE, Finalise(assertion_of(w, ALICE)))
    w.put(settlement.close(w.state, w.call(MALLORY), game_of(w, MALLORY)))
    w.act(BOB, ReturnBond(assertion_of(w, BOB)))
    assert (w.gain(MALLORY), w.gain(BOB), w.state.burnt) == (-CHALLENGE, CHALLENGE // 2, CHALLENGE // 2)
    settle_all(w)


def test_property_19_copy_of_a_right_assertion_earns_nothing():
    w = asserted((ALICE, HONEST))
    w.run({ALICE: side(ALICE, HONEST), MALLORY: side(MALLORY, HONEST, challenges=False)})
    settle_all(w)
    assert (w.gain(ALICE), w.gain(MALLORY)) == (FEE, 0)


# ---- money -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [-1, 1, -BOND, BOND])
def test_property_17_any_but_the_exact_bond_is_refused(by):
    w = world()
    call = Call(ALICE, w.now, BOND + by)
    assert refused(lambda: settlement.propose(w.state, call, w.request, answer(w.state, w.request, HONEST))) == 43
    w.act(MALLORY, Propose(w.request, answer(w.state, w.request, LIAR)))
    call = Call(ALICE, w.now, CHALLENGE + by)
    assert refused(lambda: settlement.challenge(w.state, call, assertion_of(w, MALLORY), HONEST.root)) == 43


def test_property_17_bonds_pay_the_worst_gas_twice_over():
    for profile in PROFILES:
        for base_fee in (0, 1, GWEI // 10, GWEI, 100 * GWEI):
            price = price_of(profile, base_fee)
            assert profile.floor <= price <= profile.cap
            assert challenge_bond(price) // 2 >= 2 * 600_000 * price, "the proposer's worst game"
            assert proposer_bond(price, 0) // 2 >= 2 * 800_000 * price, "the challenger's worst game"
    assert proposer_bond(PRICE, 10**30) == 10**30


def test_property_18_price_stays_as_the_request_fixed_it():
    w = world()
    call = Call(ALICE, w.now, BOND, base_fee=50 * GWEI)
    state = settlement.propose(w.state, call, w.request, answer(w.state, w.request, HONEST))
    assert state.requests[w.request].price == PRICE


def test_property_21_withdrawal_pays_once_and_the_sender_alone():
    w = world()
    w.run({ALICE: side(ALICE, HONEST)})
    assert refused(lambda: settlement.withdraw(w.state, w.call(MALLORY))) == 19
    before = w.state.held
    w.put(settlement.withdraw(w.state, w.call(ALICE)))
    assert before - w.state.held == FEE + BOND
    assert refused(lambda: settlement.withdraw(w.state, w.call(ALICE))) == 19


def test_value_sent_where_none_is_asked_for_is_refused():
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window
    assert refused(lambda: settlement.finalise(w.state, Call(ALICE, w.now, 1), assertion_of(w, ALICE))) == 43


# ---- assertions ------------------------------------------------------------------------------------------------------


def test_property_36_lie_in_the_output_alone_cannot_be_posted():
    w = world()
    made = answer(w.state, w.request, HONEST)
    lie = replace(made, outputs=(bytes([made.outputs[0][0] ^ 1]) + made.outputs[0][1:],))
    assert refused(lambda: w.act(MALLORY, Propose(w.request, lie))) == 12


@pytest.mark.parametrize("field", ["trace_root", "outputs", "paths"])
def test_rule_12_every_part_of_an_answer_is_checked(field):
    w = world()
    made = answer(w.state, w.request, HONEST)
    wrong = {
        "trace_root": [bytes(32), LIAR.root],
        "outputs": [(), made.outputs * 2, (made.outputs[0] + b"\0",), (made.outputs[0][:-1],)],
        "paths": [
            (),
            made.paths[:1],
            made.paths[::-1],
            (made.paths[0], made.paths[1][:-1]),
            (made.paths[0], (b"", *made.paths[1][1:])),
        ],
    }[field]
    for value in wrong:
        assert refused(lambda: w.act(MALLORY, Propose(w.request, replace(made, **{field: value})))) == 12  # noqa: B023


def test_rule_12_other_input_than_the_requests_cannot_be_posted():
    w = world()
    other = honest_forest(HONEST.program, {"x": np.array([1, 2, 3])})
    assert refused(lambda: w.act(MALLORY, Propose(w.request, answer(w.state, w.request, other)))) == 12


def test_rule_12_outputs_above_4_kib_travel_as_roots():
    wide = honest_of("wide_5000")
    w = world(wide)
    made = answer(w.state, w.request, wide)
    assert made.outputs == (wide.trace[0][2],)
    assert refused(lambda: w.act(ALICE, Propose(w.request, replace(made, outputs=(wide.data(2),))))) == 12
    w.act(ALICE, Propose(w.request, made))


def test_rule_14_same_commitment_of_one_sender_is_refused_and_of_another_is_no_rival():
    w = asserted((ALICE, HONEST), (BOB, HONEST))
    assert refused(lambda: w.act(ALICE, Propose(w.request, answer(w.state, w.request, HONEST)))) == 14
    assert w.asked.living == {HONEST.root: 2}
    w.act(ALICE, Propose(w.request, answer(w.state, w.request, LIAR)))
    assert len(w.asked.living) == 2
