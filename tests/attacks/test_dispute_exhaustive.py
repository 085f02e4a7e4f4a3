# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every game there is over small trees: the honest side wins whatever its opponent does (property 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from itertools import combinations, product

import numpy as np
import pytest

from attacks.every_move import every_move
from unit.small_games import CHALLENGER, PROPOSER, against, chain, honest_forest, honest_of, opened, window_max
from verifiable_ml.dispute import liars, player, rules, simulate
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Game, Outcome, Reason, State
from verifiable_ml.dispute.moves import Block, Move, Partials, Reveal
from verifiable_ml.errors import IllegalMove

STEP, TIMEOUT = (Outcome(Side.CHALLENGER, reason) for reason in (Reason.STEP, Reason.TIMEOUT))


# ---- every proposer against the honest challenger ----------------------------------------------------------------------


@cache
def small_chain(operators: int, elements: int = 3) -> Forest:
    return honest_forest(*chain(operators, elements))


def subsets(of: range) -> Iterator[tuple[int, ...]]:
    for size in range(1, len(of) + 1):
        yield from combinations(of, size)


def wrong_tensors(honest: Forest, indices: tuple[int, ...]) -> Forest:
    changed = {index: honest.tensors[index] ^ np.array([0, 1, 0], np.uint8) for index in indices}
    return liars.Liar(honest, changed)


@pytest.mark.parametrize("fan_out", [1, 2, 3, 4])
@pytest.mark.parametrize("operators", [1, 2, 3, 4, 7, 8])
def test_property_01_every_set_of_wrong_operators_is_convicted_at_its_first(operators, fan_out):
    honest = small_chain(operators)
    for wrong in subsets(range(1, operators + 1)):
        played = against(wrong_tensors(honest, wrong), honest, fan_out=fan_out)
        assert (played.outcome, played.game.tensor) == (STEP, wrong[0])


@pytest.mark.slow
@pytest.mark.parametrize("fan_out", [1, 2, 3, 4])
def test_property_01_every_set_of_wrong_operators_of_a_whole_tree_of_depth_4_is_convicted_at_its_first(fan_out):
    honest = small_chain(15)
    for wrong in subsets(range(1, 16)):
        played = against(wrong_tensors(honest, wrong), honest, fan_out=fan_out)
        assert (played.outcome, played.game.tensor) == (STEP, wrong[0])


@pytest.mark.parametrize("fan_out", [1, 2, 3, 4])
@pytest.mark.parametrize("operators", [1, 2, 4, 8, 15])
def test_property_01_every_node_without_preimage_and_every_padding_loses_by_time(operators, fan_out):
    honest = small_chain(operators)
    depth = len(honest.trace) - 1
    for height in range(depth + 1):
        for index in range(1 << (depth - height)):
            if (index + 1) << height > 1:  # not the input alone: its path was shown when the assertion was posted
                played = against(liars.WrongNode(honest, None, height, index), honest, fan_out=fan_out)
                assert played.outcome == TIMEOUT
                assert played.refused.rule == 22


@pytest.mark.parametrize("fan_out", [1, 2])
def test_property_01_every_set_of_wrong_leaves_is_convicted_in_its_first(fan_out):
    """A tensor of nine leaves: depth 4, blocks of 4, 4 and 1."""
    honest = small_chain(2, 2200)
    for wrong in subsets(range(9)):
        tensor = honest.tensors[1].copy()
        tensor[[256 * leaf + leaf for leaf in wrong]] ^= 1
        played = against(liars.Liar(honest, {1: tensor}), honest, fan_out=fan_out)
        assert (played.outcome, played.moves[-1][1].element) == (STEP, 257 * wrong[0])


PIECES = (0, 1, -1, -(1 << 62))


@pytest.mark.parametrize("value_wrong", [True, False])
def test_property_01_every_list_of_false_partials_is_convicted_at_its_first(value_wrong):
    """Six pieces; each accumulator right, a little or far off. A right end with a false middle: only self-conviction plays it."""
    honest = honest_forest(*window_max(9))
    right = honest.partials(1, 0)
    liar = liars.one_number(honest, 1, 0)
    end = Accumulator(int(liar.tensors[1].item(0))) if value_wrong else right[-1]
    tried = 0
    for shifts in product(PIECES, repeat=5):
        posted = [*(Accumulator(at.value + by) for at, by in zip(right[:-1], shifts, strict=True)), end]
        if posted == list(right):
            continue
        liar.partials = lambda index, element: posted  # noqa: B023
        assert convicted_piece(liar, honest, value_wrong) == first_difference(posted, right)
        tried += 1
    assert tried >= 4**5 - 1


def convicted_piece(liar: Forest, honest: Forest, value_wrong: bool) -> int:
    if value_wrong:
        played = against(liar, honest)
        assert played.outcome == STEP
        return played.moves[-1][1].piece
    game, moves = named(honest, element=0)
    game = rules.play(game, move := player._partials(game, liar), PROPOSER, game.clock.start)
    step = player.challenger(honest, game, [*moves, move], game.clock.start)
    assert rules.play(game, step, CHALLENGER, game.clock.start).outcome == STEP
    return step.piece


def first_difference(theirs, own) -> int:
    return next(place for place, pair in enumerate(zip(theirs, own, strict=True)) if pair[0] != pair[1])


def named(honest: Forest, element: int) -> tuple[Game, list[Move]]:
    """A game against a right assertion, as far as the naming of a right element: only who convicts itself comes here."""
    game, moves = opened(honest, bytes(32)), []
    while game.state is not State.PARTIALS:
        if game.clock.side is Side.PROPOSER:
            move, sender = player.proposer(honest, game, moves, game.clock.start), PROPOSER
        else:
            move, sender = next(m for m in every_move(game, moves, honest) if legal_move(game, m)), CHALLENGER
        game = rules.play(game, move, sender, game.clock.start)
        moves.append(move)
    return game, moves


def legal_move(game: Game, move: Move) -> bool:
    try:
        rules.play(game, move, CHALLENGER, game.clock.start)
    except IllegalMove:
        return False
    return True


@pytest.mark.parametrize("name", ["chain_10", "wide_5000", "max_64"])
def test_property_01_liar_that_stops_at_any_move_loses_by_time(name):
    honest = honest_of(name)
    liar = liars.one_number(honest, 1, 0)
    whole = sum(isinstance(move, Reveal | Block | Partials) for _, move in against(liar, honest, fan_out=2).moves)
    for count in range(whole):
        played = simulate.play(
            opened(liar, honest.root, fan_out=2),
            stopping(partial(player.proposer, liar), count),
            partial(player.challenger, honest),
        )
        assert (played.outcome, played.refused) == (TIMEOUT, None)
        assert len(played.moves) == 2 * count + 1


def stopping(side: simulate.Player, count: int) -> simulate.Player:
    """Plays so many moves, then no more."""
    return lambda game, moves, now: side(game, moves, now) if len(moves) < 2 * count else None


# ---- every challenger against the honest proposer ----------------------------------------------------------------------


def defend(game: Game, moves: list[Move], honest: Forest, seen: Counter[str]) -> None:
    """Plays every challenger's move. The proposer always has an answer, no step convicts, and who stops has lost."""
    assert game.outcome is None, "no step convicts the honest proposer"
    if game.clock.side is Side.PROPOSER:
        move = player.proposer(honest, game, moves, game.clock.start)
        return defend(rules.play(game, move, PROPOSER, game.clock.start), [*moves, move], honest, seen)
    for move in every_move(game, moves, honest):
        try:
            after = rules.play(game, move, CHALLENGER, game.clock.start)
        except IllegalMove as refused:
            seen[f"{type(move).__name__} refused by rule {refused.rule}"] += 1
            continue
        seen[type(move).__name__] += 1
        defend(after, [*moves, move], honest, seen)
    stalled = player.proposer(honest, game, moves, game.clock.deadline)
    assert rules.play(game, stalled, PROPOSER, game.clock.deadline).outcome == Outcome(Side.PROPOSER, Reason.TIMEOUT)
    return None


@pytest.mark.parametrize("fan_out", [1, 2, 3, 4])
@pytest.mark.parametrize("operators", [1, 2, 7, 10])
def test_property_01_no_walk_over_the_operators_harms_an_honest_proposer(operators, fan_out):
    """Which child is picked does not matter, first to differ or not: all that is shown is right."""
    seen: Counter[str] = Counter()
    defend(opened(small_chain(operators), bytes(32), fan_out=fan_out), [], small_chain(operators), seen)
    assert seen["Step refused by rule 27"] == 3 * operators, "every element of every operator"
    assert seen["Pick refused by rule 23"] > 0
    assert seen["Step"] == 0


@pytest.mark.parametrize("fan_out", [1, 2])
def test_property_01_no_walk_inside_a_tensor_harms_an_honest_proposer(fan_out):
    seen: Counter[str] = Counter()
    defend(opened(small_chain(1, 2200), bytes(32), fan_out=fan_out), [], small_chain(1, 2200), seen)
    assert seen["Step refused by rule 27"] == 2200


@pytest.mark.parametrize(("name", "pieces"), [("sum_3000", 2 * 3), ("max_9", 6), ("argmax_5000", 2 * 5), ("max_64", 256)])
def test_property_01_no_naming_and_no_interval_harms_an_honest_proposer(name, pieces):
    seen: Counter[str] = Counter()
    defend(opened(honest_of(name), bytes(32)), [], honest_of(name), seen)
    refused = seen["Step refused by rule 27"]
    assert refused >= pieces, "every piece of every element, and those beyond the disputed ones"
    assert seen["Step"] == 0


def test_property_01_example_with_ten_kinds_of_operators_is_defended_at_every_element():
    honest, seen = honest_of("example"), Counter[str]()
    defend(opened(honest, bytes(32)), [], honest, seen)
    assert seen["Step refused by rule 27"] == sum(tensor.size for tensor in honest.tensors[2:])
