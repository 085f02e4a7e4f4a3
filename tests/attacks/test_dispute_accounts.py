# SPDX-License-Identifier: MIT OR Apache-2.0
"""Attacks with more than one account: squatting, convicting oneself, copying, standing by, and many wrong assertions at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from attacks.every_move import every_move
from unit.small_games import honest_of
from unit.small_settlements import (
    ALICE,
    BOB,
    BOND,
    CHALLENGE,
    FEE,
    HONEST,
    L1,
    LIAR,
    MALLORY,
    MINION,
    PRICE,
    START,
    Agent,
    World,
    asserted,
    assertion_of,
    game_of,
    liar,
    only,
    patient,
    refused,
    settle_all,
    side,
    world,
)
from verifiable_ml.dispute import actions, liars, player, rules, settlement
from verifiable_ml.dispute.actions import Action, Challenge, Play, Propose
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.clock import Side, longest_against_prompt
from verifiable_ml.dispute.game import Outcome, Reason, State
from verifiable_ml.dispute.settlement import AssertionStatus, Call
from verifiable_ml.dispute.settlement.demands import OfInput
from verifiable_ml.errors import IllegalMove, MalformedEvidence

SUMS = honest_of("sum_3000")


# ---- squatting and self-conviction -----------------------------------------------------------------------------------


def squatted(forest=HONEST) -> World:
    """MALLORY posts the honest commitment first, and MINION challenges it at once."""
    w = world(forest)
    w.act(MALLORY, Propose(w.request, actions.answer(w.state, w.request, forest)))
    w.act(MINION, Challenge(assertion_of(w, MALLORY), bytes(32)))
    return w


def test_property_25_squatter_that_loses_the_honest_commitment_by_time_does_not_kill_it():
    w = squatted()
    w.run({MINION: timekeeper(MINION), ALICE: side(ALICE, HONEST)})
    made = w.state.assertions[assertion_of(w, MALLORY)]
    assert (made.status, made.reason, made.trace_root) == (AssertionStatus.DEAD, Reason.TIMEOUT, HONEST.root)
    assert (w.outcome(), w.asked.epoch, w.gain(ALICE)) == (HONEST.root, 0, FEE)


def timekeeper(address: bytes) -> Agent:
    """Sends timeouts, and nothing else."""
    return only(side(address, liars.WrongRoot(HONEST), proposes=False, challenges=False), Play)


def test_property_25_squatter_that_convicts_itself_by_false_partials_does_not_kill_the_commitment():
    """A right end with a false middle: the one way to lose a right trace by a step, and only its proposer can go it."""
    w = squatted(SUMS)
    puppets = {MALLORY: only(side(MALLORY, liars.FalsePartials(SUMS)), Play), MINION: convicting(MINION)}
    w.run({**puppets, ALICE: side(ALICE, SUMS)})
    made = w.state.assertions[assertion_of(w, MALLORY)]
    assert (made.status, made.reason, made.trace_root) == (AssertionStatus.DEAD, Reason.STEP, SUMS.root)
    assert (w.outcome(), w.gain(ALICE)) == (SUMS.root, FEE)
    settle_all(w)
    assert w.gain(MALLORY) + w.gain(MINION) == -(BOND - BOND // 2), "half of its bond is burnt (properties 20 and 45)"


def convicting(address: bytes) -> Agent:
    """Picks any child, names any element, and steps where the accumulators are false."""

    def act(w: World) -> Iterator[Action]:
        for name, game in w.state.games.items():
            if game.terms.challenger != address or game.state is State.OVER or game.clock.side is not Side.CHALLENGER:
                continue
            for move in every_move(game, w.played[name], SUMS):
                try:
                    rules.play(game, move, address, w.now)
                except (IllegalMove, MalformedEvidence):
                    continue
                yield Play(name, move)
                break

    return act


def test_rule_49_honest_account_asserts_though_a_stranger_did_and_defends_only_its_own():
    w = squatted()
    actions = list(side(ALICE, HONEST)(w))
    assert [type(action) for action in actions] == [Propose]
    w.act(ALICE, *actions)
    assert list(side(ALICE, HONEST)(w)) == [], "the game against the squatter's assertion is not its own"


def test_property_20_challenging_oneself_never_pays():
    """Whoever wins: half of the lost bond is burnt."""
    w = asserted((MALLORY, LIAR))
    w.act(MINION, Challenge(assertion_of(w, MALLORY), HONEST.root))
    w.run({MALLORY: liar(MALLORY, LIAR), MINION: side(MINION, HONEST, proposes=False)}, until=START + 1)
    assert w.gain(MALLORY) + w.gain(MINION) == -BOND // 2
    w = asserted((MALLORY, LIAR))
    w.act(MINION, Challenge(assertion_of(w, MALLORY), HONEST.root))
    w.run({MALLORY: only(liar(MALLORY, LIAR), Play)}, until=START + L1.window + 1)
    assert w.gain(MALLORY) + w.gain(MINION) == -BOND - CHALLENGE // 2, "the bond of the living one is still at stake"


def test_rule_45_liar_that_convicts_itself_first_leaves_the_honest_challenger_unpaid_and_unharmed():
    w = asserted((MALLORY, LIAR))
    for sender in (ALICE, MINION):
        w.act(sender, Challenge(assertion_of(w, MALLORY), HONEST.root))
    w.run({MALLORY: liar(MALLORY, LIAR), MINION: side(MINION, HONEST, proposes=False)}, until=START + 1)
    w.run({ALICE: side(ALICE, HONEST)})
    settle_all(w)
    assert w.gain(ALICE) == FEE
    assert w.gain(MALLORY) + w.gain(MINION) == -BOND // 2 <= -4_800_000 * PRICE


# ---- copies ----------------------------------------------------------------------------------------------------------


def test_property_23_copied_challenge_and_copied_moves_earn_only_in_a_game_of_their_own():
    """MALLORY copies every transaction of ALICE, one block before it: her moves are refused, her game helps the defence."""
    w = asserted((BOB, LIAR))
    w.act(MALLORY, Challenge(assertion_of(w, BOB), HONEST.root))
    w.act(ALICE, Challenge(assertion_of(w, BOB), HONEST.root))
    stolen = []

    def copied(w: World) -> Iterable[Action]:
        wanted = [a for a in side(ALICE, HONEST, proposes=False)(w) if isinstance(a, Play)]
        for action in wanted:
            if w.state.games[action.game].terms.challenger == ALICE:
                stolen.append(refused(lambda: actions.perform(w.state, MALLORY, w.now, action)))  # noqa: B023
        return wanted

    w.run({BOB: liar(BOB, LIAR), ALICE: copied}, until=START + 1)
    assert w.state.games[game_of(w, ALICE)].outcome == Outcome(Side.CHALLENGER, Reason.STEP)
    assert stolen
    assert set(stolen) <= {27}
    w.put(settlement.close(w.state, w.call(MALLORY), game_of(w, MALLORY)))
    assert w.gain(MALLORY) == 0


def test_property_33_move_of_one_game_is_refused_in_another():
    w = asserted((BOB, LIAR), (MALLORY, LIAR))
    for proposer in (BOB, MALLORY):
        w.act(ALICE, Challenge(assertion_of(w, proposer), HONEST.root))
    first, second = w.state.games
    move = player.proposer(LIAR, w.state.games[first], (), w.now)
    assert refused(lambda: settlement.play(w.state, Call(BOB, w.now), second, move)) == 30


# ---- many ------------------------------------------------------------------------------------------------------------


def lies(count: int) -> list[object]:
    """As many wrong commitments, no two alike."""
    made = [liars.one_number(HONEST, 2, element, by) for element in range(3) for by in range(1, 128)]
    return made[:count]


def account(number: int) -> bytes:
    return number.to_bytes(20, "big")


@pytest.mark.parametrize("count", [1, 7, 30])
def test_property_13_many_wrong_assertions_do_not_outlive_the_time_of_rule_47(count):
    """All at the last second of posting, and all wait to the last; the right one is challenged at the very end."""
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window - 1
    agents: dict[bytes, Agent] = {}
    for number, forest in enumerate(lies(count)):
        address = account(number)
        w.act(address, Propose(w.request, actions.answer(w.state, w.request, forest)))
        agents[address] = patient(only(side(address, forest, challenges=False), Play))
    w.run({MALLORY: lastly_challenging(MALLORY), **agents, ALICE: side(ALICE, HONEST)})
    longest = longest_against_prompt(L1, 1, 0)
    assert w.outcome() == HONEST.root
    assert w.now - START <= max(2 * L1.window, L1.window + longest) + longest
    assert w.now - START >= L1.window + longest, "it did cost time"
    settle_all(w)
    assert w.gain(ALICE) == FEE + count * BOND // 2 + CHALLENGE // 2


def lastly_challenging(address: bytes) -> Agent:
    """Challenges the right assertion in the last second in which a rival of it lives, and never moves."""

    def act(w: World) -> Iterator[Action]:
        dying = [game for game in w.state.games.values() if game.state is not State.OVER]
        key = assertion_of(w, ALICE)
        last = all(game.state is State.ENTER and w.now == game.clock.deadline - 1 for game in dying)
        if dying and last and not w.state.assertions[key].games:
            yield Challenge(key, bytes(32))

    return act


def test_property_14_attacker_loses_more_than_the_defender_spends_at_any_number():
    """Per wrong assertion: the whole bond, or half where it convicts itself, against the dearest game that a challenger plays."""
    assert BOND // (800_000 * PRICE) == 12
    assert BOND // 2 // (800_000 * PRICE) == 6
    assert CHALLENGE // (600_000 * PRICE) == 4, "and a wrong challenge against the dearest game of a proposer"


@pytest.mark.parametrize("count", [1, 20])
def test_rule_48_many_wrong_challenges_run_at_once_and_delay_by_one_game(count):
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window - 1
    for number in range(count):
        w.act(account(number), Challenge(assertion_of(w, ALICE), bytes([number]) * 32))
    w.run({ALICE: side(ALICE, HONEST)})
    assert w.outcome() == HONEST.root
    assert w.now - START <= L1.window + longest_against_prompt(L1, 1, 0)
    assert w.gain(ALICE) == FEE + count * CHALLENGE // 2


def test_property_15_verdict_changes_its_own_game_assertion_and_request_alone_however_many_there_are():
    w = asserted((BOB, LIAR), *((account(number), forest) for number, forest in enumerate(lies(20)[1:])))
    key = assertion_of(w, BOB)
    for number in range(40):
        w.act(account(number), Challenge(key, bytes([number]) * 32))
    w.act(ALICE, Challenge(key, HONEST.root))
    before = w.state
    w.run({BOB: only(liar(BOB, LIAR), Play), ALICE: only(side(ALICE, HONEST), Play)}, until=START + 1)
    assert w.state.assertions[key].status is AssertionStatus.DEAD
    assert changed(before.assertions, w.state.assertions) == {key}
    still_open = [name for name, game in w.state.games.items() if game.state is not State.OVER]
    assert len(still_open) == 40, "each is closed by whoever wants its bond back"


def changed(before, after) -> set[bytes]:
    return {key for key in after if after[key] is not before.get(key)}


# ---- anything --------------------------------------------------------------------------------------------------------


def forest_of(address: bytes, rng: np.random.Generator):
    return HONEST if address in (ALICE, BOB) else lies(40)[rng.integers(40)]


@pytest.mark.parametrize("seed", range(6))
def test_property_16_money_adds_up_whatever_is_sent(seed):
    """World checks after every accepted action that what is held is owed, burnt or at stake; at the end nothing is at stake."""
    rng, seen = np.random.default_rng(seed), Counter()
    w = world(HONEST, by_roots=bool(seed % 2), deadline=START + 10 ** (5 + seed))
    crowd = [ALICE, BOB, MALLORY, MINION, *map(account, range(4))]
    forests = {address: forest_of(address, rng) for address in crowd}
    for _ in range(700):
        if w.asked.status is not settlement.RequestStatus.OPEN:
            break
        address = crowd[rng.integers(len(crowd))]
        actions = [*side(address, forests[address])(w), *strange(w, address, rng)]
        if actions:
            attempt(w, address, actions[rng.integers(len(actions))], seen)
        w.now += int(rng.choice([0, 0, 60, 5000]))
    late = account(9)  # who has lost too often, by turns that chance left out, asserts no more
    agents = {address: side(address, forests[address], proposes=False) for address in crowd}
    w.run({**agents, late: side(late, HONEST)})
    settle_all(w)
    is_final = w.asked.status is settlement.RequestStatus.FINAL
    assert w.outcome() == (HONEST.root if is_final else None)
    assert is_final or not seed, "with seed 0 the fee can be withdrawn while no assertion lives"
    assert sum(seen[kind] for kind in seen if kind != "refused") > 40, seen
    for address in [*crowd, late]:
        if w.state.balances.get(address):
            w.put(settlement.withdraw(w.state, Call(address, w.now)))
    assert w.state.held - w.state.balances[w.asked.requester] == w.state.burnt, "all else is burnt"


def strange(w: World, address: bytes, rng: np.random.Generator) -> list[object]:
    """What no rule asks for: demands, challenges of anything, early finalisations, closings, withdrawals."""
    keys = list(w.state.assertions)
    if not keys:
        return []
    key = keys[rng.integers(len(keys))]
    call = Call(address, w.now, demand_pay(PRICE, 3))
    return [
        Challenge(key, rng.bytes(32)),
        actions.Finalise(key),
        actions.ReturnBond(key),
        *map(actions.Close, list(w.state.games)[-1:]),
        lambda: (settlement.demand(w.state, call, key, OfInput(0), 0, 1), call.value),
        lambda: (settlement.withdraw(w.state, Call(address, w.now)), -w.state.balances[address]),
        lambda: (settlement.close_demand(w.state, Call(address, w.now), next(iter(w.state.demands), b"")), 0),
        lambda: (settlement.withdraw_fee(w.state, Call(w.asked.requester, w.now), w.request), 0),
    ]


def attempt(w: World, address: bytes, action: object, seen: Counter[str]) -> None:
    try:
        if callable(action):
            after, paid = action()
            w.put(after)
            w.paid[address] = w.paid.get(address, 0) + paid
        else:
            w.act(address, action)
    except (IllegalMove, MalformedEvidence):
        seen["refused"] += 1
        return
    seen["strange" if callable(action) else type(action).__name__] += 1
