# SPDX-License-Identifier: MIT OR Apache-2.0
"""The moves of a game as they travel: what is in the calldata of each, and nothing that the game already knows.

Each names the game, the number of the move and the `node` that it answers, so that a chain which forgets the move before it
refuses it (rule 30). The order is that of a game: reveals and picks, the block, the element, its partials, the step.
"""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.opening import Opening, Run


@dataclass(frozen=True, slots=True)
class Described:
    """A descriptor opened: its bytes, and the siblings of its leaf under the program's registered descriptors."""

    data: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """The leaf of the output that holds an element, and its siblings up to the block's node."""

    data: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """What every move names."""

    game: bytes
    """Id of the game, 32 bytes."""
    number: int
    """How many moves the game has seen."""
    node: bytes
    """The game's node, 32 bytes."""


@dataclass(frozen=True, slots=True)
class Reveal(Move):
    """The existing children of the picked node, and the siblings from that up to `node` (rule 22). By anybody."""

    children: tuple[bytes, ...]
    siblings: tuple[bytes, ...] = ()
    descriptor: Described | None = None
    """Of the picked operator, in the first reveal of walk 2."""


@dataclass(frozen=True, slots=True)
class Pick(Move):
    """A child, by its index alone (rule 23). By the challenger."""

    child: int


@dataclass(frozen=True, slots=True)
class Block(Move):
    """The bytes of the picked block, and the siblings from it up to `node` (rule 24). By anybody."""

    data: bytes
    siblings: tuple[bytes, ...]
    descriptor: Described | None = None
    """Of the picked operator, if its tensor is one block alone."""


@dataclass(frozen=True, slots=True)
class Name(Move):
    """An element of the block whose accumulators the challenger wants to see (rule 26)."""

    element: int
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Partials(Move):
    """The accumulators of the named element after pieces of the disputed range (rule 26). By the proposer alone.

    They name element and first piece as well: the node alone would let a re-org put them below another naming.
    """

    element: int
    first: int
    """The first piece of the disputed range."""
    posted: tuple[Accumulator, ...]
    descriptor: bytes
    record: Run | None
    """Of the element's channel; None after the first list, and where the operator has no records."""


@dataclass(frozen=True, slots=True)
class PickInterval(Move):
    """An interval between two posted accumulators (rule 26); the list travels once more, and its hash was stored."""

    interval: int
    posted: tuple[Accumulator, ...]


@dataclass(frozen=True, slots=True)
class Step(Move):
    """One piece of one element, opened so that the contract can recompute it (rule 27). By the challenger alone."""

    element: int
    piece: int
    descriptor: bytes
    openings: tuple[Opening, ...]
    record: Run | None
    leaf: Leaf | None = None
    """Where the element stands in the block; None if it was named before."""
    posted: tuple[Accumulator, ...] = ()
    """The list that has the piece's end; empty if there was none."""


@dataclass(frozen=True, slots=True)
class Timeout(Move):
    """The side whose turn it is has let its clock run out (rule 41). By anybody."""
