# SPDX-License-Identifier: MIT OR Apache-2.0
"""All moves of a challenger in a position, for games that are played out in every way or at random."""

from __future__ import annotations

from collections.abc import Iterator

from verifiable_ml.dispute import player
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Game, State
from verifiable_ml.dispute.moves import Block, Leaf, Move, Name, Pick, PickInterval, Step
from verifiable_ml.dispute.walk import BLOCK_BYTES


def every_move(game: Game, moves: list[Move], honest: Forest) -> Iterator[Move]:
    """All that a challenger can send, and some that it cannot: right openings, since others are refused as such."""
    head = game.terms.id, game.number, game.node
    match game.state:
        case State.PICK:
            yield from (Pick(*head, child) for child in range(-1, (1 << game.terms.fan_out) + 1))
        case State.NAME:
            yield from (Name(*head, element, leaf) for element, leaf in block_elements(game, moves[-1]))
        case State.INTERVAL:
            yield from (PickInterval(*head, interval, moves[-1].posted) for interval in range(-1, 65))
        case State.STEP if game.formed.pieces > 1:
            for piece in range(game.first - 1, game.last + 1):
                yield step(game, honest, game.element, piece, posted=moves[-1].posted)
        case State.STEP:
            yield from (step(game, honest, element, 0, leaf=leaf) for element, leaf in block_elements(game, moves[-1]))


def block_elements(game: Game, shown: Block) -> Iterator[tuple[int, Leaf]]:
    width = game.formed.dtype.width
    for place in range(0, len(shown.data), width):
        element = (game.child * BLOCK_BYTES + place) // width
        yield element, player.leaf_of(game, shown, element)


def step(game: Game, honest: Forest, element: int, piece: int, **more: object) -> Step:
    inside = min(max(piece, 0), game.formed.pieces - 1)
    openings, record = honest.openings(game.tensor, element, inside), honest.record(game.tensor, element)
    return Step(
        *(game.terms.id, game.number, game.node), element, piece, honest.descriptor(game.tensor), openings, record, **more
    )
