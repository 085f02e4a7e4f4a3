# SPDX-License-Identifier: MIT OR Apache-2.0
"""rearrange, an element at a time: back through the maps and the permutation to one entry of one operand, or to the fill."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.positions import coordinates, flat
from verifiable_ml.dispute.steps.piece import Piece, Read

if TYPE_CHECKING:
    from verifiable_ml.dispute.descriptor import Descriptor

NAME, NEUTRAL = "rearrange", 0


def terms(descriptor: Descriptor) -> int:
    """One piece of one term."""
    return 1


def accumulate(piece: Piece, read: Read, start: Accumulator) -> Accumulator:
    """The entry, or the fill where a map leaves its axis."""
    a = piece.descriptor.attributes
    counts = tuple(count for count, _, _, _ in a.maps)
    place = [0] * len(a.view)
    for entry, axis, (_, first, step, divisor) in zip(coordinates(piece.element, counts), a.permutation, a.maps, strict=True):
        place[axis] = (first + entry * step) // divisor
    if not all(0 <= coordinate < size for coordinate, size in zip(place, a.view, strict=True)):
        return Accumulator(a.fill)
    return Accumulator(read(*_of_operand(piece.descriptor, tuple(place))))


def _of_operand(descriptor: Descriptor, place: tuple[int, ...]) -> tuple[int, int]:
    """(operand, position) of an entry of the joined view: along the axis each operand has a width of its own."""
    a = descriptor.attributes
    if not a.view:
        return 0, 0
    before, along, behind = place[: a.axis], place[a.axis], place[a.axis + 1 :]
    others = prod(a.view) // a.view[a.axis]
    for operand, form in enumerate(descriptor.operands):
        width = prod(form.shape) // others
        if along < width:
            return operand, flat((*before, along, *behind), (*a.view[: a.axis], width, *a.view[a.axis + 1 :]))
        along -= width
    raise AssertionError("widths add up to the axis: a parsed descriptor fits together")
