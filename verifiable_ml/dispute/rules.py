# SPDX-License-Identifier: MIT OR Apache-2.0
"""The rules of a game: rules 20 to 27, 30 and 41 of docs/protocol.md as pure functions from a game and a move to the next game.

A move that a rule forbids raises IllegalMove with the rule's number (on chain: a revert), evidence that cannot be read
MalformedEvidence; the game stays as it was. `now` is unix time and never runs backwards; `sender` is who signed the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from verifiable_ml.commitment import Dtype, keccak
from verifiable_ml.commitment.merkle import TENSOR, TRACE, leaf_hash
from verifiable_ml.commitment.roots import LEAF_BYTES, blob_leaves
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import Clock, Profile, Side
from verifiable_ml.dispute.descriptor import Descriptor, parse
from verifiable_ml.dispute.game import (
    MOVER,
    Form,
    Game,
    Outcome,
    Reason,
    State,
    Terms,
    descriptor_depth,
    descriptor_leaf,
    packed,
)
from verifiable_ml.dispute.moves import Block, Described, Leaf, Move, Name, Partials, Pick, PickInterval, Reveal, Step, Timeout
from verifiable_ml.dispute.opening import MISSING
from verifiable_ml.dispute.step import Statement, advance, finish, neutral
from verifiable_ml.dispute.walk import BLOCK_BYTES, MOST_PARTIALS, are_words, block_bytes, climb, cuts, existing, fold
from verifiable_ml.errors import IllegalMove

# ---- whose turn it is ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """What `legal` answers: at every second exactly one of the due move and `timeout` is legal (rule 41)."""

    side: Side
    state: State
    """Says which move is due."""
    deadline: int
    """The first second in which it no longer is."""
    expired: bool
    """Only `timeout` is legal, by anybody."""


def legal(game: Game, now: int) -> Turn | None:
    """Whose turn it is, which one move is due, and until when. None: the game is over, and nothing is legal."""
    if game.state is State.OVER:
        return None
    return Turn(game.clock.side, game.state, game.clock.deadline, now >= game.clock.deadline)


def extension(profile: Profile, state: State) -> int:
    """X of rule 41. Whether an entering is a reveal or a block only its own descriptor says, so it has the time of a reveal."""
    walking = (State.REVEAL, State.PICK, State.ENTER)
    return profile.extension if state in walking else profile.step_extension


# ---- the game, move by move ------------------------------------------------------------------------------------------


def open_game(terms: Terms, own_root: bytes, now: int) -> Game:
    """Rule 20: a challenger says that its own run has another trace root. The proposer moves first."""
    if own_root == terms.trace_root:
        raise IllegalMove(20, "the challenger's own trace root is the asserted one")
    return Game(terms, Clock.started(terms.profile, now), State.REVEAL)


def reveal(game: Game, move: Reveal, now: int) -> Game:
    """Rule 22: the children of the picked node, which prove themselves by hashing up to what was proved before."""
    _due(game, move, now, State.REVEAL, State.ENTER)
    if game.state is State.ENTER:
        inside = _entered(game, move.descriptor)
        if len(inside.stations) == 1:
            raise IllegalMove(21, "the tensor is one block: its bytes are due")
        node = _hashed(inside, move.children)
        _climbs_as_tensor(game, inside.formed, node, move.siblings)
        return _turn(inside, now, State.PICK, node=node)
    if move.descriptor is not None:
        raise IllegalMove(22, "only the first reveal of walk 2 opens a descriptor")
    node = _hashed(game, move.children)
    if game.round:
        _climbs(game, node, move.siblings)
    elif move.siblings or keccak(TRACE + game.terms.program.count.to_bytes(4, "big") + node) != game.terms.trace_root:
        raise IllegalMove(22, "the children do not hash up to the asserted trace root")
    return _turn(game, now, State.PICK, node=node)


def pick(game: Game, move: Pick, sender: bytes, now: int) -> Game:
    """Rule 23: the challenger names a child of `node`; the next reveal proves it."""
    _due(game, move, now, State.PICK)
    _by(game, Side.CHALLENGER, sender)
    top, bottom = game.stations[game.round : game.round + 2]
    if not 0 <= move.child < existing(game.width, top, game.child, top - bottom):
        raise IllegalMove(23, f"child {move.child} does not exist")
    child, last = game.child << (top - bottom) | move.child, game.round + 2 == len(game.stations)
    if game.walk == 1 and min((child + 1) << bottom, game.terms.program.count) <= game.terms.program.inputs:
        raise IllegalMove(23, f"under child {move.child} lie inputs alone")
    state = State.REVEAL if not last else State.ENTER if game.walk == 1 else State.BLOCK
    tensor = child if state is State.ENTER else game.tensor
    return _turn(game, now, state, child=child, round=game.round + 1, tensor=tensor)


def block(game: Game, move: Block, now: int) -> Game:
    """Rule 24: the bytes of at most four leaves. What comes next follows from K and tau."""
    _due(game, move, now, State.BLOCK, State.ENTER)
    inside = game
    if game.state is State.ENTER:
        inside = _entered(game, move.descriptor)
        if len(inside.stations) > 1:
            raise IllegalMove(21, "the tensor is more than one block: a reveal is due")
    elif move.descriptor is not None:
        raise IllegalMove(24, "the descriptor is open already")
    nbytes = block_bytes(inside.formed.nbytes, inside.child)
    if len(move.data) != nbytes:
        raise IllegalMove(24, f"the block has {nbytes} bytes, and {len(move.data)} were sent")
    node = fold(blob_leaves(move.data), 0, inside.stations[-1])
    if game.state is State.ENTER:
        _climbs_as_tensor(game, inside.formed, node, move.siblings)
    else:
        _climbs(game, node, move.siblings)
    return _turn(inside, now, State.NAME if inside.formed.pieces > 1 else State.STEP, node=node)


def name(game: Game, move: Name, sender: bytes, now: int) -> Game:
    """Rule 26: which element's accumulators the proposer has to post."""
    _due(game, move, now, State.NAME)
    _by(game, Side.CHALLENGER, sender)
    value = _value(game, move.element, move.leaf)
    return _turn(game, now, State.PARTIALS, element=move.element, value=value, first=0, last=game.formed.pieces)


def partials(game: Game, move: Partials, sender: bytes, now: int) -> Game:
    """Rule 26: accumulators after the pieces, or after the pieces at 64 cuts, of the disputed range."""
    _due(game, move, now, State.PARTIALS)
    _by(game, Side.PROPOSER, sender)
    if (move.element, move.first) != (game.element, game.first):
        raise IllegalMove(30, f"element {game.element} from piece {game.first} is disputed")
    descriptor = _described(game, move.descriptor)
    wanted = len(cuts(game.first, game.last))
    if len(move.posted) != wanted:
        raise IllegalMove(26, f"{wanted} accumulators are due, and {len(move.posted)} were posted")
    posted = keccak(packed(descriptor.kind, move.posted))
    _check_end(game, descriptor, move)
    return _turn(game, now, State.STEP if game.last - game.first <= MOST_PARTIALS else State.INTERVAL, posted=posted)


def pick_interval(game: Game, move: PickInterval, sender: bytes, now: int) -> Game:
    """Rule 26: the next list covers one interval alike, from the accumulator before it to the one at its end."""
    _due(game, move, now, State.INTERVAL)
    _by(game, Side.CHALLENGER, sender)
    _check_posted(game, move.posted)
    if not 0 <= move.interval < MOST_PARTIALS:
        raise IllegalMove(26, f"there are {MOST_PARTIALS} intervals")
    first, last = (game.first, *cuts(game.first, game.last))[move.interval :][:2]
    start = move.posted[move.interval - 1] if move.interval else game.start
    return _turn(game, now, State.PARTIALS, first=first, last=last, start=start, end=move.posted[move.interval])


def step(game: Game, move: Step, sender: bytes, now: int) -> Game:
    """Rule 27: one piece recomputed, under the asserted root. It convicts, or it reverts."""
    _due(game, move, now, State.STEP)
    _by(game, Side.CHALLENGER, sender)
    descriptor = _described(game, move.descriptor)
    convicts = _piece_is_wrong if game.formed.pieces > 1 else _element_is_wrong
    if not convicts(game, move, descriptor):
        raise IllegalMove(27, "what was recomputed is what the proposer says")
    return _over(game, Outcome(Side.CHALLENGER, Reason.STEP))


def timeout(game: Game, move: Timeout, now: int) -> Game:
    """Rule 41: from the deadline on the side whose turn it is has lost; anybody may say so."""
    _answers(game, move)
    if now < game.clock.deadline:
        raise IllegalMove(41, f"there is time until {game.clock.deadline}")
    return _over(game, Outcome(game.clock.side.other, Reason.TIMEOUT))


def play(game: Game, move: Move, sender: bytes, now: int) -> Game:
    """Any move."""
    match move:
        case Reveal():
            return reveal(game, move, now)
        case Pick():
            return pick(game, move, sender, now)
        case Block():
            return block(game, move, now)
        case Name():
            return name(game, move, sender, now)
        case Partials():
            return partials(game, move, sender, now)
        case PickInterval():
            return pick_interval(game, move, sender, now)
        case Step():
            return step(game, move, sender, now)
        case Timeout():
            return timeout(game, move, now)
    raise IllegalMove(30, f"{type(move).__name__} is no move")


# ---- what every move is checked for ----------------------------------------------------------------------------------


def _answers(game: Game, move: Move) -> None:
    if game.state is State.OVER:
        raise IllegalMove(41, "the game is over")
    if (move.game, move.number, move.node) != (game.terms.id, game.number, game.node):
        raise IllegalMove(30, f"it answers another game, or another position than move {game.number} of this one")


def _due(game: Game, move: Move, now: int, *states: State) -> None:
    _answers(game, move)
    if game.state not in states:
        raise IllegalMove(22, f"{game.state.value} is due")
    if now >= game.clock.deadline:
        raise IllegalMove(41, f"the clock ran out at {game.clock.deadline}")


def _over(game: Game, outcome: Outcome) -> Game:
    return replace(game, state=State.OVER, number=game.number + 1, outcome=outcome)


def _by(game: Game, side: Side, sender: bytes) -> None:
    if sender != (game.terms.challenger if side is Side.CHALLENGER else game.terms.proposer):
        raise IllegalMove(24 if side is Side.PROPOSER else 27, f"the {side.name.lower()} of this game alone may do that")


def _turn(game: Game, now: int, state: State, **changes: Any) -> Game:
    """The move is made: the clock of the side that made it stops, the other's runs."""
    assert MOVER[state] is game.clock.side.other, "sides alternate"
    clock = game.clock.moved(now, extension(game.terms.profile, state))
    return replace(game, clock=clock, state=state, number=game.number + 1, **changes)


# ---- nodes -----------------------------------------------------------------------------------------------------------


def _levels_to_node(game: Game) -> int:
    """From the picked child, at this round's station, up to `node`, at the one before."""
    above, here = game.stations[game.round - 1 : game.round + 1]
    return above - here


def _hashed(game: Game, children: Sequence[bytes]) -> bytes:
    """The picked node (of a walk's first reveal: the root), from its existing children, which are this round's."""
    top, bottom = game.stations[game.round : game.round + 2]
    wanted = existing(game.width, top, game.child, top - bottom)
    if len(children) != wanted or not are_words(children):
        raise IllegalMove(22, f"{wanted} children of 32 bytes exist there, and {len(children)} were sent")
    return fold(children, bottom, top)


def _climbs(game: Game, node: bytes, siblings: Sequence[bytes]) -> None:
    levels = _levels_to_node(game)
    if len(siblings) != levels or not are_words(siblings) or climb(node, game.child, siblings) != game.node:
        raise IllegalMove(22, f"it does not climb to the game's node over {levels} siblings")


def _climbs_as_tensor(game: Game, form: Form, node: bytes, siblings: Sequence[bytes]) -> None:
    """Rule 2 lies between the root of a tensor's tree and the lowest level of the trace's."""
    root = keccak(TENSOR + bytes([form.dtype]) + form.nbytes.to_bytes(8, "big") + node)
    _climbs(game, root, siblings)


# ---- descriptors, elements, accumulators -----------------------------------------------------------------------------


def _entered(game: Game, opened: Described | None) -> Game:
    """The same game inside of the picked tensor, whose form its descriptor says."""
    program = game.terms.program
    if opened is None or len(opened.siblings) != descriptor_depth(program) or not are_words(opened.siblings):
        raise IllegalMove(22, "the descriptor of the picked operator has to be opened")
    leaf = descriptor_leaf(opened.data)
    if climb(leaf, game.tensor - program.inputs, opened.siblings) != program.descriptors:
        raise IllegalMove(22, "it is not the descriptor of the picked operator")
    read = parse(opened.data)
    form = Form(read.kind, read.dtype, read.nbytes, read.pieces)
    return replace(game, walk=2, round=0, child=0, descriptor=leaf, form=form)


def _described(game: Game, data: bytes) -> Descriptor:
    if descriptor_leaf(data) != game.descriptor:
        raise IllegalMove(22, "it is not the descriptor of the picked operator")
    return parse(data)


def _value(game: Game, element: int, leaf: Leaf) -> int:
    """The element of the block, from its leaf opened under the block's node."""
    form = game.formed
    start = element * form.dtype.width
    if not 0 <= element < form.elements or start // BLOCK_BYTES != game.child:
        raise IllegalMove(25, f"element {element} is not in the block")
    place = start // LEAF_BYTES
    if len(leaf.data) != min(LEAF_BYTES, form.nbytes - place * LEAF_BYTES):
        raise IllegalMove(25, "the leaf has another length")
    fits = len(leaf.siblings) == game.stations[-1] and are_words(leaf.siblings)
    if not fits or climb(leaf_hash(leaf.data), place, leaf.siblings) != game.node:
        raise IllegalMove(25, "the leaf is not in the block")
    here = leaf.data[start % LEAF_BYTES :][: form.dtype.width]
    return int.from_bytes(here, "little", signed=form.dtype is not Dtype.U8)


def _check_end(game: Game, descriptor: Descriptor, move: Partials) -> None:
    last = move.posted[-1]
    if game.end is not None:
        if move.record not in (None, MISSING) or last != game.end:
            raise IllegalMove(26, "the list does not end in the end of its interval")
    elif finish(descriptor, game.element, last, move.record) != game.value:
        raise IllegalMove(26, f"the last accumulator does not finish as {game.value}")


def _check_posted(game: Game, posted: Sequence[Accumulator]) -> None:
    if keccak(packed(game.formed.kind, posted)) != game.posted:
        raise IllegalMove(26, "these are not the accumulators that were posted")


def _statement(game: Game, move: Step, descriptor: Descriptor) -> Statement:
    return Statement(game.terms.trace_root, game.terms.program.count, descriptor, move.element, move.piece)


def _piece_is_wrong(game: Game, move: Step, descriptor: Descriptor) -> bool:
    """K > tau: whether the piece, from the accumulator before it, ends in another than the posted one."""
    if move.leaf is not None or move.element != game.element or not game.first <= move.piece < game.last:
        raise IllegalMove(27, f"pieces {game.first} to {game.last - 1} of element {game.element} are disputed")
    _check_posted(game, move.posted)
    place = move.piece - game.first
    start = move.posted[place - 1] if place else game.start or neutral(descriptor)
    end = advance(_statement(game, move, descriptor), move.openings, move.record, start)
    return end != move.posted[place]


def _element_is_wrong(game: Game, move: Step, descriptor: Descriptor) -> bool:
    """K <= tau: whether the one piece finishes as another value than the block has."""
    if move.leaf is None or move.posted or move.piece:
        raise IllegalMove(27, "the element has one piece, piece 0, and its leaf has to be opened")
    value = _value(game, move.element, move.leaf)
    end = advance(_statement(game, move, descriptor), move.openings, move.record, neutral(descriptor))
    return finish(descriptor, move.element, end, move.record) != value
