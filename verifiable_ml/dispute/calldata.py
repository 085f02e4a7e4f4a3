# SPDX-License-Identifier: MIT OR Apache-2.0
"""Moves and openings as the contracts take them: which function, and its arguments in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.forest import Forest, siblings
from verifiable_ml.dispute.game import packed
from verifiable_ml.dispute.moves import Block, Described, Leaf, Move, Name, Partials, Pick, PickInterval, Reveal, Step, Timeout
from verifiable_ml.dispute.opening import Opening, Run

Call = tuple[str, tuple[Any, ...]]
NO_RECORD: tuple[int, bytes, list[bytes]] = (0, b"", [])


def call_of(move: Move, kind: str) -> Call:
    """The function of DisputeGame and its arguments. kind: of the picked operator, "" before there is one."""
    named = (move.game, move.number, move.node)
    match move:
        case Reveal(descriptor=None):
            return "reveal", (*named, [*move.children, *move.siblings])
        case Reveal(descriptor=Described() as opened):
            return "enterByReveal", (*named, _described(opened), [*move.children, *move.siblings])
        case Pick():
            return "pick", (*named, move.child)
        case Block(descriptor=None):
            return "postBlock", (*named, move.data, list(move.siblings))
        case Block(descriptor=Described() as opened):
            return "enterByBlock", (*named, _described(opened), move.data, list(move.siblings))
        case Name():
            return "nameElement", (*named, move.element, leaf(move.leaf))
        case Partials():
            shown = packed(kind, move.posted)
            return "postPartials", (*named, move.element, move.first, shown, move.descriptor, _record(move.record))
        case PickInterval():
            return "pickInterval", (*named, move.interval, packed(kind, move.posted))
        case Step(leaf=Leaf() as opened):
            return "stepElement", (*named, move.element, leaf(opened), _recomputation(move))
        case Step():
            return "stepPiece", (*named, move.piece, packed(kind, move.posted), _recomputation(move))
        case Timeout():
            return "timeout", named
    raise ValueError(f"{type(move).__name__} is no move")


def unpacked(kind: str, data: bytes) -> tuple[Accumulator, ...]:
    """A list of partials as it travelled: the inverse of `packed`."""
    width = 16 if kind == "argmax" else 8
    parts = [data[place : place + width] for place in range(0, len(data), width)]
    return tuple(Accumulator(int.from_bytes(p[:8], "big", signed=True), int.from_bytes(p[8:], "big")) for p in parts)


def trace(mine: Forest) -> tuple[bytes, list[bytes], list[list[bytes]]]:
    """The struct Trace: root, input roots, and the path of each input and of each output."""
    program = mine.program
    indices = [*range(len(program.inputs)), *(output.index for output in program.outputs)]
    paths = [list(siblings(mine.trace, 0, index, len(mine.trace) - 1)) for index in indices]
    return mine.root, [mine.tensor_root(index) for index in range(len(program.inputs))], paths


def leaf(shown: Leaf) -> tuple[bytes, list[bytes]]:
    """The struct Leaf."""
    return shown.data, list(shown.siblings)


def run(shown: Run) -> tuple[int, bytes, list[bytes]]:
    """The struct Run."""
    return shown.first, shown.data, list(shown.siblings)


def described(data: bytes, path: Iterable[bytes]) -> tuple[bytes, list[bytes]]:
    """The struct Described."""
    return data, list(path)


def _described(opened: Described) -> tuple[bytes, list[bytes]]:
    return described(opened.data, opened.siblings)


def _record(record: Run | None) -> tuple[int, bytes, list[bytes]]:
    return run(record) if record else NO_RECORD


def _openings(openings: Sequence[Opening]) -> list[tuple[list[Any], list[bytes]]]:
    return [([run(each) for each in opening.runs], list(opening.path)) for opening in openings]


def _recomputation(move: Step) -> tuple[bytes, list[Any], Any]:
    return move.descriptor, _openings(move.openings), _record(move.record)
