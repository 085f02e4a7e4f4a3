# SPDX-License-Identifier: MIT OR Apache-2.0
"""The honest players: pure functions from a game, the moves so far and one's own forest to the next move, or None.

All that they know is on chain or follows from the program and its input, so a player that restarts, or joins late, plays on
(property 3). None: it is not this side's turn, or nothing that it could send is legal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from verifiable_ml.commitment.roots import LEAF_BYTES, blob_leaves
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest, children, siblings
from verifiable_ml.dispute.game import Game, State
from verifiable_ml.dispute.moves import (
    Block,
    Described,
    Leaf,
    Move,
    Name,
    Partials,
    Pick,
    PickInterval,
    Reveal,
    Step,
    Timeout,
)
from verifiable_ml.dispute.opening import Opening
from verifiable_ml.dispute.rules import legal
from verifiable_ml.dispute.walk import BLOCK_BYTES, BLOCK_HEIGHT, cuts, grown, leaves_of, stations

Moves = Sequence[Move]
NOT_ITS_MOVES = "these moves did not lead to this game"


def _named(game: Game) -> tuple[bytes, int, bytes]:
    return game.terms.id, game.number, game.node


# ---- the proposer ----------------------------------------------------------------------------------------------------


def proposer(mine: Forest, game: Game, moves: Moves, now: int) -> Move | None:
    """Reveals its own trees and accumulators; needs none of the moves, since the game has the pick."""
    turn = legal(game, now)
    if turn is None or (turn.side is Side.PROPOSER) == turn.expired:
        return None
    if turn.expired:
        return Timeout(*_named(game))
    match turn.state:
        case State.REVEAL:
            return _reveal(game, mine)
        case State.ENTER:
            return _enter(game, mine)
        case State.BLOCK:
            return _block(game, mine)
    return _partials(game, mine)


def _reveal(game: Game, mine: Forest) -> Reveal:
    levels = mine.trace if game.walk == 1 else mine.tensor(game.tensor)
    top, bottom = game.stations[game.round : game.round + 2]
    up = game.stations[game.round - 1] - top if game.round else 0
    return Reveal(*_named(game), children(levels, top, game.child, top - bottom), siblings(levels, top, game.child, up))


def _enter(game: Game, mine: Forest) -> Move:
    """The first reveal of walk 2, or the block that is the whole tensor."""
    data, levels = mine.data(game.tensor), mine.tensor(game.tensor)
    up = siblings(mine.trace, 0, game.tensor, game.stations[-2])
    described = Described(mine.descriptor(game.tensor), mine.descriptor_path(game.tensor))
    inside = stations(leaves_of(len(data)), BLOCK_HEIGHT, game.terms.fan_out)
    if len(inside) == 1:
        return Block(*_named(game), data, up, described)
    return Reveal(*_named(game), children(levels, inside[0], 0, inside[0] - inside[1]), up, described)


def _block(game: Game, mine: Forest) -> Block:
    up = siblings(mine.tensor(game.tensor), BLOCK_HEIGHT, game.child, game.stations[-2] - BLOCK_HEIGHT)
    return Block(*_named(game), mine.data(game.tensor)[game.child * BLOCK_BYTES :][:BLOCK_BYTES], up)


def _partials(game: Game, mine: Forest) -> Partials:
    every = mine.partials(game.tensor, game.element)
    posted = tuple(every[cut - 1] for cut in cuts(game.first, game.last))
    record = mine.record(game.tensor, game.element) if game.end is None else None
    descriptor = mine.descriptor(game.tensor)
    return Partials(*_named(game), game.element, game.first, posted, descriptor, record)


# ---- the challenger --------------------------------------------------------------------------------------------------


def challenger(mine: Forest, game: Game, moves: Moves, now: int) -> Move | None:
    """Picks the first that differs (rule 28), so that all to the left, hence all that the operator reads, equals its own."""
    turn = legal(game, now)
    if turn is None or (turn.side is Side.CHALLENGER) == turn.expired:
        return None
    if turn.expired:
        return Timeout(*_named(game))
    try:
        return _difference(game, moves, mine)
    except _NothingDiffers:
        return None


def _difference(game: Game, moves: Moves, mine: Forest) -> Move:
    match game.state, moves[-1]:
        case State.PICK, Reveal() as shown:
            return _pick(game, shown, mine)
        case State.NAME, Block() as shown:
            element = _differing_element(game, shown, mine)
            return Name(*_named(game), element, leaf_of(game, shown, element))
        case State.INTERVAL, Partials() as shown:
            return PickInterval(*_named(game), _differing_cut(game, shown, mine), shown.posted)
        case State.STEP, Partials() | Block() as shown:
            return _step(game, moves, shown, mine)
    raise ValueError(NOT_ITS_MOVES)


def _pick(game: Game, shown: Reveal, mine: Forest) -> Pick:
    levels = mine.trace if game.walk == 1 else mine.tensor(game.tensor)
    top, bottom = game.stations[game.round : game.round + 2]
    own = children(levels, top, game.child, top - bottom)
    return Pick(*_named(game), _first_difference(shown.children, own))


class _NothingDiffers(LookupError):
    """What is shown is what one's own run gave: this game should not have come here."""


def _first_difference(theirs: Sequence[object], own: Sequence[object]) -> int:
    for place, pair in enumerate(zip(theirs, own, strict=True)):
        if pair[0] != pair[1]:
            return place
    raise _NothingDiffers


def _differing_element(game: Game, shown: Block, mine: Forest) -> int:
    start = game.child * BLOCK_BYTES
    own = mine.data(game.tensor)[start : start + BLOCK_BYTES]
    return (start + _first_difference(shown.data, own)) // game.formed.dtype.width


def leaf_of(game: Game, shown: Block, element: int) -> Leaf:
    """From the block that was sent, whose leaves hash up to `node`."""
    place = element * game.formed.dtype.width % BLOCK_BYTES // LEAF_BYTES
    levels = grown(blob_leaves(shown.data), 0, game.stations[-1])
    return Leaf(shown.data[place * LEAF_BYTES : (place + 1) * LEAF_BYTES], siblings(levels, 0, place, game.stations[-1]))


def _differing_cut(game: Game, shown: Partials, mine: Forest) -> int:
    every = mine.partials(game.tensor, game.element)
    return _first_difference(shown.posted, [every[cut - 1] for cut in cuts(game.first, game.last)])


def _step(game: Game, moves: Moves, shown: Partials | Block, mine: Forest) -> Step:
    leaf, posted = None, tuple[Accumulator, ...]()
    if isinstance(shown, Block):
        element, piece = _differing_element(game, shown, mine), 0
        leaf = leaf_of(game, shown, element)
    else:
        element, piece, posted = game.element, game.first + _differing_cut(game, shown, mine), shown.posted
    descriptor = mine.descriptor(game.tensor)
    openings = _openings(game, moves, mine, element, piece)
    record = mine.record(game.tensor, element)
    return Step(*_named(game), element, piece, descriptor, openings, record, leaf, posted)


# ---- openings under the asserted root --------------------------------------------------------------------------------


def _openings(game: Game, moves: Moves, mine: Forest, element: int, piece: int) -> tuple[Opening, ...]:
    """Leaves from one's own trace, paths from the asserted one: the operands are equal, what lies to the right is not."""
    operands = mine.parsed(game.tensor).operands
    nodes = _revealed(game, moves)
    return tuple(
        replace(opening, path=_path(operand.source, nodes, mine)) if opening.path and isinstance(operand.source, int) else opening
        for operand, opening in zip(operands, mine.openings(game.tensor, element, piece), strict=True)
    )


def _revealed(game: Game, moves: Moves) -> dict[tuple[int, int], bytes]:
    """All nodes of the asserted trace's tree, by height and index, that walk 1 revealed or that follow from what it did."""
    heights = stations(game.terms.program.count, 0, game.terms.fan_out)
    nodes, index = dict[tuple[int, int], bytes](), 0
    for place, (top, bottom) in enumerate(pairwise(heights)):
        shown, picked = moves[2 * place : 2 * place + 2]
        if not isinstance(shown, Reveal) or not isinstance(picked, Pick):
            raise ValueError(NOT_ITS_MOVES)
        for height, level in enumerate(grown(shown.children, bottom, top), bottom):
            nodes |= {(height, at): node for at, node in enumerate(level, index << (top - height))}
        index = index << (top - bottom) | picked.child
    return nodes


def _path(index: int, nodes: dict[tuple[int, int], bytes], mine: Forest) -> tuple[bytes, ...]:
    """The siblings of an operand: revealed where they lie above or to the right of the picked tensor, else one's own."""
    own = siblings(mine.trace, 0, index, len(mine.trace) - 1)
    return tuple(nodes.get((height, index >> height ^ 1), sibling) for height, sibling in enumerate(own))
