# SPDX-License-Identifier: MIT OR Apache-2.0
"""Proposers that lie, a row each, against the honest challenger: which move ends the game, and why (property 1)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pytest

from unit.small_games import PROGRAMS, against, honest_of, kinds
from unit.small_settlements import MALLORY, world
from verifiable_ml.commitment import Dtype, keccak, tensor_root
from verifiable_ml.commitment.merkle import TENSOR, TRACE, leaf_hash
from verifiable_ml.dispute import actions, liars
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.errors import IllegalMove

STEP, TIMEOUT = (Outcome(Side.CHALLENGER, reason) for reason in (Reason.STEP, Reason.TIMEOUT))
Lie = Callable[[Forest], Forest]


def operators(honest: Forest) -> range:
    return range(len(honest.program.inputs), len(honest.tensors))


@pytest.mark.parametrize("name", PROGRAMS)
def test_property_05_one_wrong_number_in_any_operator_is_convicted_there(name):
    honest = honest_of(name)
    for index in operators(honest):
        liar = liars.one_number(honest, index, element=honest.tensors[index].size - 1)
        played = against(liar, honest)
        assert played.outcome == STEP, played.refused
        assert played.game.tensor == index


def test_property_05_several_wrong_operators_are_found_at_the_first():
    honest = honest_of("example")
    liar = liars.numbers(honest, {(5, 0): 3, (9, 1): 1, (12, 0): 1})
    assert (played := against(liar, honest)).outcome == STEP
    assert played.game.tensor == 5


def test_property_06_wrong_number_inside_with_a_right_output_is_convicted():
    honest = honest_of("chain_10")
    liar = liars.hidden_number(honest, 4, 0)
    assert (liar.data(10), liar.root == honest.root) == (honest.data(10), False)
    assert (played := against(liar, honest)).outcome == STEP
    assert played.game.tensor == 4


def test_property_07_right_operators_on_a_wrong_number_are_convicted_at_the_wrong_one():
    """All after the third run on what it has made, as they should: the third is convicted, not they."""
    honest = honest_of("chain_10")
    assert against(liars.one_number(honest, 3, 0), honest).game.tensor == 3


def test_property_35_another_weight_is_another_program_and_its_trace_is_convicted():
    honest = honest_of("example")
    used = 0
    for constant, values in enumerate(honest.program.constants):
        for element in range(min(values.size, 30)):
            liar = liars.other_weight(honest, constant, element)
            if liar.root != honest.root:  # else the input does not meet that weight: the trace is right
                assert against(liar, honest).outcome == STEP
                used += 1
    assert used > 20


@pytest.mark.parametrize("late", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", ["sum_3000", "raw_sum_3000", "max_9", "max_64", "argmax_5000"])
def test_property_01_forged_accumulators_are_convicted_at_the_first_wrong_piece(name, late):
    honest = honest_of(name)
    played = against(liars.one_number(honest, 1, 0, late=late), honest)
    assert (played.outcome, "Partials" in kinds(played)) == (STEP, True)
    right, forged = (side.partials(1, 0) for side in (honest, liars.one_number(honest, 1, 0, late=late)))
    _, step = played.moves[-1]
    assert step.piece == next(piece for piece, pair in enumerate(zip(right, forged, strict=True)) if pair[0] != pair[1])


def test_property_01_partials_in_two_levels_are_named_once_and_narrowed_once():
    played = against(liars.one_number(honest_of("max_64"), 1, 0, late=0.3), honest_of("max_64"))
    assert kinds(played) == ["Reveal", "Pick", "Block", "Name", "Partials", "PickInterval", "Partials", "Step"]


def short_last_leaf_padded(honest: Forest) -> Forest:
    """The last leaf as it would be if leaves were padded (rule 1 says that they are not)."""
    last = honest.data(1)[-(len(honest.data(1)) % 256) :]
    return liars.WrongNode(honest, 1, 0, len(honest.tensor(1)[0]) - 1, leaf_hash(last.ljust(256, b"\0")))


def length_of(by: int) -> Lie:
    def lie(honest: Forest) -> Forest:
        length = (len(honest.data(1)) + by).to_bytes(8, "big")
        return liars.WrongTensorRoot(honest, 1, keccak(TENSOR + b"\0" + length + honest.tensor(1)[-1][0]))

    return lie


class AnotherCount(liars.Liar):
    """A trace of one tensor more, all of which are right (property 28)."""

    @cached_property
    def root(self) -> bytes:
        return keccak(TRACE + (len(self.tensors) + 1).to_bytes(4, "big") + self.trace[-1][0])


UNFOUNDED: dict[str, Lie] = {
    "root": liars.WrongRoot,
    "root_of_the_trace_tree": lambda h: liars.WrongNode(h, None, len(h.trace) - 1, 0),
    "tensor_root": lambda h: liars.WrongNode(h, None, 0, 2),
    "node_of_the_trace": lambda h: liars.WrongNode(h, None, 1, 1),
    "padding_of_the_trace": lambda h: liars.WrongNode(h, None, 0, 3),
    "leaf": lambda h: liars.WrongNode(h, 2, 0, 7),
    "first_leaf": lambda h: liars.WrongNode(h, 1, 0, 0),
    "node_of_a_tensor": lambda h: liars.WrongNode(h, 2, 3, 1),
    "root_of_a_tensor": lambda h: liars.WrongNode(h, 2, 5, 0),
    "padding_of_a_tensor": lambda h: liars.WrongNode(h, 1, 0, 20),
    "high_padding_of_a_tensor": lambda h: liars.WrongNode(h, 1, 3, 3),
    "leaf_that_is_a_node": lambda h: liars.WrongNode(h, 1, 0, 4, h.tensor(1)[1][2]),
    "node_that_is_a_leaf": lambda h: liars.WrongNode(h, 1, 1, 2, h.tensor(1)[0][4]),
    "padded_last_leaf": short_last_leaf_padded,
    "longer": length_of(1),
    "shorter": length_of(-1),
    "of_a_leaf_more": length_of(256),
    "another_dtype": lambda h: liars.WrongTensorRoot(h, 1, tensor_root(Dtype.I16, h.data(1))),
    "length_zero": lambda h: liars.WrongTensorRoot(h, 1, keccak(TENSOR + bytes(9) + h.tensor(1)[-1][0])),
    "another_count": AnotherCount,
    "one_element_more": lambda h: liars.WrongTensorRoot(h, 1, tensor_root(Dtype.U8, h.data(1) + b"\0")),
}
"""Trees that have no preimage somewhere, of which some other numbers would be right (properties 27, 30, 31)."""


@pytest.mark.parametrize("fan_out", [1, 2, 3, 6])
@pytest.mark.parametrize("lie", UNFOUNDED)
def test_property_30_tree_without_preimage_loses_by_time(lie, fan_out):
    honest = honest_of("wide_5000")
    played = against(UNFOUNDED[lie](honest), honest, fan_out=fan_out)
    assert played.outcome == TIMEOUT
    assert isinstance(played.refused, IllegalMove), "it sent what it has, and that was no move"
    assert played.refused.rule in (22, 24)


def test_property_28_trace_of_another_number_of_tensors_can_neither_be_posted_nor_revealed():
    honest = honest_of("chain_2")
    liar, w = AnotherCount(honest), world(honest)
    with pytest.raises(IllegalMove) as caught:
        w.act(MALLORY, actions.Propose(w.request, actions.answer(w.state, w.request, liar)))
    assert caught.value.rule == 12
    assert against(liar, honest).refused.rule == 22


@pytest.mark.parametrize("fan_out", [1, 2, 3, 6])
@pytest.mark.parametrize("name", ["chain_10", "wide_5000"])
def test_property_27_padding_alone_differs_and_its_proposer_loses(name, fan_out):
    """Every number is right; an absent leaf of some tree holds something."""
    honest = honest_of(name)
    trees = [(None, honest.trace), *((index, honest.tensor(index)) for index in operators(honest))]
    tried = 0
    for tree, levels in trees:
        for height, level in enumerate(levels[:-1]):
            for absent in range(len(level), 1 << (len(levels) - 1 - height)):
                played = against(liars.WrongNode(honest, tree, height, absent), honest, fan_out=fan_out)
                assert played.outcome == TIMEOUT
                tried += 1
    assert tried > 5


def test_property_01_value_beyond_the_clip_has_no_accumulator_and_loses_by_time():
    honest = honest_of("sum_3000")
    assert honest.parsed(1).high == 200
    played = against(liars.Liar(honest, {1: np.array([[201, 1]], np.uint8)}), honest)
    assert (played.outcome, played.refused.rule) == (TIMEOUT, 26)
