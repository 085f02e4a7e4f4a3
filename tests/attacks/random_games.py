# SPDX-License-Identifier: MIT OR Apache-2.0
"""Games drawn at random: over programs of every kind of operator, any liar, any pace, any fan-out, against an honest side."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from attacks.every_move import every_move
from differential.random_programs import KINDS, image_program, random_inputs, random_program
from unit.small_games import PROGRAMS, honest_forest, honest_of, opened
from verifiable_ml.commitment import keccak
from verifiable_ml.dispute import liars, player, rules, simulate
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Game
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.simulate import Pace, Played, Player
from verifiable_ml.errors import IllegalMove, MalformedEvidence
from verifiable_ml.program import Program

Rng = np.random.Generator


@cache
def forests() -> tuple[Forest, ...]:
    """Honest sides: the programs of small_games, one of each kind of operator, and some chains as image models have them."""
    rng = np.random.default_rng(47)
    drawn = [*(legal_program(kind, rng) for kind in KINDS), *(image_program(rng) for _ in range(20))]
    return (*map(honest_of, PROGRAMS), *(honest_forest(program, random_inputs(program, rng)) for program in drawn))


def legal_program(kind: str, rng: Rng) -> Program:
    while (program := random_program(kind, rng)) is None:
        pass
    return program


# ---- proposers that lie ----------------------------------------------------------------------------------------------


def place(rng: Rng, honest: Forest) -> tuple[int, int]:
    """An operator's tensor and an element of it."""
    index = int(rng.integers(len(honest.program.inputs), len(honest.tensors)))
    return index, int(rng.integers(honest.tensors[index].size))


def one_number(rng: Rng, honest: Forest) -> Forest:
    return liars.one_number(honest, *place(rng, honest), by=1 << int(rng.integers(7)), late=float(rng.random()))


def several_numbers(rng: Rng, honest: Forest) -> Forest:
    flipped = {place(rng, honest): 1 << int(rng.integers(7)) for _ in range(rng.integers(2, 5))}
    return liars.numbers(honest, flipped, late=float(rng.random()))


def hidden_number(rng: Rng, honest: Forest) -> Forest:
    return liars.hidden_number(honest, *place(rng, honest))


def other_weight(rng: Rng, honest: Forest) -> Forest:
    if not honest.program.constants:
        return one_number(rng, honest)
    constant = int(rng.integers(len(honest.program.constants)))
    return liars.other_weight(honest, constant, int(rng.integers(honest.program.constants[constant].size)))


def wrong_root(rng: Rng, honest: Forest) -> Forest:
    return liars.WrongRoot(honest)


def wrong_node(rng: Rng, honest: Forest) -> Forest:
    """Of the trace's tree or of a tensor's; often in the padding. Not of an input alone: its path is shown with the assertion."""
    index, _ = place(rng, honest)
    tree = None if rng.random() < 0.4 else index
    levels = honest.trace if tree is None else honest.tensor(index)
    height = int(rng.integers(len(levels)))
    node = int(rng.integers(1 << (len(levels) - 1 - height)))
    if tree is None and (node + 1) << height <= len(honest.program.inputs):
        return wrong_root(rng, honest)
    return liars.WrongNode(honest, tree, height, node, rng.bytes(32))


def wrong_tensor_root(rng: Rng, honest: Forest) -> Forest:
    index, _ = place(rng, honest)
    return liars.WrongTensorRoot(honest, index, keccak(honest.tensor_root(index)))


class NoisyPartials(liars.Liar):
    """A wrong number whose accumulators are noise here and there, and finish as it at the end."""

    def __init__(self, honest: Forest, index: int, element: int, seed: int) -> None:
        super().__init__(honest, dict(enumerate(liars.one_number(honest, index, element).tensors)))
        self.seed = seed

    def _accumulate(self, index: int, element: int) -> list[Accumulator]:
        rng, well = np.random.default_rng(self.seed), list(super()._accumulate(index, element))
        noise = [Accumulator(int(rng.integers(-(1 << 62), 1 << 62))) if rng.random() < 0.3 else at for at in well[:-1]]
        return [*noise, well[-1]]


def noisy_partials(rng: Rng, honest: Forest) -> Forest:
    return NoisyPartials(honest, *place(rng, honest), seed=int(rng.integers(1 << 30)))


LIARS: tuple[Callable[[Rng, Forest], Forest], ...] = (
    one_number, noisy_partials, several_numbers, hidden_number, other_weight, wrong_root, wrong_node, wrong_tensor_root,
)  # fmt: skip


def lying_proposer(rng: Rng, liar: Forest) -> Player:
    """As well as it can, but for some that stop."""
    stop = int(rng.integers(1, 8)) if rng.random() < 0.1 else 100
    return lambda game, moves, now: player.proposer(liar, game, moves, now) if len(moves) < stop else None


# ---- challengers without a cause ---------------------------------------------------------------------------------------


def aimless_challenger(rng: Rng, honest: Forest) -> Player:
    """Any legal move, seldom none. It knows the right openings, since others are refused for being wrong."""

    def move(game: Game, moves: list[Move], now: int) -> Move | None:
        every = list(every_move(game, moves, honest)) if rng.random() > 0.02 else []
        for place in rng.permutation(len(every))[:8]:
            try:
                rules.play(game, every[place], game.terms.challenger, now)
            except (IllegalMove, MalformedEvidence):
                continue
            return every[place]
        return None

    return move


# ---- games -----------------------------------------------------------------------------------------------------------


def pace(rng: Rng) -> Pace:
    share = float(rng.choice([0.0, 0.0, 0.3, 1.0]))
    return lambda game: int(share * simulate.last_second(game) * rng.random()) if share < 1 else simulate.last_second(game)


def terms(rng: Rng) -> dict[str, object]:
    return {"profile": PROFILES[rng.integers(3)], "fan_out": int(rng.choice([1, 2, 3, 6]))}


def against_a_liar(rng: Rng) -> tuple[str, Played]:
    """The honest challenger's game; and what was lied."""
    honest = forests()[rng.integers(len(forests()))]
    while True:
        kind = LIARS[rng.integers(len(LIARS))]
        liar = kind(rng, honest)
        if liar.root != honest.root:  # a flipped bit can vanish in what an operator makes of it: then it is no lie
            break
    game = opened(liar, honest.root, **terms(rng))
    sides = lying_proposer(rng, liar), partial(player.challenger, honest)
    return kind.__name__, simulate.play(game, *sides, paces=(pace(rng), simulate.at_once if rng.random() < 0.5 else pace(rng)))


def against_the_aimless(rng: Rng) -> Played:
    """The honest proposer's game."""
    honest = forests()[rng.integers(len(forests()))]
    game = opened(honest, bytes(32), **terms(rng))
    return simulate.play(game, partial(player.proposer, honest), aimless_challenger(rng, honest), paces=(pace(rng), pace(rng)))
