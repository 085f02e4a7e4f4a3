# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random histories of requests, assertions, games and demands, by dispute/settlement and by the contracts, compared after every
action: ids, counters, whose turn it is, whose money. Rules 9 to 19, 33, 43 and 50 to 54; properties 13 to 25, 33, 37 and 38.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from differential.mirror import Mirror
from unit.small_games import honest_forest
from verifiable_ml.commitment import Dtype, tensor_tree
from verifiable_ml.dispute import liars, player
from verifiable_ml.dispute.actions import answer, served
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.moves import Described, Move, Timeout
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.dispute.settlement import AssertionStatus, Demand, RequestStatus, RequestTerms, is_moot
from verifiable_ml.dispute.settlement.demands import OfConstant, OfInput, OfOutput
from verifiable_ml.program import Builder, Interval, Tokens

ACCOUNTS = tuple(bytes([letter]) * 20 for letter in b"rabcmn")
SEEDS, ACTIONS = 16, 260


def small() -> Forest:
    """Three lookups over 700 bytes of at most 200: a block alone, and nothing that takes time to hash."""
    b = Builder()
    x = b.input("x", (700,), Interval(0, 200), Tokens())
    for number in range(3):
        x = b.apply("lookup", x, b.constant(np.random.default_rng(number).permutation(256)), base=0)
    b.output("y", x, Tokens())
    return honest_forest(b.build(), {"x": np.arange(700) * 37 % 201})


def with_bad_input(honest: Forest) -> Forest:
    """The same trace over an input that leaves its interval: nobody can have run it."""
    bad = copy.copy(honest)
    bad.__dict__.pop("trace", None), bad.__dict__.pop("root", None)
    given = honest.tensors[0].copy()
    given[555] = 201
    bad.tensors, bad._grown = (given, *honest.tensors[1:]), {}
    return bad


HONEST = small()
FORESTS = (HONEST, liars.one_number(HONEST, 1, 3), liars.one_number(HONEST, 3, 699), liars.WrongRoot(HONEST))
BAD = with_bad_input(HONEST)


class History:
    """Accounts that do what comes to their mind, often the right thing."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.m = Mirror.deployed(int(self.rng.integers(1, 7)))
        self.m.register(HONEST)
        self.moves: dict[bytes, list[Move]] = {}
        self.given: dict[bytes, Forest] = {}

    def one_of(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def account(self) -> bytes:
        return self.one_of(ACCOUNTS)

    def about(self, wanted: int) -> int:
        """The right amount, or nearly."""
        return max(wanted + int(self.one_of([0] * 12 + [-1, 1, -wanted])), 0)

    def act(self) -> None:
        """One action. More of those that lead on than of those that end something."""
        kinds = (
            [self.request] + 3 * [self.propose] + 3 * [self.challenge] + 12 * [self.play] + 4 * [self.time] + 2 * [self.demand]
        )
        kinds += 2 * [self.serve] + [self.close_demand, self.finalise, self.close, self.return_bond, self.withdraw]
        kinds += [self.withdraw_fee, self.show_bad_input]
        self.one_of(kinds)()

    # ---- requests ------------------------------------------------------------------------------------------------------

    def request(self) -> None:
        terms = RequestTerms(
            2, int(self.rng.integers(100)), int(self.one_of([0, 0, 10**17])), self.m.now + int(self.rng.integers(400))
        )
        forest = self.one_of([HONEST, HONEST, BAD])
        if len(self.m.state.requests) > 6:
            return
        if forest is HONEST and self.rng.random() < 0.5:
            made = self.m.request(self.account(), forest, terms, self.about(terms.fee))
        else:
            made = self.m.request_by_roots(self.account(), forest, terms, self.about(terms.fee + 2_400_000 * 10**9))
        if made is not None:
            self.given[made] = forest

    def withdraw_fee(self) -> None:
        for name, asked in self.m.state.requests.items():
            if self.rng.random() < 0.2:
                self.m.withdraw_fee(self.one_of([asked.requester, self.account()]), name)

    def show_bad_input(self) -> None:
        for name in list(self.m.state.requests):
            element = int(self.one_of([555, 555, 300, 700]))
            if self.rng.random() < 0.15:
                data = self.given[name].data(0)
                run = show(data, tensor_tree(data), [min(element // 256, 2)])[0]
                self.m.show_bad_input(self.account(), name, int(self.one_of([0, 0, 0, 1])), element, run)

    # ---- assertions and games ------------------------------------------------------------------------------------------

    def propose(self) -> None:
        if self.given:
            name = self.one_of(list(self.given))
            forest = self.one_of(FORESTS[:3]) if self.given[name] is HONEST else BAD
            if self.rng.random() < 0.1:
                forest = self.one_of([HONEST, BAD])
            bond = self.m.state.requests[name].proposer_bond
            self.m.propose(self.account(), name, answer(self.m.state, name, forest), self.about(bond))

    def challenge(self) -> None:
        living = [key for key, made in self.m.state.assertions.items() if made.status is AssertionStatus.LIVING]
        keys = living or list(self.m.state.assertions)
        if keys:
            key, forest = self.one_of(keys), self.one_of(FORESTS)
            bond = self.m.state.requests[self.m.state.assertions[key].request].challenge_bond
            made = self.m.challenge(self.account(), key, forest.root, self.about(bond))
            if made is not None:
                self.moves[made] = []

    def play(self) -> None:
        """The move that is due in some game; at times by a stranger, at times late."""
        going = [name for name, game in self.m.state.games.items() if game.state is not State.OVER]
        if not going:
            return
        name = self.one_of(going[-4:])
        game = self.m.state.games[name]
        made = self.m.state.assertions[game.terms.assertion]
        asserted = next((f for f in (*FORESTS, BAD) if f.root == made.trace_root), HONEST)
        if game.clock.side is Side.PROPOSER:
            move, sender = player.proposer(asserted, game, self.moves[name], game.clock.start), made.proposer
        else:
            move, sender = player.challenger(HONEST, game, self.moves[name], game.clock.start), game.terms.challenger
        if move is None or self.rng.random() < 0.1:
            move = Timeout(name, game.number, game.node)
        ends = type(move).__name__ in ("Step", "Timeout")
        if is_moot(self.m.state, game.terms.assertion) and not ends:
            return
        if self.m.play(self.one_of([sender] * 9 + [self.account()]), name, move):
            self.moves[name].append(move)

    def close(self) -> None:
        for name, game in list(self.m.state.games.items()):
            if self.rng.random() < (0.5 if is_moot(self.m.state, game.terms.assertion) else 0.1):
                self.m.close(self.account(), name)

    def finalise(self) -> None:
        for key in list(self.m.state.assertions)[-6:]:
            if self.rng.random() < 0.7:
                self.m.finalise(self.account(), key)

    def return_bond(self) -> None:
        for key in list(self.m.state.assertions)[-8:]:
            self.m.return_bond(self.account(), key)

    # ---- data and money ------------------------------------------------------------------------------------------------

    def demand(self) -> None:
        keys = list(self.m.state.assertions)[-4:]
        if not keys:
            return
        key, first, count = self.one_of(keys), int(self.rng.integers(4)), int(self.one_of([0, 1, 1, 2, 3, 33]))
        opened = Described(HONEST.descriptor(1), HONEST.descriptor_path(1))
        wanted = self.one_of([OfInput(0), OfOutput(0), OfConstant(0, opened, 1), OfInput(1), OfConstant(1, opened, 1)])
        asks = Demand(key, b"", 0, Dtype.U8, 256 if isinstance(wanted, OfConstant) else 700, b"", first, count)
        price = self.m.state.requests[self.m.state.assertions[key].request].price
        self.m.demand(self.account(), key, wanted, first, count, self.about(demand_pay(price, max(asks.length, 0))))

    def serve(self) -> None:
        for name, asks in list(self.m.state.demands.items()):
            forests = (*FORESTS[:3], BAD)
            forest = next((f for f in forests if asks.root in f.trace[0]), HONEST)
            run = served(forest, asks)
            if self.rng.random() < 0.3:
                run = self.one_of(
                    [Run(run.first + 1, run.data, run.siblings), Run(run.first, run.data[:-1] + b"\0", run.siblings)]
                )
            if self.rng.random() < 0.4:
                self.m.serve(self.account(), name, run)

    def close_demand(self) -> None:
        for name in list(self.m.state.demands):
            self.m.close_demand(self.account(), name)

    def withdraw(self) -> None:
        self.m.withdraw(self.account())

    # ---- time ----------------------------------------------------------------------------------------------------------

    def time(self) -> None:
        """A few seconds on, or to the second before, at or after one that matters."""
        state, now = self.m.state, self.m.now
        ends = [game.clock.deadline for game in state.games.values() if game.state is not State.OVER]
        ends += [made.end for made in state.assertions.values() if made.status is AssertionStatus.LIVING]
        ends += [asked.posting_end for asked in state.requests.values() if asked.posting_end is not None]
        ends += [asks.deadline for asks in state.demands.values()]
        later = sorted(end + by for end in ends for by in (-1, 0, 1) if end + by > now)
        self.m.now = now + int(self.rng.integers(8)) if not later or self.rng.random() < 0.6 else later[0]


@pytest.fixture(scope="module")
def histories() -> list[History]:
    every = [History(seed) for seed in range(SEEDS)]
    for history in every:
        for _ in range(ACTIONS):
            history.act()
    return every


def test_property_16_random_histories_are_alike_and_take_every_kind_of_action(histories):
    """Else they would be alike because nothing happens."""
    taken, refused = Counter[str](), Counter[str]()
    for history in histories:
        taken.update(history.m.taken)
        refused.update(history.m.refused)
    kinds = {"request", "request_by_roots", "withdraw_fee", "show_bad_input", "propose", "challenge", "reveal", "pick", "block"}
    kinds |= {"step", "timeout", "close", "finalise", "return_bond", "demand", "serve", "close_demand", "withdraw"}
    assert {kind: taken[kind] for kind in kinds if taken[kind] < 4} == {}
    assert {kind: refused[kind] for kind in kinds if refused[kind] < 5} == {}


def test_histories_end_in_every_way(histories):
    """Requests that become final, void, withdrawn; assertions that die by each reason; epochs beyond the first."""
    requests = [asked for history in histories for asked in history.m.state.requests.values()]
    made = [made for history in histories for made in history.m.state.assertions.values()]
    assert {asked.status for asked in requests} == set(RequestStatus)
    assert {each.status for each in made} == set(AssertionStatus)
    assert len({each.reason for each in made}) == 4
    assert max(asked.epoch for asked in requests) > 0


def test_property_18_everything_comes_to_an_end_and_nothing_is_left_at_stake(histories):
    """Whatever has happened: what is moot is closed, what is owed is paid, and the contract holds what is burnt and at stake."""
    for history in histories:
        m = history.m
        m.now += 10**6
        for name, game in list(m.state.games.items()):
            if game.state is not State.OVER and not is_moot(m.state, game.terms.assertion):
                m.play(ACCOUNTS[0], name, Timeout(name, game.number, game.node))
        for name in list(m.state.demands):
            m.close_demand(ACCOUNTS[0], name)
        for key in list(m.state.assertions):
            m.finalise(ACCOUNTS[0], key)
        for name, game in list(m.state.games.items()):
            if game.state is not State.OVER:
                m.close(ACCOUNTS[0], name)
        for key in list(m.state.assertions):
            m.return_bond(ACCOUNTS[0], key)
        for name, asked in list(m.state.requests.items()):
            m.withdraw_fee(asked.requester, name)
        for account in ACCOUNTS:
            m.withdraw(account)
        rivals = [asked for asked in m.state.requests.values() if asked.status is RequestStatus.OPEN]
        assert all(len(asked.living) > 1 for asked in rivals), "only rivals that nobody challenges stay"
        if not rivals:
            assert m.state.held == m.state.burnt == m.chain.balance("claims")
