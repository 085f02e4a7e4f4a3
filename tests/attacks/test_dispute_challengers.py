# SPDX-License-Identifier: MIT OR Apache-2.0
"""Challengers that do not play as rule 28 says: they can lose their own bond, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from unit.small_games import against, honest_of, opened
from verifiable_ml.dispute import liars, player, simulate
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest, children
from verifiable_ml.dispute.game import Game, Outcome, Reason
from verifiable_ml.dispute.moves import Move, Pick
from verifiable_ml.errors import MalformedEvidence


def last_difference(mine: Forest, game: Game, moves: list[Move], now: int) -> Move | None:
    """Picks the last child that differs instead of the first, and plays well otherwise."""
    move = player.challenger(mine, game, moves, now)
    if not isinstance(move, Pick):
        return move
    levels = mine.trace if game.walk == 1 else mine.tensor(game.tensor)
    top, bottom = game.stations[game.round : game.round + 2]
    own = children(levels, top, game.child, top - bottom)
    return replace(
        move, child=max(place for place, pair in enumerate(zip(moves[-1].children, own, strict=True)) if pair[0] != pair[1])
    )


@pytest.mark.parametrize("fan_out", [1, 2, 6])
def test_rule_28_the_last_difference_instead_of_the_first_loses_against_a_liar(fan_out):
    """The operator that it picks is right on the wrong numbers that it reads, and those it cannot open from its own trace."""
    honest = honest_of("chain_10")
    liar = liars.one_number(honest, 4, 1)
    played = simulate.play(
        opened(liar, honest.root, fan_out=fan_out), partial(player.proposer, liar), partial(last_difference, honest)
    )
    assert played.outcome == Outcome(Side.PROPOSER, Reason.TIMEOUT)
    assert (played.game.tensor, type(played.refused)) == (10, MalformedEvidence)
    assert against(liar, honest, fan_out=fan_out).outcome == Outcome(Side.CHALLENGER, Reason.STEP)


def test_challenger_with_a_wrong_trace_of_its_own_loses_against_a_right_assertion():
    """It finds its own wrong number in the proposer's tree as a difference, and nothing there is wrong."""
    honest = honest_of("example")
    for index in range(2, len(honest.tensors)):
        liar = liars.one_number(honest, index, 0)
        if liar.root != honest.root:
            played = against(honest, liar)
            assert played.outcome == Outcome(Side.PROPOSER, Reason.TIMEOUT)


def test_property_04_two_honest_challengers_of_one_assertion_both_win():
    """Their games do not see each other: the same moves, and the verdict of each is its own."""
    honest = honest_of("chain_10")
    liar = liars.one_number(honest, 4, 1)
    first, second = against(liar, honest), against(liar, honest, fan_out=2)
    assert first.outcome == second.outcome == Outcome(Side.CHALLENGER, Reason.STEP)


@pytest.mark.parametrize("name", ["chain_10", "wide_5000", "sum_3000", "max_64"])
def test_property_03_sides_that_forget_everything_after_each_move_still_win(name):
    """New forests, grown from program and input alone, for every single move."""
    honest = honest_of(name)
    liar = liars.one_number(honest, 1, 0, late=0.3)

    def reborn(game: Game, moves: list[Move], now: int) -> Move | None:
        return player.challenger(Forest(type(honest.witness)(honest.witness.trace)), game, list(moves), now)

    played = simulate.play(opened(liar, honest.root), partial(player.proposer, liar), reborn)
    assert played.outcome == Outcome(Side.CHALLENGER, Reason.STEP)
    assert played.moves == against(liar, honest).moves
