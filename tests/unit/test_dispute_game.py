# SPDX-License-Identifier: MIT OR Apache-2.0
"""A game from its challenge to its verdict."""

from __future__ import annotations

from conftest import TINY_INPUT, tiny_program
from unit.small_games import against, honest_forest, kinds
from verifiable_ml.dispute import liars
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.game import Outcome, Reason


def test_game_one_wrong_number_in_the_first_of_two_operators_convicts_in_four_moves():
    honest = honest_forest(tiny_program(), TINY_INPUT)
    played = against(liars.hidden_number(honest, index=1, element=2), honest)
    assert kinds(played) == ["Reveal", "Pick", "Block", "Step"]
    assert played.outcome == Outcome(Side.CHALLENGER, Reason.STEP)
    _, step = played.moves[-1]
    assert (played.game.tensor, step.element, step.piece) == (1, 2, 0)
