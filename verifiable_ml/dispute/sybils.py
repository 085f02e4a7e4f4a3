# SPDX-License-Identifier: MIT OR Apache-2.0
"""How long many wrong assertions delay a right one: rule 47, played out by the rules, the money included.

The attacker posts all of them in the last second of posting, each waits in each of its turns to the last second, and the right
assertion is challenged in the last second in which a rival of it lives. The defender answers at once, and opens as many games at
a time as its capital pays for; what it wins it uses again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from verifiable_ml.commitment import encode_tensor
from verifiable_ml.dispute import actions, player, settlement, simulate
from verifiable_ml.dispute.actions import Action, Challenge, Finalise, Play, Propose
from verifiable_ml.dispute.bonds import challenge_bond, proposer_bond
from verifiable_ml.dispute.clock import PROFILES, Side, longest_against_prompt
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Game, State
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.settlement import Call, RequestTerms, Settlement
from verifiable_ml.errors import IllegalMove, MalformedEvidence
from verifiable_ml.program.pieces import partial_levels

START = 10**9
TIMES = PROFILES[0]
PRICE = TIMES.floor
ORDINARY_GAS, DEAREST_GAS = 480_000, 800_000
"""What a game costs a challenger: what a win leaves is used again, so it matters; and at the worst (rule 43)."""
REQUESTER, DEFENDER, LATECOMER = (bytes([letter]) * 20 for letter in b"rdl")
Lie = Callable[[int], Forest]
"""A wrong forest by number. No two are alike, and a game against each takes as many moves."""


@dataclass(frozen=True, slots=True)
class Siege:
    """What came of an attack. Times in seconds, amounts in wei."""

    sybils: int
    funded: int
    """Games that the defender's capital pays for at the start."""
    rounds: int
    delay: int
    """From the right assertion to its finality."""
    bound: int
    """f(N) of rule 47."""
    lost: int
    """By the attacker."""
    earned: int
    """By the defender, gas not counted."""
    spent: int
    """By the defender on gas, each game at its dearest."""


def besieged(honest: Forest, lie: Lie, sybils: int, funded: int, fan_out: int) -> Siege:
    """Plays the attack through to the end. Raises IllegalMove if the honest answer cannot become final then."""
    field = _Field(honest, fan_out)
    right = field.assertion(DEFENDER, honest)
    field.now += TIMES.window - 1
    waiting = [(field.assertion(_account(number), lie(number)), lie(number)) for number in range(sybils)]
    capital, rounds, longest = funded * challenge_bond(PRICE), 0, 0
    while waiting:
        count = capital // challenge_bond(PRICE)
        batch, waiting = waiting[:count], waiting[count:]
        longest = field.fight(batch, late=None if waiting else Challenge(right, lie(0).root))
        capital += len(batch) * (proposer_bond(PRICE, 0) // 2 - ORDINARY_GAS * PRICE)  # 1.8 bonds a win
        rounds += 1
    field.outlast(lie(0))
    field.now = max(field.now, field.state.assertions[right].end)
    field.act(DEFENDER, Finalise(right))
    bound = max(2 * TIMES.window, TIMES.window + rounds * longest) + longest
    earned, lost = field.gain(DEFENDER), -sum(field.gain(account) for account in field.paid if account != DEFENDER)
    return Siege(sybils, funded, rounds, field.now - START, bound, lost, earned, spent=sybils * DEAREST_GAS * PRICE)


def _account(number: int) -> bytes:
    return number.to_bytes(20, "big")


class _Field:
    """A settlement with one request, its clock, and the moves of its games."""

    def __init__(self, honest: Forest, fan_out: int) -> None:
        self.honest, self.now = honest, START
        state = settlement.register(Settlement(1, bytes(20), fan_out), Call(REQUESTER, 0), honest.program)
        inputs = [encode_tensor(tensor) for tensor in honest.tensors[: len(honest.program.inputs)]]
        terms = RequestTerms(PROFILES.index(TIMES), fee=0, minimum_bond=0, deadline=START)
        self.state = settlement.request(state, Call(REQUESTER, START), honest.program.id, terms, inputs)
        (self.request,) = self.state.requests
        self.moves = dict[bytes, list[Move]]()
        self.paid = dict[bytes, int]()

    def act(self, sender: bytes, action: Action) -> None:
        """Now. Raises IllegalMove, MalformedEvidence."""
        self.paid[sender] = self.paid.get(sender, 0) + actions.cost(self.state, action)
        self.state = actions.perform(self.state, sender, self.now, action)
        if isinstance(action, Play):
            self.moves.setdefault(action.game, []).append(action.move)

    def gain(self, account: bytes) -> int:
        """What it is owed, less what it has sent."""
        return self.state.balances.get(account, 0) - self.paid[account]

    def assertion(self, sender: bytes, forest: Forest) -> bytes:
        """A new one; its id."""
        self.act(sender, Propose(self.request, actions.answer(self.state, self.request, forest)))
        return list(self.state.assertions)[-1]

    def fight(self, batch: Sequence[tuple[bytes, Forest]], late: Challenge | None) -> int:
        """A game against each, all at once and all alike, until the last of them is dead. The longest game by rule 42."""
        liars = dict[bytes, Forest]()
        for key, forest in batch:
            self.act(DEFENDER, Challenge(key, self.honest.root))
            liars[list(self.state.games)[-1]] = forest
        name = next(iter(liars))
        while (game := self.state.games[name]).state is not State.OVER:
            self.now = game.clock.start + simulate.last_second(game)
            for each, forest in liars.items():
                self._move(each, player.proposer, forest)
            if late and self.state.games[name].state is State.STEP:
                self.act(LATECOMER, late)
            for each in liars:
                self._move(each, player.challenger, self.honest)
        levels = partial_levels(game.formed.pieces, 1)
        return longest_against_prompt(TIMES, game.rounds, levels)

    def outlast(self, liar: Forest) -> None:
        """The latecomer's game: it plays as if its own lie were right, as slowly as it can, until its time is over."""
        name = list(self.state.games)[-1]
        while (game := self.state.games[name]).state is not State.OVER:
            if game.clock.side is Side.CHALLENGER:
                self.now = game.clock.start + simulate.last_second(game)
                try:
                    self._move(name, player.challenger, liar)
                    continue
                except (IllegalMove, MalformedEvidence):  # its step: nothing is wrong there
                    self.now = game.clock.deadline
            self._move(name, player.proposer, self.honest)

    def _move(self, name: bytes, side: Callable[[Forest, Game, Sequence[Move], int], Move | None], forest: Forest) -> None:
        game = self.state.games[name]
        move = side(forest, game, self.moves.get(name, ()), self.now)
        if move is None:
            raise ValueError("the side has no move")
        sender = game.terms.challenger if side is player.challenger else game.terms.proposer
        self.act(sender, Play(name, move))
