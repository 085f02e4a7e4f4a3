# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs that can be asked, and requests: rules 9, 11, 17, 33, 43, 53 and 54."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from verifiable_ml.commitment import keccak, tensor_root
from verifiable_ml.dispute.bonds import challenge_bond, price_of
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.forest import registration
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.opening import Run, tensor_root_of
from verifiable_ml.dispute.settlement.ledger import (
    Call,
    InputForm,
    KnownProgram,
    OutputForm,
    Request,
    RequestStatus,
    Settlement,
    credit,
    found,
    lose,
    pay,
    put,
)
from verifiable_ml.errors import IllegalMove
from verifiable_ml.program import Program

MAX_INPUT_BYTES = 24 * 1024
"""Of all inputs together, to travel with a request (rule 11)."""
U128 = 1 << 128


@dataclass(frozen=True, slots=True)
class RequestTerms:
    """What a requester chooses."""

    profile: int
    fee: int
    minimum_bond: int
    deadline: int
    """Unix time from which the fee can be withdrawn."""


def register(state: Settlement, call: Call, program: Program) -> Settlement:
    """Rule 53: a program is known for W before anything is asked of it. Once: the time of the first registration counts."""
    pay(state, call, 0)
    if program.id in state.programs or not program.operators:
        raise IllegalMove(53, "the program is registered already, or has no operators to dispute")
    inputs = tuple(
        InputForm(given.spec.dtype, given.spec.nbytes, given.spec.interval.low, given.spec.interval.high)
        for given in program.inputs
    )
    specs = [(output.index, program.spec(output.index)) for output in program.outputs]
    outputs = tuple(OutputForm(index, spec.dtype, spec.nbytes) for index, spec in specs)
    known = KnownProgram(registration(program), inputs, outputs, program.salt != bytes(32), call.now)
    return replace(state, programs=put(state.programs, program.id, known))


def request(state: Settlement, call: Call, program: bytes, terms: RequestTerms, inputs: Sequence[bytes]) -> Settlement:
    """Rule 11: the bytes of the input travel with it, and are checked. The value pays the fee; what is more is credited."""
    forms = found(state.programs, program, 53, "program").inputs
    if [len(data) for data in inputs] != [form.nbytes for form in forms] or sum(map(len, inputs)) > MAX_INPUT_BYTES:
        raise IllegalMove(11, "these are not the bytes of the program's inputs, or more than 24 KiB")
    for form, data in zip(forms, inputs, strict=True):
        values = np.frombuffer(data, form.dtype.numpy)
        if int(values.min()) < form.low or int(values.max()) > form.high:
            raise IllegalMove(11, f"an input leaves its interval [{form.low}, {form.high}]")
    roots = tuple(tensor_root(form.dtype, data) for form, data in zip(forms, inputs, strict=True))
    return _ask(state, call, program, terms, roots, by_roots=False)


def request_by_roots(state: Settlement, call: Call, program: bytes, terms: RequestTerms, roots: Sequence[bytes]) -> Settlement:
    """Rules 11 and 33: by tensor roots alone, with a deposit of one challenge bond."""
    forms = found(state.programs, program, 53, "program").inputs
    if len(roots) != len(forms) or any(len(root) != 32 for root in roots):
        raise IllegalMove(11, f"{len(forms)} roots are asked for")
    return _ask(state, call, program, terms, tuple(roots), by_roots=True)


def _ask(
    state: Settlement, call: Call, program: bytes, terms: RequestTerms, roots: tuple[bytes, ...], *, by_roots: bool
) -> Settlement:
    _check_terms(state, call, program, terms)
    price, nonce = price_of(PROFILES[terms.profile], call.base_fee), state.nonces.get(call.sender, 0)
    wanted = terms.fee + (challenge_bond(price) if by_roots else 0)
    if call.value < wanted:
        raise IllegalMove(43, f"{wanted} wei are asked for, and {call.value} were sent")
    name = request_id(state, call.sender, nonce, program, roots, terms, price)
    made = Request(call.sender, program, roots, by_roots, terms.profile, price, terms.minimum_bond, terms.fee, terms.deadline)
    state = replace(state, requests=put(state.requests, name, made), nonces=put(state.nonces, call.sender, nonce + 1))
    # The price follows the block, so nobody can send the exact deposit.
    return credit(pay(state, call, call.value), call.sender, call.value - wanted)


def _check_terms(state: Settlement, call: Call, program: bytes, terms: RequestTerms) -> None:
    known = state.programs[program]
    if terms.profile not in range(len(PROFILES)) or not 0 <= terms.fee < U128 or not 0 <= terms.minimum_bond < U128:
        raise IllegalMove(11, "there is no such profile, fee or bond")
    if known.hidden:
        raise IllegalMove(54, "what is hidden cannot be disputed")
    since = known.registered + PROFILES[terms.profile].window
    if call.now < since:
        raise IllegalMove(53, f"who watches the program has until {since} to fetch it")


def request_id(
    state: Settlement, requester: bytes, nonce: int, program: bytes, roots: Sequence[bytes], terms: RequestTerms, price: int
) -> bytes:
    """Rule 9: H(11 || chain id || contract || requester || nonce u64 || program id || input roots || parameters)."""
    parameters = bytes([terms.profile]) + price.to_bytes(16, "big") + terms.minimum_bond.to_bytes(16, "big")
    where = state.chain.to_bytes(32, "big") + state.address + requester + nonce.to_bytes(8, "big")
    return keccak(b"\x11" + where + program + b"".join(roots) + parameters)


def open_request(state: Settlement, name: bytes) -> Request:
    """A request that is not closed. Raises IllegalMove."""
    asked = found(state.requests, name, 15, "request")
    if asked.status is not RequestStatus.OPEN:
        raise IllegalMove(15, f"the request is {asked.status.value}")
    return asked


def withdraw_fee(state: Settlement, call: Call, name: bytes) -> Settlement:
    """Rule 17: from its deadline on. A request that nobody has answered is closed by it; else assertions and games go on."""
    asked = open_request(pay(state, call, 0), name)
    if call.sender != asked.requester or call.now < asked.deadline:
        raise IllegalMove(17, f"the requester alone has its fee back, from {asked.deadline} on")
    closed = not asked.living
    if not closed and not asked.fee:
        raise IllegalMove(17, "the fee is withdrawn already")
    # INVARIANT: as long as an assertion lives its request is open, so the assertion can become final.
    made = replace(asked, fee=0, status=RequestStatus.WITHDRAWN if closed else RequestStatus.OPEN)
    state = replace(state, requests=put(state.requests, name, made))
    return credit(state, call.sender, asked.fee + (asked.deposit if closed else 0))


def show_bad_input(state: Settlement, call: Call, name: bytes, place: int, element: int, run: Run) -> Settlement:
    """Rule 33: a leaf that breaks a declared interval makes the request void. All bonds return but the deposit."""
    asked = open_request(pay(state, call, 0), name)
    forms = state.programs[asked.program].inputs
    if not 0 <= place < len(forms):
        raise IllegalMove(33, f"the program has {len(forms)} inputs")
    form = forms[place]
    value = _shown(form, asked.input_roots[place], element, run)
    # INVARIANT: a request whose input is in order is never void.
    if form.low <= value <= form.high:
        raise IllegalMove(33, f"{value} lies in [{form.low}, {form.high}]")
    made = replace(asked, fee=0, status=RequestStatus.VOID)
    after = credit(replace(state, requests=put(state.requests, name, made)), asked.requester, asked.fee)
    return lose(after, asked.deposit, _sufferer(state, asked) or call.sender)


def _shown(form: InputForm, root: bytes, element: int, run: Run) -> int:
    start = element * form.dtype.width - run.first * 256
    if not 0 <= start < len(run.data) or len(run.data) > 256 or tensor_root_of(form.dtype, form.nbytes, [run]) != root:
        raise IllegalMove(33, "the leaf does not hold that element of the input")
    return int(np.frombuffer(run.data, form.dtype.numpy, count=1, offset=start)[0])


def _sufferer(state: Settlement, asked: Request) -> bytes | None:
    """Whom a bad input has cost most: the challenger of the request's first game while that is open, else its first proposer."""
    game = state.games[asked.first_game] if asked.first_game else None
    return game.terms.challenger if game and game.state is not State.OVER else asked.first_proposer
