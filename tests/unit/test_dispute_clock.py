# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rules 41, 42 and 44: at every second one thing is legal, time is the mover's own, and every game ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.small_games import CHALLENGER, GAMES, START, against, honest_of, opened, positions, sender, silent
from verifiable_ml.dispute import liars, player, rules, simulate
from verifiable_ml.dispute.clock import PROFILES, Clock, Side, longest, longest_against_prompt
from verifiable_ml.dispute.game import Game, State
from verifiable_ml.dispute.moves import Move, Timeout
from verifiable_ml.dispute.rules import Turn
from verifiable_ml.errors import IllegalMove
from verifiable_ml.program.pieces import partial_levels

L1, _, LOCAL = PROFILES


def refusal(game: Game, move: Move, now: int) -> int | None:
    try:
        rules.play(game, move, sender(game), now)
    except IllegalMove as refused:
        return refused.rule
    return None


@pytest.mark.parametrize("name", GAMES)
def test_property_08_at_every_second_exactly_one_of_move_and_timeout_is_legal(name):
    seen = set()
    for game, _, move in positions(name):
        end = Timeout(move.game, move.number, move.node)
        for now in (game.clock.start, game.clock.deadline - 1, game.clock.deadline, game.clock.deadline + 1, 10**10):
            turn = rules.legal(game, now)
            assert turn == Turn(game.clock.side, game.state, game.clock.deadline, now >= game.clock.deadline)
            assert (refusal(game, move, now), refusal(game, end, now)) == ((41, None) if turn.expired else (None, 41))
        seen.add(game.state)
    assert {State.REVEAL, State.PICK, State.ENTER, State.STEP} <= seen


def test_property_08_all_states_were_seen():
    seen = {game.state for name in GAMES for game, _, _ in positions(name)}
    assert seen == set(State) - {State.OVER}


@pytest.mark.parametrize("name", GAMES)
def test_property_08_players_send_their_move_before_the_deadline_and_the_timeout_after_it(name):
    honest = honest_of(name)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    for game, moves, move in positions(name):
        sides = {Side.PROPOSER: partial(player.proposer, liar), Side.CHALLENGER: partial(player.challenger, honest)}
        mover, waiting = sides[game.clock.side], sides[game.clock.side.other]
        last, over = game.clock.deadline - 1, game.clock.deadline
        assert (mover(game, moves, last), waiting(game, moves, last)) == (move, None)
        assert (mover(game, moves, over), waiting(game, moves, over)) == (None, Timeout(move.game, move.number, move.node))


def test_property_09_time_is_charged_to_the_mover_once_and_stays_its_own():
    clock = Clock.started(L1, START).moved(START + 1000, L1.extension)
    assert (clock.side, clock.proposer, clock.challenger) == (Side.CHALLENGER, L1.time - 1000, L1.time)
    clock = clock.moved(START + 1000 + 70, L1.extension)
    assert (clock.side, clock.proposer, clock.challenger) == (Side.PROPOSER, L1.time - 1000, L1.time - 70)
    clock = clock.moved(START + 1070, L1.extension)
    assert clock.proposer == L1.time - 1000, "an answer in the same second costs nothing"


@pytest.mark.parametrize("name", GAMES)
def test_property_10_last_second_move_leaves_the_opponent_the_extension(name):
    honest = honest_of(name)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    played = against(liar, honest, paces=(simulate.last_second,) * 2, fan_out=2)
    game = opened(liar, honest.root, fan_out=2)
    for now, move in played.moves[:-1]:
        game = rules.play(game, move, sender(game), now)
        assert game.clock.deadline - now >= rules.extension(L1, game.state)


def paced(shares: Sequence[float]) -> simulate.Pace:
    """Waits for a share of each turn: 1 is the last second in which a move is legal, above it none comes."""
    rest = list(shares)

    def pace(game: Game) -> int:
        return int((rest.pop(0) if rest else 0.0) * simulate.last_second(game))

    return pace


def bounds(game: Game) -> tuple[int, int]:
    """Rule 42 for a game that is over: whatever both sides do; and if one of them answers at once."""
    pieces = game.form.pieces if game.form else 1
    of = game.terms.profile, game.rounds, partial_levels(pieces, 1)
    return longest(*of), longest_against_prompt(*of)


SHARES = st.lists(st.sampled_from([0.0, 1.0, 1.01]) | st.floats(0, 1.001), max_size=14)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", GAMES)
@settings(max_examples=60, deadline=None)
@given(mine=SHARES, theirs=SHARES, fan_out=st.sampled_from([1, 2, 6]))
def test_property_11_no_sequence_of_moves_lasts_longer_than_rule_42(name, profile, mine, theirs, fan_out):
    honest = honest_of(name)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    played = against(liar, honest, paces=(paced(theirs), paced(mine)), profile=profile, fan_out=fan_out)
    most, most_against_prompt = bounds(played.game)
    assert played.ended - START <= most
    if not any(mine) or not any(theirs):
        assert played.ended - START <= most_against_prompt


@pytest.mark.parametrize("name", GAMES)
def test_property_11_bound_is_nearly_reached_by_two_sides_that_wait_to_the_last(name):
    """All of T goes in the first turn, so that every later one lasts its extension: one extension a side is left."""
    honest = honest_of(name)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    played = against(liar, honest, paces=(simulate.last_second,) * 2, fan_out=1)
    most, _ = bounds(played.game)
    assert most - 2 * L1.step_extension - len(played.moves) <= played.ended - START <= most


def test_property_11_silence_at_once_costs_one_clock():
    honest = honest_of("chain_10")
    game = opened(liars.one_number(honest, 1, 0), honest.root)
    played = simulate.play(game, silent, partial(player.challenger, honest))
    assert played.ended - START == L1.time


def test_property_12_nothing_is_legal_after_the_end():
    game, _, step = positions("chain_10")[-1]
    over = rules.play(game, step, CHALLENGER, game.clock.start)
    again = replace(step, number=over.number, node=over.node)
    assert rules.legal(over, 10**10) is None
    assert (refusal(over, step, game.clock.start), refusal(over, again, game.clock.start)) == (41, 41)
    assert refusal(over, Timeout(step.game, over.number, over.node), 10**10) == 41


def test_rule_44_extensions_are_in_order():
    for profile in PROFILES:
        assert profile.extension <= profile.step_extension <= profile.time // 2
        assert profile.floor <= profile.cap
