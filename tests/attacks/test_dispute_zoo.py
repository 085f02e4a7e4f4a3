# SPDX-License-Identifier: MIT OR Apache-2.0
"""The zoo's models, a lie in the first, a middle and the last operator of each: real programs from challenge to verdict."""

from __future__ import annotations

from functools import cache

import pytest

from unit.small_games import against, honest_forest, kinds
from verifiable_ml import api
from verifiable_ml.dispute import liars
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.execute import encode_inputs
from verifiable_ml.frontend import zoo


@cache
def honest_of(name: str) -> Forest:
    model = zoo.model(name)
    program = api.compile(model.path, model.calibration(), threshold=-1.0)
    return honest_forest(program, encode_inputs(program, model.test(1)[0][0], saturate=True))


@pytest.mark.parametrize("lie", liars.LIES)
@pytest.mark.parametrize("name", zoo.names())
def test_property_05_every_lie_of_the_demonstration_is_convicted_in_every_model(name, lie):
    honest = honest_of(name)
    liar = liars.LIES[lie](honest)
    assert liar.root != honest.root
    assert against(liar, honest).outcome == Outcome(Side.CHALLENGER, Reason.TIMEOUT if lie == "root" else Reason.STEP)


@pytest.mark.parametrize("name", zoo.names())
def test_property_05_lie_in_the_first_a_middle_or_the_last_operator_of_a_model_is_convicted(name):
    honest = honest_of(name)
    first, count = len(honest.program.inputs), len(honest.tensors)
    for index in (first, (first + count) // 2, count - 1):
        for element in (0, honest.tensors[index].size - 1):
            played = against(liars.one_number(honest, index, element), honest)
            assert played.outcome == Outcome(Side.CHALLENGER, Reason.STEP), played.refused
            assert (played.game.tensor, kinds(played)[-1]) == (index, "Step")
            assert len(played.moves) <= 14


@pytest.mark.parametrize("name", zoo.names())
def test_property_35_model_with_another_weight_is_convicted(name):
    honest = honest_of(name)
    met = 0
    for constant, values in enumerate(honest.program.constants[:20]):
        for element in range(0, values.size, max(values.size // 5, 1)):
            liar = liars.other_weight(honest, constant, element, by=7)
            if liar.root != honest.root:  # else the input does not meet that weight
                assert against(liar, honest).outcome == Outcome(Side.CHALLENGER, Reason.STEP)
                met += 1
    assert met > 0
