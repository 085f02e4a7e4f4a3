# SPDX-License-Identifier: MIT OR Apache-2.0
"""Leaves of inputs off the chain: what is missing is asked for once, and other bytes than the root's are not believed."""

from __future__ import annotations

import pytest

from verifiable_ml.commitment import Dtype, tensor_root
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.data import _missing
from verifiable_ml.dispute.docket import Docket, Request, Told
from verifiable_ml.dispute.onchain import Demand
from verifiable_ml.dispute.served import completed, leaves_of
from verifiable_ml.dispute.settlement import RequestStatus

DATA = bytes(range(250)) * 40  # 40 leaves, the last one of 16 bytes
ROOT = tensor_root(Dtype.U8, DATA)
PARTS = [(0, 32), (32, 8)]


def demand(first, count):
    return Demand(bytes([first]) * 32, b"a" * 32, "0x" + "11" * 20, 10, 0, len(DATA), ROOT, first, count)


def events(shown=lambda first, data: data, parts=PARTS):
    made = [Told("Demanded", {"demandId": demand(*part).id, "demand": demand(*part).struct}, 1) for part in PARTS]
    cut = {first: shown(first, DATA[first * 256 : (first + count) * 256]) for first, count in parts}
    return [*made, *(Told("Served", {"demandId": demand(first, 1).id, "data": data}, 2) for first, data in cut.items())]


def request(inputs=()):
    return Request(b"r" * 32, b"p" * 32, (ROOT,), inputs, PROFILES[2], 1, 0, 0, 0, RequestStatus.OPEN, 0, 0, 0)


def test_input_is_whole_when_all_of_its_leaves_were_shown():
    told = events()
    assert completed(request(), told, leaves_of(told)).inputs == (DATA,)


LIES = {
    "a part is missing": events(parts=PARTS[:1]),
    "a byte differs": events(lambda first, data: b"\xff" + data[1:] if first else data),
    "a part is short": events(lambda first, data: data[:-1] if first else data),
    "nothing was demanded": [],
}


@pytest.mark.parametrize("told", LIES.values(), ids=LIES)
def test_input_of_other_bytes_is_not_believed(told):
    assert completed(request(), told, leaves_of(told)).inputs == ()


def test_request_that_has_its_bytes_keeps_them():
    told = events()
    assert completed(request((b"own",)), told, leaves_of(told)).inputs == (b"own",)


@pytest.mark.parametrize(
    ("known", "pending", "asked"),
    [
        ((), (), [(0, 32), (32, 8)]),
        (range(40), (), []),
        (range(5), (), [(5, 32), (37, 3)]),
        ((3,), ((10, 20),), [(0, 3), (4, 6), (30, 10)]),
        ((39,), ((0, 32),), [(32, 7)]),
    ],
)
def test_leaves_are_asked_for_that_are_neither_known_nor_asked_for(known, pending, asked):
    demands = {bytes([first]): demand(first, count) for first, count in pending}
    docket = Docket(0, 0, demands=demands, leaves={ROOT: dict.fromkeys(known, b"")})
    assert list(_missing(docket, ROOT, len(DATA))) == asked
