# SPDX-License-Identifier: MIT OR Apache-2.0
"""Demands of data: rules 50 to 52."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unit.small_games import honest_of
from unit.small_settlements import (
    ALICE,
    BOB,
    BOND,
    FEE,
    HONEST,
    L1,
    LIAR,
    MALLORY,
    PRICE,
    START,
    World,
    asserted,
    assertion_of,
    liar,
    only,
    refused,
    side,
    world,
)
from verifiable_ml.commitment import encode_tensor
from verifiable_ml.dispute import actions, settlement
from verifiable_ml.dispute.actions import Challenge, Play, Propose, answer
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.game import Reason
from verifiable_ml.dispute.moves import Described
from verifiable_ml.dispute.settlement import AssertionStatus
from verifiable_ml.dispute.settlement.demands import OfConstant, OfInput, OfOutput

# ---- data ------------------------------------------------------------------------------------------------------------


def demanded(w: World, wanted: object, first: int = 0, count: int = 1, nbytes: int = 3) -> bytes:
    key = assertion_of(w, ALICE)
    w.put(settlement.demand(w.state, w.call(BOB, demand_pay(PRICE, nbytes)), key, wanted, first, count))
    return list(w.state.demands)[-1]


def constant(honest, index: int = 1) -> OfConstant:
    """The table of the operator that makes tensor `index`."""
    return OfConstant(index - 1, Described(honest.descriptor(index), honest.descriptor_path(index)), 1)


def test_property_37_demands_of_input_output_and_constant_are_served_and_paid():
    w = asserted((ALICE, HONEST))
    for wanted, nbytes in ((OfInput(0), 3), (OfOutput(0), 3), (constant(HONEST), 256)):
        demanded(w, wanted, nbytes=nbytes)
    w.run({ALICE: side(ALICE, HONEST)})
    assert (w.outcome(), w.state.demands) == (HONEST.root, {})
    assert w.gain(ALICE) == FEE + demand_pay(PRICE, 3 + 3 + 256)


@pytest.mark.parametrize("second", [-1, 0])
def test_property_37_demand_that_is_not_served_in_time_kills_the_assertion(second):
    w = asserted((ALICE, HONEST))
    name = demanded(w, OfOutput(0))
    run = actions.served(HONEST, w.state.demands[name])
    w.now = START + L1.time + second
    if second < 0:
        assert refused(lambda: settlement.close_demand(w.state, w.call(BOB), name)) == 51
        w.put(settlement.serve(w.state, w.call(MALLORY), name, run))
        assert w.gain(ALICE) == demand_pay(PRICE, 3) - BOND
    else:
        assert refused(lambda: settlement.serve(w.state, w.call(ALICE), name, run)) == 51
        w.put(settlement.close_demand(w.state, w.call(MALLORY), name))
        made = w.state.assertions[assertion_of(w, ALICE)]
        assert (made.status, made.reason) == (AssertionStatus.DEAD, Reason.DATA)
        assert (w.gain(BOB), w.gain(ALICE), w.asked.epoch) == (BOND // 2, -BOND, 1)


def test_rule_52_service_leaves_half_a_clock_of_window_and_demands_end_with_the_first_window():
    w = asserted((ALICE, HONEST))
    w.now = START + L1.window - 1
    name = demanded(w, OfOutput(0))
    w.now = START + L1.window
    assert refused(lambda: demanded(w, OfInput(0))) == 52
    w.put(settlement.serve(w.state, w.call(ALICE), name, actions.served(HONEST, w.state.demands[name])))
    assert w.state.assertions[assertion_of(w, ALICE)].end == w.now + L1.time // 2
    w.act(BOB, Challenge(assertion_of(w, ALICE), LIAR.root))
    assert refused(lambda: demanded(w, OfInput(0))) == 52


def test_rule_51_wrong_leaves_counts_pays_and_tensors_are_refused():
    w = asserted((ALICE, HONEST))
    key = assertion_of(w, ALICE)
    for first, count in ((-1, 1), (0, 0), (0, 2), (1, 1), (0, 33)):
        assert refused(lambda: demanded(w, OfOutput(0), first, count)) == 51  # noqa: B023
    assert refused(lambda: demanded(w, OfInput(1))) == 51
    assert refused(lambda: demanded(w, OfOutput(-1))) == 51
    assert refused(lambda: demanded(w, OfOutput(0), nbytes=2)) == 43
    good = constant(HONEST)
    for bad in (replace(good, operator=1), replace(good, operator=2), replace(good, operand=0), replace(good, operand=2)):
        assert refused(lambda: demanded(w, bad, nbytes=256)) == 51  # noqa: B023
    name = demanded(w, OfOutput(0))
    assert refused(lambda: demanded(w, OfOutput(0))) == 51, "the same once more"
    run = actions.served(HONEST, w.state.demands[name])
    for wrong in (replace(run, data=run.data[:-1]), replace(run, data=b"\0\0\0"), replace(run, first=1)):
        assert refused(lambda: settlement.serve(w.state, w.call(ALICE), name, wrong)) == 51  # noqa: B023
    assert w.state.assertions[key].open_demands == 1


def test_rule_51_demand_on_an_assertion_that_died_otherwise_ends_and_its_pay_returns():
    w = asserted((MALLORY, LIAR))
    w.put(settlement.demand(w.state, w.call(BOB, demand_pay(PRICE, 3)), assertion_of(w, MALLORY), OfInput(0), 0, 1))
    w.act(ALICE, Challenge(assertion_of(w, MALLORY), HONEST.root))
    w.run({MALLORY: only(liar(MALLORY, LIAR), Play), ALICE: side(ALICE, HONEST, proposes=False)}, until=START + 1)
    assert w.state.assertions[assertion_of(w, MALLORY)].status is AssertionStatus.DEAD
    w.put(settlement.close_demand(w.state, w.call(MALLORY), *w.state.demands))
    assert w.gain(BOB) == 0


def test_constant_of_many_leaves_is_served_by_runs():
    honest = honest_of("sum_3000")
    w = world(honest)
    w.act(ALICE, Propose(w.request, answer(w.state, w.request, honest)))
    name = demanded(w, constant(honest), 20, 4, 6000 - 20 * 256)
    assert encode_tensor(honest.program.constants[0])[20 * 256 :] == actions.served(honest, w.state.demands[name]).data
    w.run({ALICE: side(ALICE, honest)}, until=START + 1)
    assert w.state.demands == {}
