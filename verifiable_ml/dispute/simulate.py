# SPDX-License-Identifier: MIT OR Apache-2.0
"""Plays any two players against each other without a chain: what decides is rules.py, what a contract would refuse is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from verifiable_ml.dispute import rules
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.game import Game, Outcome, State
from verifiable_ml.dispute.moves import Move, Timeout
from verifiable_ml.errors import IllegalMove, MalformedEvidence

Player = Callable[[Game, Sequence[Move], int], Move | None]
"""What a side sends, given the game, its moves so far and the time; None: nothing."""
Pace = Callable[[Game], int]
"""How many seconds of its turn a side lets pass before it moves."""


def at_once(game: Game) -> int:
    """Answers in the second in which the turn begins."""
    return 0


def last_second(game: Game) -> int:
    """Answers in the last second in which it can."""
    return game.clock.deadline - 1 - game.clock.start


@dataclass(frozen=True, slots=True)
class Played:
    """A game that is over."""

    game: Game
    moves: tuple[tuple[int, Move], ...]
    """The moves that were accepted, each with its second."""
    refused: IllegalMove | MalformedEvidence | None
    """Why the last move of the loser by time was no move; None if it sent nothing."""
    ended: int

    @property
    def outcome(self) -> Outcome:
        """Who won, and how."""
        assert self.game.outcome is not None
        return self.game.outcome


def play(game: Game, proposer: Player, challenger: Player, *, paces: tuple[Pace, Pace] = (at_once, at_once)) -> Played:
    """Until somebody has won. A side that sends nothing, or something illegal, loses when its clock has run out."""
    moves, times, refused = list[Move](), list[int](), None
    while (turn := rules.legal(game, game.clock.start)) is not None:
        sender = game.terms.proposer if turn.side is Side.PROPOSER else game.terms.challenger
        now = game.clock.start + paces[turn.side](game)
        move = (proposer if turn.side is Side.PROPOSER else challenger)(game, moves, now) if now < turn.deadline else None
        try:
            if move is not None:
                game = rules.play(game, move, sender, now)
        except (IllegalMove, MalformedEvidence) as error:
            move, refused = None, error
        if move is None:
            now, move = turn.deadline, Timeout(game.terms.id, game.number, game.node)
            game = rules.timeout(game, move, now)
        moves.append(move)
        times.append(now)
    assert game.state is State.OVER
    return Played(game, tuple(zip(times, moves, strict=True)), refused, times[-1])
