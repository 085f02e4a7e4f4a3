# SPDX-License-Identifier: MIT OR Apache-2.0
"""Demands of data: rules 50 to 52. Who asserts has run the program on the input, so it shows what is asked for, or is dead."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from verifiable_ml.commitment import Dtype, keccak
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.descriptor import parse
from verifiable_ml.dispute.game import Reason, descriptor_depth, descriptor_leaf
from verifiable_ml.dispute.moves import Described
from verifiable_ml.dispute.opening import Run, leaf_count, tensor_root_of
from verifiable_ml.dispute.settlement.assertions import is_moot, living, reject
from verifiable_ml.dispute.settlement.ledger import (
    Assertion,
    Call,
    Demand,
    Request,
    Settlement,
    credit,
    found,
    pay,
    put,
    without,
)
from verifiable_ml.dispute.walk import are_words, climb
from verifiable_ml.errors import IllegalMove

MAX_LEAVES = 32


@dataclass(frozen=True, slots=True)
class OfInput:
    """An input of the request."""

    place: int


@dataclass(frozen=True, slots=True)
class OfOutput:
    """An output of the assertion."""

    place: int


@dataclass(frozen=True, slots=True)
class OfConstant:
    """A constant of the program: an operand of an operator, whose descriptor shows it."""

    operator: int
    descriptor: Described
    operand: int


Wanted = OfInput | OfOutput | OfConstant


def demand(state: Settlement, call: Call, key: bytes, wanted: Wanted, first: int, count: int) -> Settlement:
    """Rule 51: up to 32 neighbouring leaves of a tensor, in the assertion's first window, at twice what serving costs."""
    made, asked = living(state, key)
    # INVARIANT: demands end with the first window, so nobody delays an answer by one after the other.
    if call.now >= made.posted + asked.times.window:
        raise IllegalMove(52, "its first window has ended")
    dtype, nbytes, root = _tensor(state, made, asked, wanted)
    if not 1 <= count <= MAX_LEAVES or first < 0 or first + count > leaf_count(nbytes):
        raise IllegalMove(51, f"the tensor has {leaf_count(nbytes)} leaves, and a demand at most {MAX_LEAVES}")
    asks = Demand(key, call.sender, call.now + asked.times.time, dtype, nbytes, root, first, count)
    name = demand_id(asks)
    if name in state.demands:
        raise IllegalMove(51, "the same is demanded already")
    state = pay(state, call, demand_pay(asked.price, asks.length))
    made = replace(made, open_demands=made.open_demands + 1)
    return replace(state, demands=put(state.demands, name, asks), assertions=put(state.assertions, key, made))


def demand_id(asks: Demand) -> bytes:
    """What tells demands apart: all that is in them, as words of the ABI."""
    words = (asks.deadline, asks.dtype, asks.nbytes, int.from_bytes(asks.root, "big"), asks.first, asks.count)
    return keccak(asks.assertion + asks.payer.rjust(32, b"\0") + b"".join(word.to_bytes(32, "big") for word in words))


def _tensor(state: Settlement, made: Assertion, asked: Request, wanted: Wanted) -> tuple[Dtype, int, bytes]:
    """(dtype, bytes, root) of a tensor that the proposer has."""
    program = state.programs[asked.program]
    match wanted:
        case OfInput(place) if 0 <= place < len(program.inputs):
            given = program.inputs[place]
            return given.dtype, given.nbytes, asked.input_roots[place]
        case OfOutput(place) if 0 <= place < len(program.outputs):
            form = program.outputs[place]
            return form.dtype, form.nbytes, made.output_roots[place]
        case OfConstant():
            return _constant(state, asked, wanted)
    raise IllegalMove(51, "there is no such input or output")


def _constant(state: Settlement, asked: Request, wanted: OfConstant) -> tuple[Dtype, int, bytes]:
    program, opened = state.programs[asked.program].game, wanted.descriptor
    fits = 0 <= wanted.operator < program.operators and len(opened.siblings) == descriptor_depth(program)
    fits = fits and are_words(opened.siblings)
    top = climb(descriptor_leaf(opened.data), wanted.operator, opened.siblings) if fits else b""
    if top != program.descriptors:
        raise IllegalMove(51, "it is not the descriptor of that operator")
    operands = parse(opened.data).operands
    if not 0 <= wanted.operand < len(operands):
        raise IllegalMove(51, f"the operator has {len(operands)} operands")
    operand = operands[wanted.operand]
    if not isinstance(operand.source, bytes):
        raise IllegalMove(51, "the operand is no constant")
    return operand.dtype, prod(operand.shape) * operand.dtype.width, operand.source


def serve(state: Settlement, call: Call, name: bytes, run: Run) -> Settlement:
    """Rules 51 and 52: by anybody, before the deadline; the proposer is paid, and T / 2 of the window are left from now."""
    asks = found(pay(state, call, 0).demands, name, 51, "demand")
    made, asked = living(state, asks.assertion)
    if call.now >= asks.deadline:
        raise IllegalMove(51, f"it could be served until {asks.deadline}")
    if run.first != asks.first or len(run.data) != asks.length or tensor_root_of(asks.dtype, asks.nbytes, [run]) != asks.root:
        raise IllegalMove(51, "these are not the leaves that are demanded")
    made = replace(made, open_demands=made.open_demands - 1, end=max(made.end, call.now + asked.times.time // 2))
    state = replace(state, demands=without(state.demands, name), assertions=put(state.assertions, asks.assertion, made))
    return credit(state, made.proposer, demand_pay(asked.price, asks.length))


def close_demand(state: Settlement, call: Call, name: bytes) -> Settlement:
    """Rule 51: not served in time, the assertion is dead. A demand that is moot just ends. The pay returns. By anybody."""
    asks = found(pay(state, call, 0).demands, name, 51, "demand")
    moot = is_moot(state, asks.assertion)
    if not moot and call.now < asks.deadline:
        raise IllegalMove(51, f"it can be served until {asks.deadline}")
    made = state.assertions[asks.assertion]
    price = state.requests[made.request].price
    made = replace(made, open_demands=made.open_demands - 1)
    state = replace(state, demands=without(state.demands, name), assertions=put(state.assertions, asks.assertion, made))
    state = credit(state, asks.payer, demand_pay(price, asks.length))
    return state if moot else reject(state, asks.assertion, Reason.DATA, asks.payer)
