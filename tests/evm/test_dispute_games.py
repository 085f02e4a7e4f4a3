# SPDX-License-Identifier: MIT OR Apache-2.0
"""Whole games on an EVM: every lie is convicted where it was told first, by a watcher that was given chain and program alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evm.dispute_scenes import digits, long_rows
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.docket import account_bytes
from verifiable_ml.dispute.duty import CloseGame, Finalise, Play, ReturnBond, Role, Withdraw
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.dispute.liars import LIES, one_number
from verifiable_ml.dispute.moves import Name, Partials, Timeout
from verifiable_ml.dispute.onchain import NEVER, Asked
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.dispute.runs import Runs, input_bytes
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus

CONVICTED = Outcome(Side.CHALLENGER, Reason.STEP)


def first_difference(scene, trace):
    """Tensor and element at which the liar's run leaves the honest one."""
    request = next(iter(scene.proposer.docket.requests.values()))
    lied = scene.proposer.runs(request)
    index = next(i for i, (a, b) in enumerate(zip(lied.tensors, trace.tensors, strict=True)) if not np.array_equal(a, b))
    element = int(np.flatnonzero(lied.tensors[index].reshape(-1) != trace.tensors[index].reshape(-1))[0])
    return index, element, int(lied.tensors[index].reshape(-1)[element]), int(trace.tensors[index].reshape(-1)[element])


@pytest.mark.parametrize("lie", [name for name in LIES if name != "root"])
def test_property_05_lie_is_convicted_where_it_was_told_first(lie):
    """Properties 5 to 7, 35: first, middle, last operator; an element that nothing follows from; a weight."""
    program, trace = digits()
    scene = rehearse(program, trace, LIES[lie])
    scene.watcher.runs = Runs([program])  # chain and program alone
    scene.watcher.reader.runner = scene.watcher.runs
    list(scene.play())
    match = scene.match
    index, element, claimed, computed = first_difference(scene, trace)
    assert match.game.outcome == CONVICTED
    assert (match.game.tensor, match.conviction.element) == (index, element)
    if match.game.form.pieces == 1:
        assert (match.conviction.claimed, match.conviction.computed) == (claimed, computed)
    (assertion,) = scene.watcher.docket.assertions.values()
    assert (assertion.status, assertion.reason) == (AssertionStatus.DEAD, Reason.STEP)


def test_root_of_nothing_loses_by_time():
    program, trace = digits()
    scene = rehearse(program, trace, LIES["root"])
    list(scene.play())
    assert scene.proposer.count.refused  # what it sends climbs nowhere
    assert scene.match.game.outcome is None
    scene.wait()
    (late,) = [done.duty.move for done in scene.watcher.once() if isinstance(done.duty, Play)]
    assert isinstance(late, Timeout)
    assert scene.watcher.once() != []  # what it is owed
    assert scene.match.game.outcome == Outcome(Side.CHALLENGER, Reason.TIMEOUT)


def test_element_of_many_pieces_is_named_summed_up_and_convicted():
    program, trace = long_rows()
    scene = rehearse(program, trace, lambda mine: one_number(mine, 1, 2, by=5, late=0.5))
    sent = [type(done.duty.move) for _, done in scene.play() if isinstance(done.duty, Play)]
    assert {Name, Partials} <= set(sent)
    assert scene.match.game.outcome == CONVICTED
    assert scene.match.conviction.element == 2
    assert scene.match.conviction.piece >= scene.match.game.form.pieces // 2


def test_property_02_honest_answer_becomes_final_and_everybody_is_paid():
    """A griefer challenges the right answer and lets its time pass: it loses its bond, and nothing else happens (property 2)."""
    program, trace = digits()
    scene = rehearse(program, trace)
    griefer, price = scene.chain.accounts[5], 10**9
    scene.proposer.once()
    (assertion,) = scene.proposer.reader.read(scene.proposer.account).assertions
    scene.contracts.by(griefer).claims.send("challenge", assertion, bytes(32), value=2_400_000 * price)
    before = scene.chain.balance(scene.proposer.account)
    assert [type(done.duty) for done in scene.proposer.once()] == [Play]
    assert scene.watcher.once() == []
    scene.wait()
    kinds = [type(done.duty) for _ in range(3) for done in scene.proposer.once()]
    assert kinds == [Play, Finalise, Withdraw]
    won, bond, fee = 1_200_000 * price, 9_600_000 * price, 10**15
    assert won + bond + fee - 10**15 < scene.chain.balance(scene.proposer.account) - before <= won + bond + fee
    assert scene.contracts.claims.call("isFinal", scene.request_id, [each.tobytes() for each in trace.outputs])[0]


def test_second_right_assertion_has_its_bond_back_and_a_moot_game_is_closed():
    program, trace = digits()
    scene = rehearse(program, trace, LIES["middle"])
    others = [scene.chain.accounts[place] for place in (4, 5, 6)]
    first, second, other_watcher = (
        Daemon(scene.contracts.by(account), Role(account_bytes(account), proposes=place < 2, watches=place == 2), Runs([program]))
        for place, account in enumerate(others)
    )
    scene.proposer.once()
    scene.watcher.once()
    for each in (first, second, other_watcher):
        each.once()
    list(scene.play())
    assert scene.match is not None
    assert [type(done.duty) for done in other_watcher.once()] == [CloseGame]  # beaten to it, and its bond returns
    scene.wait()
    assert Finalise in [type(done.duty) for done in first.once()]
    assert [type(done.duty) for done in second.once()] == [ReturnBond]
    assert [type(done.duty) for each in (first, second, other_watcher) for done in each.once()] == [Withdraw] * 3
    (request,) = first.reader.read(first.account).requests.values()
    assert request.status is RequestStatus.FINAL


def test_proposer_that_was_convicted_does_not_answer_again():
    program, trace = digits()
    scene = rehearse(program, trace, LIES["last"])
    list(scene.play())
    (request,) = scene.proposer.reader.read(scene.proposer.account).requests.values()
    assert (request.status, request.epoch) == (RequestStatus.OPEN, 1)
    assert scene.proposer.once() == []


def test_rule_17_proposer_reads_from_which_second_on_a_fee_can_be_taken_back():
    """Of two requests with the same fee it answers the one that keeps it."""
    program, trace = digits()
    scene = rehearse(program, trace)
    data, roots = input_bytes(trace)
    soon = scene.proposer.reader.read(scene.proposer.account).now + 200
    onchain.request(scene.contracts.by(scene.chain.accounts[3]), program, data, roots, Asked(fee=10**15, deadline=soon))
    scene.proposer.role = replace(scene.proposer.role, least_fee=10**15)
    assert [done.duty.request for done in scene.proposer.once()] == [scene.request_id]
    assert [each.deadline for each in scene.proposer.docket.requests.values()] == [NEVER, soon]


def test_property_37_demanded_leaves_are_served_and_those_of_an_absent_proposer_kill_its_assertion():
    """Property 37: input, output and constant."""
    program, trace = digits()
    scene = rehearse(program, trace)
    scene.proposer.once()
    (assertion,) = scene.proposer.reader.read(scene.proposer.account).assertions.values()
    payer = scene.contracts.by(scene.chain.accounts[6]).claims
    mine = scene.proposer.runs(next(iter(scene.proposer.docket.requests.values())))
    output = program.outputs[0].index
    pay = lambda data: 80 * 10**9 * min(len(data), 256)  # noqa: E731
    payer.send("demandInput", assertion.id, [mine.tensor_root(0)], 0, 0, 1, value=pay(mine.data(0)))
    payer.send("demandOutput", assertion.id, [mine.tensor_root(output)], 0, 0, 1, value=pay(mine.data(output)))
    assert len(scene.proposer.once()) == 2
    place, operator = next((i, each) for i, each in enumerate(program.operators) if each.kind in ("conv", "matmul"))
    operand = next(i for i, each in enumerate(operator.operands) if type(each).__name__ == "ConstantRef")
    index = len(program.inputs) + place
    described = (mine.descriptor(index), list(mine.descriptor_path(index)))
    constant = program.constants[operator.operands[operand].index].tobytes()
    payer.send("demandConstant", assertion.id, place, described, operand, 0, 1, value=pay(constant))
    scene.watcher.once()
    scene.chain.node.advance(61)
    scene.watcher.once()
    (assertion,) = scene.watcher.reader.read(scene.watcher.account).assertions.values()
    assert (assertion.status, assertion.reason) == (AssertionStatus.DEAD, Reason.DATA)
