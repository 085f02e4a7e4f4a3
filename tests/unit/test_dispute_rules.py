# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every move of four games, with one thing changed: it is refused, and the game stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from unit.small_games import CHALLENGER, GAMES, PROPOSER, STRANGER, honest_of, opened, positions, sender
from verifiable_ml.dispute import rules
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.forest import children
from verifiable_ml.dispute.game import Game, State, game_id
from verifiable_ml.dispute.moves import Block, Described, Leaf, Move, Name, Partials, Pick, PickInterval, Reveal, Step
from verifiable_ml.dispute.walk import BLOCK_BYTES, stations
from verifiable_ml.errors import IllegalMove, MalformedEvidence

POSITIONS = [(name, place) for name in GAMES for place in range(len(positions(name)))]


def at(position: tuple[str, int]) -> tuple[Game, list[Move], Move]:
    name, place = position
    return positions(name)[place]


def every_position(*types: type[Move]) -> pytest.MarkDecorator:
    rows = [position for position in POSITIONS if isinstance(at(position)[2], types or Move)]
    return pytest.mark.parametrize("position", rows, ids=lambda p: f"{p[0]}-{p[1]}-{type(at(p)[2]).__name__}")


def refused(game: Game, move: Move, by: bytes | None = None) -> int | None:
    """The rule that forbids it; None if it is malformed evidence. Fails if it is a move."""
    with pytest.raises((IllegalMove, MalformedEvidence)) as caught:
        rules.play(game, move, by or sender(game), game.clock.start)
    return getattr(caught.value, "rule", None)


def flipped(data: bytes, place: int = 0) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def words(given: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
    """Other lists of nodes: one more, another one, one of another length, in another order, one less."""
    yield (*given, bytes(32))
    if given:
        yield (flipped(given[0]), *given[1:])
        yield (*given[:-1], given[-1][:31])
        yield (*given[:-1], given[-1] + b"\0")
        yield given[:-1]
    if len(set(given)) > 1:
        yield given[::-1]
        yield (given[0] + given[1][:1], given[1][1:], *given[2:])  # hashes up alike, if lengths are not looked at


def described(game: Game, name: str, given: Described | None) -> Iterator[Described | None]:
    if given is None:
        yield Described(honest_of(name).descriptor(1), ())
        return
    yield None
    yield replace(given, data=flipped(given.data, len(given.data) - 1))
    yield from (replace(given, siblings=siblings) for siblings in words(given.siblings))
    if name == "chain_10":
        yield Described(honest_of(name).descriptor(2), honest_of(name).descriptor_path(2))


@every_position()
def test_property_24_move_that_names_another_game_number_or_node_is_refused(position):
    game, _, move = at(position)
    assert refused(game, replace(move, game=bytes(32))) == 30
    assert refused(game, replace(move, number=move.number + 1)) == 30
    assert refused(game, replace(move, number=move.number - 1)) == 30
    assert refused(game, replace(move, node=flipped(move.node))) == 30


@every_position()
def test_property_29_move_sent_twice_is_refused(position):
    game, _, move = at(position)
    after = rules.play(game, move, sender(game), game.clock.start)
    assert refused(after, move, sender(game)) in (30, 41)


@every_position()
def test_move_of_another_state_is_refused(position):
    """All other kinds of moves, renumbered for this position."""
    game, _, due = at(position)
    for other in POSITIONS:
        other_game, _, move = at(other)
        entering = State.ENTER in (game.state, other_game.state)
        if type(move) is not type(due) and not (entering and isinstance(move, Reveal | Block)):
            assert refused(game, replace(move, game=due.game, number=due.number, node=due.node)) == 22


@every_position(Pick, Name, PickInterval, Step, Partials)
def test_property_23_choices_and_steps_of_another_sender_are_refused(position):
    game, _, move = at(position)
    for by in {PROPOSER, CHALLENGER, STRANGER} - {sender(game)}:
        assert refused(game, move, by) in (24, 27)


@every_position(Reveal, Block)
def test_reveals_and_blocks_of_anybody_are_the_proposers(position):
    game, _, move = at(position)
    assert rules.play(game, move, STRANGER, game.clock.start) == rules.play(game, move, PROPOSER, game.clock.start)


@every_position(Reveal)
def test_property_30_reveal_of_other_nodes_is_refused(position):
    game, _, move = at(position)
    for others in words(move.children):
        assert refused(game, replace(move, children=others)) == 22
    for siblings in words(move.siblings):
        assert refused(game, replace(move, siblings=siblings)) == 22
    for descriptor in described(game, position[0], move.descriptor):
        assert refused(game, replace(move, descriptor=descriptor)) == 22


@every_position(Block)
def test_property_30_block_of_other_bytes_is_refused(position):
    game, _, move = at(position)
    for data in (flipped(move.data), move.data + b"\0", move.data[:-1], b"\0" + move.data, b""):
        assert refused(game, replace(move, data=data)) in (22, 24)
    for siblings in words(move.siblings):
        assert refused(game, replace(move, siblings=siblings)) == 22
    for descriptor in described(game, position[0], move.descriptor):
        assert refused(game, replace(move, descriptor=descriptor)) in (22, 24)


def test_tensor_of_one_block_is_entered_by_its_block_and_a_larger_one_by_a_reveal():
    small = next(move for _, _, move in positions("chain_10") if isinstance(move, Block))
    large = next(move for _, _, move in positions("wide_5000") if isinstance(move, Reveal) and move.descriptor)
    for name, head, body in (("chain_10", small, large), ("wide_5000", large, small)):
        game = next(game for game, _, _ in positions(name) if game.state is State.ENTER)
        names = {"game": head.game, "number": head.number, "node": head.node, "descriptor": head.descriptor}
        assert refused(game, replace(body, **names)) == 21


def test_property_32_inner_walk_begins_at_the_tensor_that_the_outer_one_picked():
    """Another tensor's children, its descriptor, or both, do not climb to the node that was picked from."""
    honest = honest_of("wide_5000")
    game, _, move = next(at for at in positions("wide_5000") if isinstance(at[2], Reveal) and at[2].descriptor)
    assert game.tensor == 2
    top, bottom = stations(20, 2, 2)[:2]
    other = children(honest.tensor(1), top, 0, top - bottom)
    described = Described(honest.descriptor(1), honest.descriptor_path(1))
    assert refused(game, replace(move, children=other)) == 22
    assert refused(game, replace(move, descriptor=described)) == 22
    assert refused(game, replace(move, children=other, descriptor=described)) == 22


@every_position(Pick)
def test_property_26_pick_beyond_what_exists_or_of_inputs_alone_is_refused(position):
    game, moves, move = at(position)
    for child in (-1, len(moves[-1].children), len(moves[-1].children) + 1, 1 << 40):
        assert refused(game, replace(move, child=child)) == 23
    if game.walk == 1 and game.stations[game.round + 1] == 0 and game.child == 0:
        assert refused(game, replace(move, child=0)) == 23, "the input"


@every_position(Name)
def test_property_26_naming_outside_of_the_block_is_refused(position):
    game, _, move = at(position)
    for element in (-1, game.form.elements, 1 << 40):
        assert refused(game, replace(move, element=element)) == 25
    for leaf in leaves(move.leaf):
        assert refused(game, replace(move, leaf=leaf)) == 25


def leaves(given: Leaf) -> Iterator[Leaf]:
    yield from (replace(given, data=data) for data in (flipped(given.data), given.data + b"\0", given.data[:-1]))
    yield from (replace(given, siblings=siblings) for siblings in words(given.siblings))


@every_position(Partials)
def test_partials_of_another_number_end_element_or_piece_are_refused(position):
    """Those with another middle are a move, and a false one: the step convicts them."""
    game, _, move = at(position)
    last = move.posted[-1]
    for posted in ((), move.posted[:-1], (*move.posted, last), (*move.posted[:-1], replace(last, value=last.value + 1 << 20))):
        assert refused(game, replace(move, posted=posted)) == 26
    assert refused(game, replace(move, element=move.element + 1)) == 30
    assert refused(game, replace(move, first=move.first + 1)) == 30
    assert refused(game, replace(move, descriptor=flipped(move.descriptor))) == 22


@every_position(Partials)
@pytest.mark.parametrize(
    "wide", [Accumulator(1 << 63), Accumulator(-(1 << 63) - 1), Accumulator(1 << 255), Accumulator(0, 1)], ids=str
)
def test_property_34_accumulator_wider_than_its_field_is_refused(position, wide):
    game, _, move = at(position)
    assert refused(game, replace(move, posted=(wide, *move.posted[1:]))) == 31


@every_position(PickInterval)
def test_interval_that_is_none_or_of_another_list_is_refused(position):
    game, _, move = at(position)
    assert [refused(game, replace(move, interval=interval)) for interval in (-1, 64, 1 << 40)] == [26, 26, 26]
    first = replace(move.posted[0], value=move.posted[0].value - 1)
    for posted in (move.posted[:-1], (first, *move.posted[1:]), ()):
        assert refused(game, replace(move, posted=posted)) == 26


@every_position(Step)
def test_property_26_step_elsewhere_or_with_other_evidence_is_refused(position):
    game, _, move = at(position)
    assert refused(game, replace(move, piece=game.form.pieces)) == 27
    assert refused(game, replace(move, piece=-1)) == 27
    assert refused(game, replace(move, element=game.form.elements)) in (25, 27)
    assert refused(game, replace(move, descriptor=flipped(move.descriptor))) == 22
    for openings in (move.openings[:-1], (), (*move.openings, move.openings[0])):
        assert refused(game, replace(move, openings=openings)) is None
    for opening in range(len(move.openings)):
        changed = replace(move.openings[opening], path=(*move.openings[opening].path, bytes(32)))
        openings = (*move.openings[:opening], changed, *move.openings[opening + 1 :])
        assert refused(game, replace(move, openings=openings)) is None


def test_element_of_another_block_is_refused_though_its_leaf_would_stand_at_the_same_place():
    """The leaf of this block, for an element 1,024 bytes further: its siblings lead to this block's node all the same."""
    game, _, move = positions("wide_5000")[-1]
    assert (game.child, move.leaf is not None) == (0, True)
    for blocks in (1, 2, 4):
        assert refused(game, replace(move, element=move.element + blocks * BLOCK_BYTES)) == 25


@every_position(Step)
def test_step_with_a_leaf_where_it_was_named_or_partials_where_there_are_none_is_refused(position):
    game, _, move = at(position)
    if move.leaf is None:
        assert refused(game, replace(move, leaf=Leaf(b"", ()))) == 27
        assert refused(game, replace(move, posted=move.posted[:-1])) == 26
    else:
        assert refused(game, replace(move, posted=(Accumulator(0),))) == 27
        assert refused(game, replace(move, leaf=None)) == 27
        for leaf in leaves(move.leaf):
            assert refused(game, replace(move, leaf=leaf)) == 25


def test_property_02_challenge_with_the_asserted_root_is_refused():
    honest = honest_of("chain_2")
    with pytest.raises(IllegalMove) as caught:
        opened(honest, honest.root)
    assert caught.value.rule == 20


def test_property_33_game_id_holds_assertion_challenger_and_counter():
    ids = {
        game_id(assertion, by, counter)
        for assertion in (b"a" * 32, b"b" * 32)
        for by in (PROPOSER, STRANGER)
        for counter in (0, 1)
    }
    assert len(ids) == 8


def test_every_move_is_tried():
    assert {type(at(position)[2]) for position in POSITIONS} == {Reveal, Pick, Block, Name, Partials, PickInterval, Step}
