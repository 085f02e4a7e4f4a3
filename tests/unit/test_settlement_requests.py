# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requests, and input that nobody can answer: rules 9, 11, 17, 33, 53 and 54."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unit.small_games import CHALLENGER
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
    REQUESTER,
    START,
    World,
    asserted,
    assertion_of,
    game_of,
    refused,
    settle_all,
    side,
    world,
)
from verifiable_ml.commitment import Dtype, tensor_root, tensor_tree
from verifiable_ml.dispute import settlement
from verifiable_ml.dispute.actions import Challenge, Play, Propose, answer
from verifiable_ml.dispute.moves import Timeout
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.dispute.settlement import Call, RequestStatus, RequestTerms, Settlement
from verifiable_ml.program import Builder, Interval, Tokens

# ---- requests --------------------------------------------------------------------------------------------------------


def ask(state: Settlement, *, sender: bytes = REQUESTER, value: int = FEE, now: int = START, **changes: int) -> Settlement:
    terms = RequestTerms(**{"profile": 0, "fee": FEE, "minimum_bond": 0, "deadline": START + 10**7, **changes})
    return settlement.request(state, Call(sender, now, value, GWEI), HONEST.program.id, terms, [HONEST.data(0)])


def test_property_33_request_id_holds_chain_contract_requester_and_nonce():
    ids = []
    for chain, address in ((1, b"s"), (2, b"s"), (1, b"t")):
        state = settlement.register(Settlement(chain, address * 20), Call(REQUESTER, 0), HONEST.program)
        for sender in (REQUESTER, ALICE, REQUESTER):
            state = ask(state, sender=sender)
        ids += list(state.requests)
    assert len(set(ids)) == 9


def test_rule_53_young_unknown_and_repeated_programs_are_refused():
    empty = Settlement(1, b"s" * 20)
    assert refused(lambda: ask(empty)) == 53
    state = settlement.register(empty, Call(REQUESTER, START), HONEST.program)
    assert refused(lambda: ask(state, now=START + L1.window - 1)) == 53
    assert len(ask(state, now=START + L1.window).requests) == 1
    assert refused(lambda: settlement.register(state, Call(REQUESTER, START), HONEST.program)) == 53


def test_rule_54_hidden_weights_are_refused():
    hidden = replace(HONEST.program, salt=b"\1" * 32)
    state = settlement.register(Settlement(1, b"s" * 20), Call(REQUESTER, 0), hidden)
    call = Call(REQUESTER, START, FEE, GWEI)
    terms = RequestTerms(0, FEE, 0, START)
    assert refused(lambda: settlement.request(state, call, hidden.id, terms, [HONEST.data(0)])) == 54


def test_rule_11_wrong_lengths_terms_and_values_are_refused():
    state = settlement.register(Settlement(1, b"s" * 20), Call(REQUESTER, 0), HONEST.program)
    terms, call = RequestTerms(0, FEE, 0, START), Call(REQUESTER, START, FEE, GWEI)
    for inputs in ([], [HONEST.data(0)] * 2, [HONEST.data(0) + b"\0"], [b""]):
        assert refused(lambda: settlement.request(state, call, HONEST.program.id, terms, inputs)) == 11  # noqa: B023
    for roots in ([], [bytes(31)], [bytes(32)] * 2):
        assert refused(lambda: settlement.request_by_roots(state, call, HONEST.program.id, terms, roots)) == 11  # noqa: B023
    assert refused(lambda: ask(state, profile=3)) == 11
    assert refused(lambda: ask(state, fee=1 << 128, value=1 << 128)) == 11
    assert refused(lambda: ask(state, value=FEE - 1)) == 43


def test_rule_17_fee_returns_after_the_deadline_and_a_living_assertion_goes_on():
    w = asserted((ALICE, HONEST), deadline=START + 5)
    assert refused(lambda: settlement.withdraw_fee(w.state, w.call(REQUESTER), w.request)) == 17
    w.now = START + 5
    assert refused(lambda: settlement.withdraw_fee(w.state, w.call(ALICE), w.request)) == 17
    w.put(settlement.withdraw_fee(w.state, w.call(REQUESTER), w.request))
    assert refused(lambda: settlement.withdraw_fee(w.state, w.call(REQUESTER), w.request)) == 17
    w.run({ALICE: side(ALICE, HONEST)})
    assert (w.outcome(), w.gain(ALICE), w.gain(REQUESTER)) == (HONEST.root, 0, 0)


def test_rule_17_request_that_nobody_answers_is_closed_by_the_withdrawal():
    w = world(deadline=START, by_roots=True)
    w.put(settlement.withdraw_fee(w.state, w.call(REQUESTER), w.request))
    assert (w.asked.status, w.gain(REQUESTER)) == (RequestStatus.WITHDRAWN, 0)
    assert refused(lambda: w.act(ALICE, Propose(w.request, answer(w.state, w.request, HONEST)))) == 15


# ---- bad input -------------------------------------------------------------------------------------------------------


def bounded():
    """An input that a contract cannot check as bytes: its values stay below 200."""
    b = Builder()
    x = b.input("x", (600,), Interval(0, 199), Tokens())
    b.output("y", b.apply("lookup", x, b.constant(np.arange(256)), base=0), Tokens())
    return b.build()


def bad_world() -> World:
    program = bounded()
    state = settlement.register(Settlement(1, b"s" * 20), Call(REQUESTER, 0), program)
    w = World(state, START, b"")
    roots = [tensor_root(Dtype.U8, BAD)]
    w.put(
        settlement.request_by_roots(state, w.call(REQUESTER, FEE + CHALLENGE), program.id, RequestTerms(0, FEE, 0, START), roots)
    )
    (w.request,) = w.state.requests
    return w


BAD = bytes(300) + b"\xc8" + bytes(299)


def bad_leaf(leaf: int = 1) -> Run:
    return show(BAD, tensor_tree(BAD), [leaf])[0]


def test_property_38_bad_input_by_roots_voids_the_request_and_slashes_nobody_but_the_requester():
    w = bad_world()
    w.put(settlement.show_bad_input(w.state, w.call(BOB), w.request, 0, 300, bad_leaf()))
    assert w.asked.status is RequestStatus.VOID
    assert (w.gain(REQUESTER), w.gain(BOB), w.state.burnt) == (-CHALLENGE, CHALLENGE // 2, CHALLENGE // 2)
    settle_all(w)


def test_rule_33_input_in_order_or_another_leaf_voids_nothing():
    w = bad_world()
    call = w.call(BOB)
    assert refused(lambda: settlement.show_bad_input(w.state, call, w.request, 0, 299, bad_leaf())) == 33
    assert refused(lambda: settlement.show_bad_input(w.state, call, w.request, 0, 300, bad_leaf(0))) == 33
    assert refused(lambda: settlement.show_bad_input(w.state, call, w.request, 0, 600, bad_leaf())) == 33
    assert refused(lambda: settlement.show_bad_input(w.state, call, w.request, 1, 300, bad_leaf())) == 33


def test_rule_11_bytes_outside_of_the_interval_are_refused_at_the_request():
    program = bounded()
    state = settlement.register(Settlement(1, b"s" * 20), Call(REQUESTER, 0), program)
    call, terms = Call(REQUESTER, START, FEE, GWEI), RequestTerms(0, FEE, 0, START)
    assert refused(lambda: settlement.request(state, call, program.id, terms, [BAD])) == 11
    assert len(settlement.request(state, call, program.id, terms, [bytes(600)]).requests) == 1


@pytest.mark.parametrize("game_is", ["open", "over", "none"])
def test_rule_33_deposit_pays_whom_the_bad_input_has_cost(game_is):
    """The challenger of the first game while that is open, else the first proposer; not whoever shows the leaf."""
    w = world(HONEST, by_roots=True)
    w.paid[CHALLENGER] = 0
    w.state = replace(w.state, programs={HONEST.program.id: narrowed(w.state.programs[HONEST.program.id])})
    for sender, forest in ((MALLORY, LIAR), (ALICE, HONEST)):
        w.act(sender, Propose(w.request, answer(w.state, w.request, forest)))
    if game_is != "none":
        w.act(CHALLENGER, Challenge(assertion_of(w, MALLORY), HONEST.root))
    if game_is == "over":
        game = w.state.games[game_of(w, CHALLENGER)]
        w.now = game.clock.deadline
        w.act(BOB, Play(game.terms.id, Timeout(game.terms.id, game.number, game.node)))
    run = show(HONEST.data(0), tensor_tree(HONEST.data(0)), [0])[0]
    before = dict(w.state.balances)
    w.put(settlement.show_bad_input(w.state, w.call(BOB), w.request, 0, 1, run))
    paid = {account for account, owed in w.state.balances.items() if owed - before.get(account, 0) == CHALLENGE // 2}
    assert paid == {CHALLENGER if game_is == "open" else MALLORY}
    settle_all(w)
    assert w.gain(ALICE) == 0, "an honest proposer's bond returns"
    assert w.gain(CHALLENGER) == {"open": CHALLENGE // 2, "over": BOND // 2, "none": 0}[game_is], "and a challenger's"


def narrowed(known: settlement.KnownProgram) -> settlement.KnownProgram:
    return replace(known, inputs=tuple(replace(form, high=10) for form in known.inputs))
