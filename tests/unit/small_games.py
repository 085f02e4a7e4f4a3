# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whole games over small programs, in a line: who plays, with which forest, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from verifiable_ml.dispute import player, rules, simulate
from verifiable_ml.dispute.clock import PROFILES, Profile
from verifiable_ml.dispute.forest import Forest, registration
from verifiable_ml.dispute.game import Game, Terms
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.simulate import Played
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace, run_reference
from verifiable_ml.program import Program

PROPOSER, CHALLENGER, STRANGER = (bytes([letter]) * 20 for letter in b"pcs")
GAME, START = b"g" * 32, 1_000_000
Inputs = dict[str, np.ndarray]


def honest_forest(program: Program, inputs: Inputs) -> Forest:
    return Forest(Witness(run_reference(program, inputs)))


def changed(trace: Trace, index: int, element: int, by: int = 1) -> Trace:
    """One number of one tensor is another one; what follows from it is left as it was."""
    tensors = [tensor.copy() for tensor in trace.tensors]
    tensors[index].reshape(-1)[element] ^= by
    return Trace(trace.program, tuple(tensors))


def opened(asserted: Forest, own: Forest, *, profile: Profile = PROFILES[0], fan_out: int = 6) -> Game:
    program = registration(asserted.witness.program)
    terms = Terms(GAME, PROPOSER, CHALLENGER, asserted.root, program, profile, fan_out)
    return rules.open_game(terms, own.root, START)


def against(liar: Forest, honest: Forest, **terms: object) -> Played:
    """The honest challenger against a proposer that plays a lying forest as well as it can be played."""
    return simulate.play(opened(liar, honest, **terms), partial(player.proposer, liar), partial(player.challenger, honest))


def silent(game: Game, moves: Sequence[Move], now: int) -> None:
    """Sends nothing."""


def kinds(played: Played) -> list[str]:
    return [type(move).__name__ for _, move in played.moves]


Made = Callable[[], Forest]
