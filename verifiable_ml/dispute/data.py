# SPDX-License-Identifier: MIT OR Apache-2.0
"""Inputs that are missing, demanded, or bad: what an account has to serve, buy, close and show. Rules 33 and 50 to 53."""

from __future__ import annotations

from collections.abc import Iterator

from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.dispute.bonds import demand_pay
from verifiable_ml.dispute.docket import Assertion, Docket, Request
from verifiable_ml.dispute.duty import WHENEVER, Buy, CloseDemand, Duty, Role, Runner, Serve, ShowBadInput
from verifiable_ml.dispute.opening import leaf_count
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus
from verifiable_ml.dispute.settlement.demands import MAX_LEAVES


def data_duties(docket: Docket, role: Role, runner: Runner) -> Iterator[Duty]:
    """All of them; none for whoever neither proposes nor watches, but what was demanded of its own assertions."""
    yield from _demands(docket, role, runner)
    for request in docket.requests.values():
        if request.status is RequestStatus.OPEN and (role.watches or role.proposes):
            outside = runner.outside(request)
            if outside:
                yield ShowBadInput(WHENEVER, request.id, outside, _first_challenger(docket, request))
            elif role.watches and runner(request) is None:
                yield from _purchases(docket, role, request, runner.lengths(request))


def _demands(docket: Docket, role: Role, runner: Runner) -> Iterator[Serve | CloseDemand]:
    for demand in docket.demands.values():
        assertion = docket.assertions[demand.assertion]
        mine, own = runner(docket.requests[assertion.request]), assertion.proposer == role.account
        if own and docket.now < demand.deadline and mine is not None:
            data = mine.demanded(demand.root)
            if data is not None:
                yield Serve(demand.deadline, demand, data)
        elif not own and docket.now >= demand.deadline and assertion.status is AssertionStatus.LIVING:
            yield CloseDemand(WHENEVER, demand)


def _first_challenger(docket: Docket, request: Request) -> bytes:
    for assertion, games in docket.opened.items():
        if assertion in docket.assertions and docket.assertions[assertion].request == request.id:
            return games[0].challenger
    return bytes(20)


def _purchases(docket: Docket, role: Role, request: Request, lengths: tuple[int, ...]) -> Iterator[Buy]:
    """All leaves that are neither on the chain nor asked for, of one assertion: who cannot show them loses it."""
    assertion = _seller(docket, role, request)
    if assertion is None or sum(lengths) > role.buys:
        return
    for place, (root, nbytes) in enumerate(zip(request.roots, lengths, strict=bool(lengths))):
        for first, count in _missing(docket, root, nbytes):
            shown = min(nbytes, (first + count) * LEAF_BYTES) - first * LEAF_BYTES
            pay = demand_pay(request.price, shown)
            yield Buy(assertion.posted + request.profile.window, request.id, assertion.id, place, first, count, pay)


def _seller(docket: Docket, role: Role, request: Request) -> Assertion | None:
    """A living assertion of somebody else, of which can be demanded still (rule 52)."""
    for assertion in docket.assertions.values():
        is_open = docket.now < assertion.posted + request.profile.window and assertion.status is AssertionStatus.LIVING
        if assertion.request == request.id and is_open and assertion.proposer != role.account:
            return assertion
    return None


def _missing(docket: Docket, root: bytes, nbytes: int) -> Iterator[tuple[int, int]]:
    """(first, count) of neighbouring leaves, 32 at most."""
    known = set(docket.leaves.get(root, ()))
    for demand in docket.demands.values():
        if demand.root == root:
            known |= set(range(demand.first, demand.first + demand.count))
    first = 0
    while first < leaf_count(nbytes):
        count = 0
        while count < MAX_LEAVES and first + count < leaf_count(nbytes) and first + count not in known:
            count += 1
        if count:
            yield first, count
        first += max(count, 1)
