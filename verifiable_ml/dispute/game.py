# SPDX-License-Identifier: MIT OR Apache-2.0
"""The state of one game: what a contract stores of it, and no more. Rules 20 to 27 and 41 say how it changes (rules.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from verifiable_ml.commitment import Dtype, keccak
from verifiable_ml.commitment.merkle import depth_of
from verifiable_ml.dispute.accumulator import Accumulator
from verifiable_ml.dispute.clock import Clock, Profile, Side
from verifiable_ml.dispute.walk import BLOCK_HEIGHT, FAN_OUT, leaves_of, stations
from verifiable_ml.errors import IllegalMove


class State(StrEnum):
    """Which move is due, and thereby whose turn it is: one of the two sides at a time, in alternation."""

    REVEAL = "reveal"
    PICK = "pick"
    ENTER = "enter"
    """The first reveal of walk 2, or the block of a tensor that is one block alone: the descriptor, in this move, says which."""
    BLOCK = "block"
    NAME = "name"
    """If an element takes more than one piece; else the step follows at once."""
    PARTIALS = "partials"
    INTERVAL = "interval"
    STEP = "step"
    OVER = "over"


MOVER = {
    State.REVEAL: Side.PROPOSER,
    State.PICK: Side.CHALLENGER,
    State.ENTER: Side.PROPOSER,
    State.BLOCK: Side.PROPOSER,
    State.NAME: Side.CHALLENGER,
    State.PARTIALS: Side.PROPOSER,
    State.INTERVAL: Side.CHALLENGER,
    State.STEP: Side.CHALLENGER,
}
"""Whose turn it is."""


class Reason(StrEnum):
    """Why an assertion was rejected (rule 18), or a challenge lost, which happens by time alone."""

    STEP = "step"
    TIMEOUT = "timeout"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who won a game, and how."""

    winner: Side
    reason: Reason


@dataclass(frozen=True, slots=True)
class Form:
    """What a game needs of a descriptor: the output's bytes, and the pieces of an element."""

    kind: str
    dtype: Dtype
    nbytes: int
    pieces: int
    """ceil(K / tau). More than one: the element is named and its accumulators are posted."""

    @property
    def elements(self) -> int:
        """Of the tensor."""
        return self.nbytes // self.dtype.width


@dataclass(frozen=True, slots=True)
class Registration:
    """What a game needs of a registered program."""

    inputs: int
    operators: int
    descriptors: bytes
    """Merkle root of the descriptors (rule 4)."""

    @property
    def count(self) -> int:
        """Tensors of a trace."""
        return self.inputs + self.operators


@dataclass(frozen=True, slots=True)
class Terms:
    """What is fixed when a game is opened."""

    id: bytes
    """H(13 || assertion id || challenger || counter), 32 bytes."""
    assertion: bytes
    """Id of the assertion that is challenged."""
    proposer: bytes
    """20 bytes."""
    challenger: bytes
    """20 bytes."""
    trace_root: bytes
    """The asserted one."""
    program: Registration
    profile: Profile
    fan_out: int = FAN_OUT
    """d of rule 21."""


@dataclass(frozen=True, slots=True)
class Game:
    """One challenger against one assertion. Fields that a state does not need are what the last state that did left in them."""

    terms: Terms
    clock: Clock
    state: State
    number: int = 0
    """How many moves it has seen."""
    node: bytes = bytes(32)
    """Proved to lie under the asserted trace root; zero before the first reveal."""
    walk: int = 1
    """1: in the trace's tree; 2: in the tensor of the picked operator."""
    round: int = 0
    """Of this walk: how many children were picked. The last of them is at this station of the walk."""
    child: int = 0
    """The picked node, counted from the left end of its height. Once it is proved, it is `node`."""
    tensor: int = 0
    """The picked tensor's index in the trace, from the end of walk 1."""
    descriptor: bytes = bytes(32)
    """The picked operator's leaf of rule 4, H(21 || descriptor), from the entering on."""
    form: Form | None = None
    """What that descriptor says; None before."""
    element: int = 0
    """The named element."""
    value: int = 0
    """y: what the block has there."""
    first: int = 0
    """The disputed pieces of the named element: [first, last)."""
    last: int = 0
    start: Accumulator | None = None
    """The accumulator before piece `first`: neutral, or posted and agreed on by the pick of an interval."""
    end: Accumulator | None = None
    """The accumulator that the next list must end in; None for the first list, whose end must finish as y."""
    posted: bytes = bytes(32)
    """Hash of the last list of partials."""
    outcome: Outcome | None = None

    @property
    def width(self) -> int:
        """Lowest entries of the tree that is walked."""
        return leaves_of(self.formed.nbytes) if self.walk == 2 else self.terms.program.count

    @property
    def stations(self) -> tuple[int, ...]:
        """The heights at which this walk stops, its root's first."""
        floor = BLOCK_HEIGHT if self.walk == 2 else 0
        return stations(self.width, floor, self.terms.fan_out)

    @property
    def formed(self) -> Form:
        """The form, where the state says that there is one."""
        assert self.form is not None, "a descriptor is opened when walk 2, or the block, begins"
        return self.form

    @property
    def rounds(self) -> int:
        """R of rule 42: reveals of both walks, as far as this game knows them (of walk 1 alone before walk 2 is entered)."""
        first = len(stations(self.terms.program.count, 0, self.terms.fan_out)) - 1
        second = len(stations(leaves_of(self.form.nbytes), BLOCK_HEIGHT, self.terms.fan_out)) - 1 if self.form else 0
        return first + second


def descriptor_depth(program: Registration) -> int:
    """How many siblings a descriptor's opening has."""
    return depth_of(program.operators)


def descriptor_leaf(data: bytes) -> bytes:
    """Rule 4: H(21 || descriptor)."""
    return keccak(b"\x21" + data)


def packed(kind: str, accumulators: Sequence[Accumulator]) -> bytes:
    """A list of partials as it travels, big endian: int64 each, of argmax int64 and uint64. Raises IllegalMove (rule 31)."""
    data = []
    for accumulator in accumulators:
        fits = Dtype.I64.low <= accumulator.value <= Dtype.I64.high
        if not fits or not 0 <= accumulator.index < (1 << 64 if kind == "argmax" else 1):
            raise IllegalMove(31, f"an accumulator of {kind} is no ({accumulator.value}, {accumulator.index})")
        data.append(accumulator.value.to_bytes(8, "big", signed=True))
        if kind == "argmax":
            data.append(accumulator.index.to_bytes(8, "big"))
    return b"".join(data)


def game_id(assertion: bytes, challenger: bytes, counter: int) -> bytes:
    """Rule 9: H(13 || assertion id || challenger 20 || counter u32)."""
    return keccak(b"\x13" + assertion + challenger + counter.to_bytes(4, "big"))
