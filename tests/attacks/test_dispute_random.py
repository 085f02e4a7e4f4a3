# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random games at full depth: the honest side wins each (property 1), within rule 42 (property 11)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from attacks.random_games import LIARS, against_a_liar, against_the_aimless
from unit.small_games import START
from verifiable_ml.dispute.clock import Side, longest
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.simulate import Played
from verifiable_ml.program.pieces import partial_levels

MANY = [pytest.param(100_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)], id="100,000"), pytest.param(1500, id="1,500")]


def within_rule_42(played: Played) -> bool:
    pieces = played.game.form.pieces if played.game.form else 1
    return played.ended - START <= longest(played.game.terms.profile, played.game.rounds, partial_levels(pieces, 1))


@pytest.mark.parametrize("count", MANY)
def test_property_01_honest_challenger_wins_every_random_game(count):
    rng, seen = np.random.default_rng(count), Counter()
    for number in range(count):
        kind, played = against_a_liar(rng)
        assert played.outcome.winner is Side.CHALLENGER, (number, kind, played.refused)
        assert within_rule_42(played)
        seen[kind, played.outcome.reason] += 1
    wrong_numbers = ("one_number", "several_numbers", "hidden_number")
    assert all(seen[kind, Reason.STEP] > 20 for kind in wrong_numbers), "most lies in numbers end in a step"
    assert {kind for kind, _ in seen} == {liar.__name__ for liar in LIARS}


@pytest.mark.parametrize("count", [pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)]), 300])
def test_property_01_honest_proposer_wins_every_random_game(count):
    rng, seen = np.random.default_rng(count), Counter()
    for _ in range(count):
        played = against_the_aimless(rng)
        assert (played.outcome.winner, played.outcome.reason) == (Side.PROPOSER, Reason.TIMEOUT)
        assert within_rule_42(played)
        seen[len(played.moves)] += 1
    assert len(seen) > 4, "games of many lengths"
