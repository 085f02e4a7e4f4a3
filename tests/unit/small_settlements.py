# SPDX-License-Identifier: MIT OR Apache-2.0
"""A world of requests and accounts without a chain: what is stored, who does what, and time that goes on to what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from unit.dockets import Known, action_of, docket_of
from unit.small_games import honest_of
from verifiable_ml.commitment import encode_tensor
from verifiable_ml.dispute import actions, liars, settlement, simulate
from verifiable_ml.dispute.actions import Action
from verifiable_ml.dispute.bonds import challenge_bond, proposer_bond
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.duties import duties
from verifiable_ml.dispute.duty import Role
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.settlement import Call, RequestTerms, Settlement, at_stake
from verifiable_ml.errors import IllegalMove

START, GWEI, FEE = 1_000_000, 10**9, 10**15
REQUESTER, ALICE, BOB, MALLORY, MINION = (bytes([letter]) * 20 for letter in b"rabmn")
L1, _, LOCAL = PROFILES
Agent = Callable[["World"], Iterable[Action]]
"""What an account wants to do now."""


@dataclass
class World:
    """A settlement and the clock; every change is checked for solvency (property 16)."""

    state: Settlement
    now: int
    request: bytes
    played: dict[bytes, list[Move]] = field(default_factory=dict)
    accepted: int = 0
    paid: dict[bytes, int] = field(default_factory=dict)
    """What each account has sent."""

    def put(self, after: Settlement) -> None:
        assert after.held == sum(after.balances.values()) + after.burnt + at_stake(after), "the money adds up"
        self.state = after
        self.accepted += 1

    def act(self, sender: bytes, action: Action) -> None:
        self.paid[sender] = self.paid.get(sender, 0) + actions.cost(self.state, action)
        self.put(actions.perform(self.state, sender, self.now, action))
        if isinstance(action, actions.Play):
            self.played.setdefault(action.game, []).append(action.move)

    def call(self, sender: bytes, value: int = 0, base_fee: int = GWEI) -> Call:
        self.paid[sender] = self.paid.get(sender, 0) + value
        return Call(sender, self.now, value, base_fee)

    @property
    def asked(self) -> settlement.Request:
        return self.state.requests[self.request]

    def run(self, agents: dict[bytes, Agent], until: int | None = None) -> None:
        """Everybody does what it wants to; then time goes on to the next second that matters. Until the request is closed."""
        while self.asked.status is settlement.RequestStatus.OPEN and (until is None or self.now < until):
            while sum(self._let(sender, agent) for sender, agent in agents.items()):
                pass
            later = [second for second in self._seconds() if second > self.now]
            if not later:
                return
            self.now = min(later) if until is None else min(*later, until)

    def _let(self, sender: bytes, agent: Agent) -> int:
        done = 0
        for action in list(agent(self)):
            try:
                self.act(sender, action)
            except IllegalMove:  # another one of its actions came first
                continue
            done += 1
        return done

    def _seconds(self) -> Iterator[int]:
        for game in self.state.games.values():
            if game.state is not State.OVER:
                yield from (game.clock.deadline - 1, game.clock.deadline)
        for made in self.state.assertions.values():
            if made.status is settlement.AssertionStatus.LIVING:
                yield from (made.end - 1, made.end)
        for asks in self.state.demands.values():
            yield from (asks.deadline - 1, asks.deadline)
        if self.asked.posting_end is not None:
            yield from (self.asked.posting_end - 1, self.asked.posting_end)

    def gain(self, account: bytes) -> int:
        """What it is owed, less what it has paid: after the end, its profit."""
        return self.state.balances.get(account, 0) - self.paid.get(account, 0)

    def outcome(self) -> bytes | None:
        """The final trace root."""
        return self.state.assertions[self.asked.final].trace_root if self.asked.final else None


def world(honest: Forest | None = None, *, profile: int = 0, by_roots: bool = False, **terms: int) -> World:
    """A program that was registered long ago, and a request by REQUESTER."""
    honest = honest or honest_of("chain_2")
    state = settlement.register(Settlement(31337, b"s" * 20), Call(REQUESTER, 0), honest.program)
    made = World(state, START, b"")
    asks = RequestTerms(profile, **{"fee": FEE, "minimum_bond": 0, "deadline": START + 10**7, **terms})
    inputs = [encode_tensor(tensor) for tensor in honest.tensors[: len(honest.program.inputs)]]
    call = made.call(REQUESTER, asks.fee + 10**18)
    if by_roots:
        made.put(settlement.request_by_roots(state, call, honest.program.id, asks, honest.trace[0][: len(inputs)]))
    else:
        made.put(settlement.request(state, call, honest.program.id, asks, inputs))
    (made.request,) = made.state.requests
    return made


def side(address: bytes, forest: Forest, *, proposes: bool = True, challenges: bool = True) -> Agent:
    """An account that believes its forest: honest, or a liar that plays as well as it can. It decides as the daemon does."""
    role = Role(address, proposes=proposes, watches=challenges)

    def wanted(w: World) -> Iterator[Action]:
        docket = docket_of(w.state, w.played, address, w.now)
        found = (action_of(duty, w.state, forest) for duty in duties(docket, role, Known({w.request: forest})))
        return (action for action in found if action)

    return wanted


def liar(address: bytes, forest: Forest, **roles: bool) -> Agent:
    """The same with an end to its money: it asserts in the first epoch alone."""
    agent = side(address, forest, **roles)
    return lambda w: (action for action in agent(w) if not isinstance(action, actions.Propose) or w.asked.epoch == 0)


def patient(agent: Agent) -> Agent:
    """Moves in the last second in which it can."""

    def late(w: World) -> Iterator[Action]:
        for action in agent(w):
            game = w.state.games[action.game] if isinstance(action, actions.Play) else None
            if game is None or w.now >= game.clock.start + simulate.last_second(game):
                yield action

    return late


def only(agent: Agent, *types: type[Action]) -> Agent:
    """Does these things alone."""
    return lambda w: (action for action in agent(w) if isinstance(action, types))


def assertion_of(w: World, proposer: bytes) -> bytes:
    """The last one that it posted."""
    return [key for key, made in w.state.assertions.items() if made.proposer == proposer][-1]


def game_of(w: World, challenger: bytes) -> bytes:
    """The last one that it opened."""
    return [name for name, game in w.state.games.items() if game.terms.challenger == challenger][-1]


def refused(action: Callable[[], object]) -> int:
    """By which rule."""
    with pytest.raises(IllegalMove) as caught:
        action()
    return caught.value.rule


def settle_all(w: World) -> None:
    """Everything moot is closed, every bond taken back, by whoever may: what is at stake is nothing."""
    for name, game in list(w.state.games.items()):
        if game.state is not State.OVER:
            w.put(settlement.close(w.state, w.call(REQUESTER), name))
    for name in list(w.state.demands):
        w.put(settlement.close_demand(w.state, w.call(REQUESTER), name))
    for key, made in list(w.state.assertions.items()):
        if made.status is settlement.AssertionStatus.LIVING:
            w.put(settlement.return_bond(w.state, w.call(REQUESTER), key))
    assert at_stake(w.state) == 0


HONEST = honest_of("chain_2")
LIAR = liars.one_number(HONEST, 2, 0)
PRICE = 4 * GWEI
BOND, CHALLENGE = proposer_bond(PRICE, 0), challenge_bond(PRICE)


def asserted(*who: tuple[bytes, Forest], **terms: int) -> World:
    """A world in which these have asserted their forests."""
    w = world(**terms)
    for sender, forest in who:
        w.act(sender, actions.Propose(w.request, actions.answer(w.state, w.request, forest)))
    return w
