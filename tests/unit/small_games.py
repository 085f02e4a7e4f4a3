# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whole games over small programs, in a line: who plays, with which forest, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from vectors.programs import example_inputs, example_program
from verifiable_ml.dispute import liars, player, rules, simulate
from verifiable_ml.dispute.clock import PROFILES, Profile, Side
from verifiable_ml.dispute.forest import Forest, registration
from verifiable_ml.dispute.game import Game, State, Terms
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.simulate import Pace, Played, Player, at_once
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens

PROPOSER, CHALLENGER, STRANGER = (bytes([letter]) * 20 for letter in b"pcs")
GAME, ASSERTION, START = b"g" * 32, b"a" * 32, 1_000_000
U8 = Interval(0, 255)
Inputs = dict[str, np.ndarray]


# ---- programs --------------------------------------------------------------------------------------------------------


def chain(operators: int, elements: int = 3) -> tuple[Program, Inputs]:
    """As many lookups in a row, each of a byte permuted: a wrong number anywhere stays one to the end."""
    b = Builder()
    x = b.input("x", (elements,), U8, Tokens())
    for number in range(operators):
        table = np.random.default_rng(number).permutation(256)
        x = b.apply("lookup", x, b.constant(table), base=0)
    b.output("y", x, Tokens())
    return b.build(), {"x": np.arange(elements) * 37 % 256}


def long_sum(terms: int, elements: int = 2, *, requantised: bool = True) -> tuple[Program, Inputs]:
    """A matmul of so many terms an element, in pieces of 1,024, whose output has one block."""
    rng, b = np.random.default_rng(5), Builder()
    x = b.input("x", (1, terms), U8, Tokens())
    form = Requantise(np.array([5]), np.array([1 << 15]), 16, 0, 200) if requantised else None
    y = b.apply("matmul", x, b.constant(rng.integers(0, 256, (elements, terms))), w_zero=128, requantise=form)
    b.output("y", y, Tokens())
    return b.build(), {"x": rng.integers(0, 256, (1, terms))}


def window_max(side: int) -> tuple[Program, Inputs]:
    """The greatest of side * side bytes, 16 terms a piece: 64 by 64 are 256 pieces, so two levels of partials."""
    b = Builder()
    x = b.input("x", (1, side, side, 1), U8, Tokens())
    b.output("y", b.apply("max", x, kernel=(side, side), strides=(1, 1), pads=(0,) * 4, dilations=(1, 1)), Tokens())
    return b.build(), {"x": np.random.default_rng(2).integers(0, 200, (1, side, side, 1))}


def long_argmax(terms: int) -> tuple[Program, Inputs]:
    """The first of the greatest: accumulators with an index."""
    b = Builder()
    x = b.input("x", (2, terms), Interval(-(1 << 20), 1 << 20), Tokens())
    b.output("y", b.apply("argmax", x), Tokens())
    return b.build(), {"x": np.random.default_rng(3).integers(-9, 10, (2, terms))}


def wide(elements: int) -> tuple[Program, Inputs]:
    """Two elementwise operators over so many bytes: walk 2 is as deep as they are."""
    return chain(2, elements)


EXAMPLE = example_program(), example_inputs()


@cache
def honest_of(name: str) -> Forest:
    """One forest a program, since growing it is most of a game's time."""
    return honest_forest(*PROGRAMS[name])


def honest_forest(program: Program, inputs: Inputs) -> Forest:
    return Forest(Witness(run_reference(program, inputs)))


PROGRAMS: dict[str, tuple[Program, Inputs]] = {
    "example": EXAMPLE,
    "chain_1": chain(1),
    "chain_2": chain(2),
    "chain_10": chain(10),
    "wide_5000": wide(5000),
    "sum_3000": long_sum(3000),
    "raw_sum_3000": long_sum(3000, requantised=False),
    "max_9": window_max(9),
    "max_64": window_max(64),
    "argmax_5000": long_argmax(5000),
}


# ---- games -----------------------------------------------------------------------------------------------------------


def opened(asserted: Forest, own: bytes, *, profile: Profile = PROFILES[0], fan_out: int = 6) -> Game:
    program = registration(asserted.program)
    return rules.open_game(Terms(GAME, ASSERTION, PROPOSER, CHALLENGER, asserted.root, program, profile, fan_out), own, START)


def against(liar: Forest, honest: Forest, *, paces: tuple[Pace, Pace] = (at_once, at_once), **terms: object) -> Played:
    """The honest challenger against a proposer that plays a lying forest as well as it can be played."""
    game = opened(liar, honest.root, **terms)
    return simulate.play(game, partial(player.proposer, liar), partial(player.challenger, honest), paces=paces)


def defended(honest: Forest, challenger: Player, **terms: object) -> Played:
    """The honest proposer against any challenger."""
    return simulate.play(opened(honest, bytes(32), **terms), partial(player.proposer, honest), challenger)


def silent(game: Game, moves: Sequence[Move], now: int) -> None:
    """Sends nothing."""


def kinds(played: Played) -> list[str]:
    return [type(move).__name__ for _, move in played.moves]


GAMES = {"chain_10": 1, "wide_5000": 2, "sum_3000": 1, "max_64": 1}
"""Programs by the index of the tensor that is wrong: games with one walk, with two, with one list of partials, with two."""


@cache
def positions(name: str) -> list[tuple[Game, list[Move], Move]]:
    """Each turn of a game that has every kind of move, with the move that is due."""
    honest = honest_of(name)
    liar = liars.one_number(honest, GAMES[name], 0, late=0.3)
    game, moves, found = opened(liar, honest.root, fan_out=2), list[Move](), []
    while game.state is not State.OVER:
        side, forest = (player.proposer, liar) if game.clock.side is Side.PROPOSER else (player.challenger, honest)
        move = side(forest, game, moves, game.clock.start)
        found.append((game, list(moves), move))
        game = rules.play(game, move, sender(game), game.clock.start)
        moves.append(move)
    return found


def sender(game: Game) -> bytes:
    return PROPOSER if game.clock.side is Side.PROPOSER else CHALLENGER
