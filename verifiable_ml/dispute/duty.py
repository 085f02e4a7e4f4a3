# SPDX-License-Identifier: MIT OR Apache-2.0
"""What an account may have to do, as values. Each names what it is about, so that one which is out of date reverts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.docket import Request
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.onchain import Demand
from verifiable_ml.dispute.runs import Outside

WHENEVER = 1 << 62
"""The deadline of what has none."""


class Runner(Protocol):
    """What an account knows by itself: programs, inputs, and what comes of them."""

    def __call__(self, request: Request) -> Forest | None:
        """The forest of a request's run; None if its program or its input is not known, or the input is none."""

    def lengths(self, request: Request) -> tuple[int, ...]:
        """Bytes of each input; () if the program is not known."""

    def outside(self, request: Request) -> Outside | None:
        """The first integer of a known input that leaves the declared interval."""


@dataclass(frozen=True, slots=True)
class Role:
    """What an account does. proposes: answers requests that surely pay at least `least_fee` wei. watches: challenges wrong
    answers, and buys inputs that it does not have, up to `buys` bytes for a request.
    """

    account: bytes
    """20 bytes."""
    proposes: bool = False
    watches: bool = False
    least_fee: int = 0
    buys: int = 0


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to send, and the first second in which it is too late."""

    deadline: int


@dataclass(frozen=True, slots=True)
class Play(Duty):
    """A move of a game."""

    move: Move
    side: Side
    kind: str
    """Of the picked operator, "" before there is one."""


@dataclass(frozen=True, slots=True)
class Challenge(Duty):
    """A game against a wrong assertion."""

    request: bytes
    assertion: bytes
    own_root: bytes


@dataclass(frozen=True, slots=True)
class Answer(Duty):
    """An assertion of one's own."""

    request: bytes


@dataclass(frozen=True, slots=True)
class Serve(Duty):
    """Leaves that were demanded of one's own assertion."""

    demand: Demand
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseDemand(Duty):
    """A demand that nobody served in time."""

    demand: Demand


@dataclass(frozen=True, slots=True)
class Buy(Duty):
    """Leaves of an input that is not known here, from who asserts to have run it: a demand (rule 51)."""

    request: bytes
    assertion: bytes
    place: int
    """Of the input."""
    first: int
    count: int
    pay: int
    """In wei."""


@dataclass(frozen=True, slots=True)
class ShowBadInput(Duty):
    """An integer of an input that leaves the declared interval (rule 33)."""

    request: bytes
    outside: Outside
    challenger: bytes
    """Of the request's first game, 20 bytes; of nobody if there was none."""


@dataclass(frozen=True, slots=True)
class CloseGame(Duty):
    """A game of one's own that has become moot."""

    game: bytes


@dataclass(frozen=True, slots=True)
class Finalise(Duty):
    """The sole survivor of a request."""

    assertion: bytes


@dataclass(frozen=True, slots=True)
class ReturnBond(Duty):
    """One's own assertion, which was as right as the final one."""

    assertion: bytes


@dataclass(frozen=True, slots=True)
class Withdraw(Duty):
    """What the account is owed, in wei."""

    amount: int
