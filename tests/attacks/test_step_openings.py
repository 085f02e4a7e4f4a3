# SPDX-License-Identifier: MIT OR Apache-2.0
"""Openings of a step under attack, rule 37: an honest one with one thing changed is refused, here and on chain, for its reason.

The step is a convolution of three runs: tensor 1 of a trace of five, 30 leaves; weights of 18; records of 32 channels in 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from differential.step_cases import Step, steps
from differential.step_chain import Refused, chain
from verifiable_ml.commitment import encode_tensor, tensor_tree
from verifiable_ml.commitment.merkle import ABSENT_HASHES
from verifiable_ml.dispute.descriptor import parse
from verifiable_ml.dispute.opening import NOTHING, Opening, Run, show
from verifiable_ml.dispute.step import Accumulator, advance, finish
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.execute import Trace, run_reference
from verifiable_ml.program import Builder, Interval, Requantise, Tokens

BYTE = Interval(0, 255)
CONV, TWIN = 3, 2
"""Which tensor of the trace is disputed, and which has the shape of its operand, tensor 1, and other values."""


@cache
def trace() -> Trace:
    rng, b = np.random.default_rng(1), Builder()
    x = b.input("x", (1, 12, 40, 16), BYTE, Tokens())
    copy, twin = (b.apply("lookup", x, b.constant(rng.permutation(256)), base=0) for _ in range(2))
    form = Requantise(np.arange(1, 33), np.arange(32), 12, 0, 255)
    windows = {"strides": (1, 1), "pads": (1,) * 4, "dilations": (1, 1), "groups": 1, "x_zero": 0, "w_zero": 128}
    y = b.apply("conv", copy, b.constant(rng.integers(0, 256, (32, 3, 3, 16))), requantise=form, **windows)
    b.output("y", b.apply("max", y, axes=1), Tokens())
    b.output("twin", twin, Tokens())
    return run_reference(b.build(), {"x": rng.integers(0, 256, (1, 12, 40, 16))})


@cache
def witness() -> Witness:
    return Witness(trace())


@cache
def honest() -> Step:
    """Element (5, 20) of channel 9: its window's rows lie in three runs, its record in the first of two leaves."""
    (step,) = steps(trace(), CONV, (5 * 40 + 20) * 32 + 9)
    assert [len(opening.runs) for opening in step.openings] == [3, 1] and len(step.openings[0].path) == 3
    return step


def x(step: Step, change: Callable[[Opening], Opening]) -> Step:
    return replace(step, openings=(change(step.openings[0]), *step.openings[1:]))


def w(step: Step, change: Callable[[Opening], Opening]) -> Step:
    return replace(step, openings=(step.openings[0], change(step.openings[1])))


def runs(*places: int) -> Callable[[Opening], Opening]:
    """The opening with those of its runs, in that order."""
    return lambda opening: replace(opening, runs=tuple(opening.runs[place] for place in places))


def run(change: Callable[[Run], Run], place: int = 1) -> Callable[[Opening], Opening]:
    """The opening with one run changed."""
    return lambda opening: replace(opening, runs=(*opening.runs[:place], change(opening.runs[place]), *opening.runs[place + 1 :]))


def opened(index: int, *leaves: int) -> Opening:
    """Leaves of a tensor of the trace, honestly."""
    data = encode_tensor(trace().tensors[index])
    return Opening(show(data, tensor_tree(data), leaves), witness().tensor_path(index))


def tree():
    return tensor_tree(encode_tensor(trace().tensors[1]))


def flipped(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def pair(r: Run) -> Run:
    """The two nodes below an inner node, as if they were a leaf: a node in place of a leaf."""
    left, right = tree().levels[0][r.first & ~1 : (r.first & ~1) + 2]
    return Run(r.first // 2, left + right, r.siblings[1:])


def split(opening: Opening) -> Opening:
    """A run of two leaves as two runs that touch, each with the siblings that it needs."""
    data = encode_tensor(trace().tensors[1])
    first = opening.runs[0].first
    halves = (show(data, tree(), [first + place])[0] for place in range(2))
    return replace(opening, runs=(*halves, *opening.runs[1:]))


def statement(**changes) -> Callable[[Step], Step]:
    return lambda step: replace(step, statement=replace(step.statement, **changes))


def record(change: Callable[[Run], Run | None]) -> Callable[[Step], Step]:
    return lambda step: replace(step, record=change(step.record))


def operand(index: int) -> Callable[[Step], Step]:
    """The descriptor as if its first operand were another tensor."""
    return lambda step: described(step, {21: index.to_bytes(4, "big")})


def retyped(step: Step) -> Step:
    """The descriptor as if its first operand were i16 of half as many channels, which has the same bytes."""
    eight = (8).to_bytes(4, "big")
    return described(step, {25: b"\x01", 39: eight, 90: eight, len(step.data) - 8: (72).to_bytes(4, "big")})


def described(step: Step, edits: dict[int, bytes]) -> Step:
    """The descriptor with other bytes at some places; 21 is the first operand's index, 25 its dtype, 39 its channels."""
    data = step.data
    for place, new in edits.items():
        data = data[:place] + new + data[place + len(new) :]
    return replace(step, data=data, statement=replace(step.statement, descriptor=parse(data)))


@dataclass(frozen=True)
class Forgery:
    """What is changed; words in which Python refuses it, and the error in which Solidity does. late: only `finish` sees it."""

    name: str
    forge: Callable[[Step], Step]
    reason: str
    error: str
    late: bool = False

    def __str__(self) -> str:
        return self.name


FORGERIES = [
    # the tree: property 30
    Forgery("leaf as node", lambda s: x(s, run(lambda r: replace(r, siblings=r.siblings[1:]))), "too few", "WrongSiblings"),
    Forgery("node as leaf", lambda s: x(s, run(pair, 0)), "whole leaves", "NotLeaves"),
    Forgery(
        "node as a whole leaf",
        lambda s: x(s, run(lambda r: replace(pair(r), data=pair(r).data * 4), 0)),
        "too few",
        "WrongSiblings",
    ),
    Forgery("depth too small", lambda s: x(s, run(lambda r: replace(r, siblings=r.siblings[:-1]))), "too few", "WrongSiblings"),
    Forgery(
        "depth too great",
        lambda s: x(s, run(lambda r: replace(r, siblings=(*r.siblings, bytes(32))))),
        "too many",
        "WrongSiblings",
    ),
    Forgery(
        "index overflows the depth", lambda s: x(s, run(lambda r: replace(r, first=r.first + 32))), "whole leaves", "NotLeaves"
    ),
    Forgery(
        "index overflows 32 bits in bytes",
        lambda s: x(s, run(lambda r: replace(r, first=r.first + (1 << 24)))),
        "whole leaves",
        "NotLeaves",
    ),
    Forgery("index of a neighbour", lambda s: x(s, run(lambda r: replace(r, first=r.first + 2), 2)), "roots", "RunsDisagree"),
    Forgery("siblings swapped", lambda s: x(s, run(lambda r: replace(r, siblings=r.siblings[::-1]))), "roots", "RunsDisagree"),
    Forgery(
        "sibling zero", lambda s: x(s, run(lambda r: replace(r, siblings=(bytes(32), *r.siblings[1:])))), "roots", "RunsDisagree"
    ),
    Forgery(
        "sibling absent",
        lambda s: x(s, run(lambda r: replace(r, siblings=(ABSENT_HASHES[0], *r.siblings[1:])))),
        "roots",
        "RunsDisagree",
    ),
    Forgery(
        "odd last leaf twice",
        lambda s: w(s, lambda o: replace(o, runs=(Run(18, encode_tensor(trace().program.constants[2])[-256:], ()),))),
        "whole leaves",
        "NotLeaves",
    ),
    Forgery("zero leaf behind the last", lambda s: x(s, run(lambda r: Run(30, bytes(256), r.siblings), 2)), "whole", "NotLeaves"),
    Forgery("another tensor's leaves", lambda s: x(s, lambda o: opened(TWIN, *range(8, 14))), "trace's root", "WrongTrace"),
    Forgery(
        "another tensor's, its path", lambda s: x(s, lambda o: replace(opened(TWIN, 9), path=o.path)), "trace's", "WrongTrace"
    ),
    Forgery("another tensor in the descriptor", operand(TWIN), "trace's root", "WrongTrace"),
    Forgery("another type, the same bytes", retyped, "trace's root", "WrongTrace"),
    Forgery("a run of another tensor", lambda s: x(s, run(lambda r: opened(TWIN, r.first).runs[0])), "roots", "RunsDisagree"),
    Forgery("a trace operand as a constant", lambda s: x(s, lambda o: s.openings[1]), "path of 0 siblings", "WrongPath"),
    Forgery("a constant of the trace", lambda s: w(s, lambda o: s.openings[0]), "given a path", "WrongPath"),
    # runs
    Forgery("a bit of a leaf", lambda s: x(s, run(lambda r: replace(r, data=flipped(r.data)))), "roots", "RunsDisagree"),
    Forgery(
        "a bit of a weight", lambda s: w(s, run(lambda r: replace(r, data=flipped(r.data)), 0)), "constant's", "WrongConstant"
    ),
    Forgery("no bytes", lambda s: x(s, run(lambda r: replace(r, data=b""))), "whole leaves", "NotLeaves"),
    Forgery("a byte less", lambda s: x(s, run(lambda r: replace(r, data=r.data[:-1]))), "whole leaves", "NotLeaves"),
    Forgery("a byte more", lambda s: x(s, run(lambda r: replace(r, data=r.data + b"\0"))), "whole leaves", "NotLeaves"),
    Forgery("a leaf more", lambda s: x(s, run(lambda r: replace(r, data=r.data + bytes(256)))), "roots", "RunsDisagree"),
    Forgery("runs in disorder", lambda s: x(s, runs(1, 0, 2)), "do not rise", "RunsDoNotRise"),
    Forgery("a run twice", lambda s: x(s, runs(0, 1, 1, 2)), "do not rise", "RunsDoNotRise"),
    Forgery("neighbours as two runs", lambda s: x(s, split), "do not rise", "RunsDoNotRise"),
    Forgery("a run left out", lambda s: x(s, runs(0, 2)), "in none of the 2 runs", "NotOpened"),
    Forgery("no runs", lambda s: x(s, lambda o: NOTHING), "in none of the 0 runs", "NotOpened"),
    Forgery("a path without runs", lambda s: x(s, lambda o: replace(o, runs=())), "from nowhere", "WrongPath"),
    # the path
    Forgery("path too short", lambda s: x(s, lambda o: replace(o, path=o.path[:-1])), "does not lead", "WrongPath"),
    Forgery("path too long", lambda s: x(s, lambda o: replace(o, path=(*o.path, bytes(32)))), "does not lead", "WrongPath"),
    Forgery("path swapped", lambda s: x(s, lambda o: replace(o, path=o.path[::-1])), "trace's root", "WrongTrace"),
    Forgery("path of a constant", lambda s: w(s, lambda o: replace(o, path=(bytes(32),))), "given a path", "WrongPath"),
    Forgery("tensor beyond the trace", operand(5), "does not lead", "NoSuchTensor"),
    Forgery("trace of another count", statement(count=6), "trace's root", "WrongTrace"),
    Forgery("trace of another depth", statement(count=9), "does not lead", "WrongPath"),
    Forgery("trace of nothing", statement(count=0), "does not lead", "NoSuchTensor"),
    Forgery("trace root zero", statement(trace_root=bytes(32)), "trace's root", "WrongTrace"),
    # what is asked
    Forgery("one opening too few", lambda s: replace(s, openings=s.openings[:1]), "1 openings", "WrongOpenings"),
    Forgery("one opening too many", lambda s: replace(s, openings=(*s.openings, NOTHING)), "3 openings", "WrongOpenings"),
    Forgery("openings swapped", lambda s: replace(s, openings=s.openings[::-1]), "path of 0 siblings", "WrongPath"),
    Forgery("element beyond the last", statement(element=12 * 40 * 32), "element", "NoSuchElement"),
    Forgery("element that overflows", statement(element=(1 << 256) - 1), "element", "NoSuchElement"),
    Forgery("element of another window", statement(element=0), "in none of", "NotOpened"),
    Forgery("piece beyond the last", statement(piece=1), "piece 1 of 1", "NoSuchPiece"),
    Forgery("piece that overflows", statement(piece=(1 << 256) - 1), "piece", "NoSuchPiece"),
    Forgery("accumulator too wide", lambda s: replace(s, start=Accumulator(1 << 190)), "190 bits", "TooWide"),
    Forgery("accumulator too low", lambda s: replace(s, start=Accumulator(-(1 << 255))), "190 bits", "TooWide"),
    Forgery("index too wide", lambda s: replace(s, start=Accumulator(0, (1 << 256) - 1)), "190 bits", "TooWide"),
    # records, which `finish` opens
    Forgery("record missing", record(lambda r: None), "missing", "NotLeaves", late=True),
    Forgery("record of the other leaf", record(lambda r: witness().record(CONV, 20)), "not that of", "NotThatChannel", late=True),
    Forgery("record changed", record(lambda r: replace(r, data=flipped(r.data))), "records", "WrongRecords", late=True),
    Forgery("first record for all", record(lambda r: Run(0, r.data[:16], ())), "records", "WrongRecords", late=True),
    Forgery("first record alone", record(lambda r: replace(r, data=r.data[:16])), "too many", "WrongSiblings", late=True),
    Forgery("record by a wrong path", record(lambda r: replace(r, siblings=(bytes(32),))), "records", "WrongRecords", late=True),
    Forgery("record of no channel", record(lambda r: replace(r, first=2)), "whole leaves", "NotLeaves", late=True),
]


def in_python(forgery: Forgery, step: Step) -> object:
    if forgery.late:
        return finish(step.statement.descriptor, step.statement.element, step.end, step.record)
    return advance(step.statement, step.openings, step.record, step.start)


def on_chain(forgery: Forgery, step: Step) -> object:
    if forgery.late:
        return chain().finish(step.data, step.statement.element, step.end, step.record)
    return chain().advance(step.data, step.statement, step.openings, step.record, step.start)


def test_step_honest_is_taken():
    early, late = (Forgery("none", lambda s: s, "", "", late=late) for late in (False, True))
    assert in_python(early, honest()) == on_chain(early, honest()) == honest().end
    assert in_python(late, honest()) == on_chain(late, honest()) == honest().value


@pytest.mark.parametrize("forgery", FORGERIES, ids=str)
def test_property_30_step_forged_is_refused_for_its_reason(forgery):
    step = forgery.forge(honest())
    assert step != honest()
    with pytest.raises(MalformedEvidence) as caught:
        in_python(forgery, step)
    assert forgery.reason in caught.value.reason
    assert on_chain(forgery, step) == Refused(forgery.error)
