# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where an element lies: flat positions in C order, coordinates, and NumPy's rule of broadcasting between two shapes."""

from __future__ import annotations

from verifiable_ml.program.tensor import Shape


def coordinates(position: int, shape: Shape) -> Shape:
    """The coordinates of a flat position, outermost axis first. 0 <= position < number of elements."""
    found = []
    for size in reversed(shape):
        position, coordinate = divmod(position, size)
        found.append(coordinate)
    return tuple(reversed(found))


def flat(place: Shape, shape: Shape) -> int:
    """The flat position of some coordinates, each of which lies inside of its axis."""
    position = 0
    for coordinate, size in zip(place, shape, strict=True):
        position = position * size + coordinate
    return position


def stretched(element: int, shape: Shape, operand: Shape) -> int:
    """Which position of an operand the element of a broadcast output reads: axes align at the innermost, one entry is for all."""
    inner = coordinates(element, shape)[len(shape) - len(operand) :]
    return flat(tuple(c if size > 1 else 0 for c, size in zip(inner, operand, strict=True)), operand)
