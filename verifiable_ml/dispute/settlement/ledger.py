# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is known of programs, requests, assertions, games and demands, and whose the money is. Amounts in wei, times in seconds.

INVARIANT: what is held is what is owed, what is burnt, and what is at stake. Each wei moves from stake to owed or burnt once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar

from verifiable_ml.commitment import Dtype
from verifiable_ml.dispute.bonds import challenge_bond, demand_pay, lost, proposer_bond
from verifiable_ml.dispute.clock import PROFILES, Profile
from verifiable_ml.dispute.game import Game, Reason, Registration, State
from verifiable_ml.errors import IllegalMove

Key = TypeVar("Key")
Value = TypeVar("Value")


# ---- what is stored --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InputForm:
    """What a program fixes of an input."""

    dtype: Dtype
    nbytes: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class OutputForm:
    """What a program fixes of an output."""

    index: int
    """In the trace."""
    dtype: Dtype
    nbytes: int


@dataclass(frozen=True, slots=True)
class KnownProgram:
    """A registered program."""

    game: Registration
    inputs: tuple[InputForm, ...]
    outputs: tuple[OutputForm, ...]
    hidden: bool
    """Its weights are salted (rule 54)."""
    registered: int
    """When."""


class RequestStatus(StrEnum):
    """All but OPEN are closed, for ever."""

    OPEN = "open"
    FINAL = "final"
    VOID = "void"
    WITHDRAWN = "withdrawn"


class AssertionStatus(StrEnum):
    """RETURNED: it was right, or its request void, and its bond went back."""

    LIVING = "living"
    FINAL = "final"
    DEAD = "dead"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Request:
    """A question: what does this program say about this input?"""

    requester: bytes
    program: bytes
    """Its id."""
    input_roots: tuple[bytes, ...]
    by_roots: bool
    """The input was not checked, so it may turn out to be bad; a deposit says that it is not."""
    profile: int
    price: int
    """Of gas: what bonds are counted in, fixed for ever."""
    minimum_bond: int
    fee: int
    """For whoever first asserted what becomes final; 0 once it was paid or withdrawn."""
    deadline: int
    """From which the fee can be withdrawn."""
    status: RequestStatus = RequestStatus.OPEN
    epoch: int = 0
    first_posted: int | None = None
    """Of this epoch. None: posting is open without an end."""
    living: Mapping[bytes, int] = field(default_factory=dict)
    """How many assertions live of each commitment that has one, by trace root: output roots are leaves under it."""
    first_of: Mapping[bytes, bytes] = field(default_factory=dict)
    """By trace root: the assertion that was made when no other of its commitment lived. It has the fee (rule 15)."""
    first_game: bytes | None = None
    """Whoever opened it is paid if the input is bad, as long as it is open (rule 33)."""
    first_proposer: bytes | None = None
    """Is paid then, if nobody is there to be paid for that game."""
    final: bytes | None = None
    """The assertion that became final."""

    @property
    def times(self) -> Profile:
        """W, T, E and Es."""
        return PROFILES[self.profile]

    @property
    def proposer_bond(self) -> int:
        """What an assertion takes."""
        return proposer_bond(self.price, self.minimum_bond)

    @property
    def challenge_bond(self) -> int:
        """What a game takes."""
        return challenge_bond(self.price)

    @property
    def deposit(self) -> int:
        """What the requester has at stake beside the fee, until the request is closed."""
        return self.challenge_bond if self.by_roots else 0

    @property
    def posting_end(self) -> int | None:
        """Rule 13: W after the epoch's first assertion."""
        return None if self.first_posted is None else self.first_posted + self.times.window


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer, and what its proposer stakes on it."""

    request: bytes
    proposer: bytes
    trace_root: bytes
    output_roots: tuple[bytes, ...]
    epoch: int
    posted: int
    end: int
    """The first second in which it can no longer be challenged, unless a rival lives."""
    status: AssertionStatus = AssertionStatus.LIVING
    reason: Reason | None = None
    """Why it is dead (rule 18)."""
    games: int = 0
    """Ever opened against it."""
    open_games: int = 0
    open_demands: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """Leaves of a tensor that somebody wants to see (rule 51)."""

    assertion: bytes
    payer: bytes
    deadline: int
    dtype: Dtype
    nbytes: int
    """Of the whole tensor."""
    root: bytes
    first: int
    """Leaf."""
    count: int

    @property
    def length(self) -> int:
        """Bytes of the demanded leaves."""
        start = self.first * 256
        return min(start + self.count * 256, self.nbytes) - start


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that the contracts store."""

    chain: int
    address: bytes
    """Of the contract, 20 bytes: both are in every request's id."""
    fan_out: int = 6
    programs: Mapping[bytes, KnownProgram] = field(default_factory=dict)
    requests: Mapping[bytes, Request] = field(default_factory=dict)
    assertions: Mapping[bytes, Assertion] = field(default_factory=dict)
    games: Mapping[bytes, Game] = field(default_factory=dict)
    demands: Mapping[bytes, Demand] = field(default_factory=dict)
    """Open ones, by id."""
    nonces: Mapping[bytes, int] = field(default_factory=dict)
    balances: Mapping[bytes, int] = field(default_factory=dict)
    """What accounts are owed: they pull it (rule 19)."""
    burnt: int = 0
    held: int = 0
    """What came in and was not withdrawn."""


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction: who sends it, when, with what value; and the block's base fee."""

    sender: bytes
    now: int
    value: int = 0
    base_fee: int = 0


def put(mapping: Mapping[Key, Value], key: Key, value: Value) -> Mapping[Key, Value]:
    """The same mapping with one entry set. Mappings of a state are never changed in place."""
    return {**mapping, key: value}


def without(mapping: Mapping[Key, Value], key: Key) -> Mapping[Key, Value]:
    """The same mapping without one entry."""
    return {each: value for each, value in mapping.items() if each != key}


def found(mapping: Mapping[bytes, Value], key: bytes, rule: int, thing: str) -> Value:
    """What is stored under an id. Raises IllegalMove."""
    if key not in mapping:
        raise IllegalMove(rule, f"there is no such {thing}")
    return mapping[key]


# ---- money -----------------------------------------------------------------------------------------------------------


def credit(state: Settlement, account: bytes, amount: int) -> Settlement:
    """The account can withdraw so much more."""
    if not amount:
        return state
    return replace(state, balances=put(state.balances, account, state.balances.get(account, 0) + amount))


def lose(state: Settlement, bond: int, winner: bytes) -> Settlement:
    """A lost bond: half to the winner, the rest burnt (rule 43)."""
    won, burnt = lost(bond)
    return credit(replace(state, burnt=state.burnt + burnt), winner, won)


def pay(state: Settlement, call: Call, wanted: int) -> Settlement:
    """The exact value, else the call reverts."""
    if call.value != wanted:
        raise IllegalMove(43, f"{wanted} wei are asked for, and {call.value} were sent")
    return replace(state, held=state.held + wanted)


def withdraw(state: Settlement, call: Call) -> Settlement:
    """Rule 19: what the sender is owed leaves the contract. State before transfer: called again, it finds nothing."""
    amount = pay(state, call, 0).balances.get(call.sender, 0)
    if not amount:
        raise IllegalMove(19, "nothing is owed to the sender")
    return replace(state, balances=without(state.balances, call.sender), held=state.held - amount)


def at_stake(state: Settlement) -> int:
    """What is neither owed nor burnt: fees and deposits of open requests, bonds of assertions and games, pay of demands."""
    requests = sum(each.fee + each.deposit for each in state.requests.values() if each.status is RequestStatus.OPEN)
    assertions = sum(
        state.requests[each.request].proposer_bond for each in state.assertions.values() if each.status is AssertionStatus.LIVING
    )
    games = sum(asked_in(state, game).challenge_bond for game in state.games.values() if game.state is not State.OVER)
    demands = sum(
        demand_pay(state.requests[state.assertions[each.assertion].request].price, each.length) for each in state.demands.values()
    )
    return requests + assertions + games + demands


def asked_in(state: Settlement, game: Game) -> Request:
    """The request in whose course a game is played."""
    return state.requests[state.assertions[game.terms.assertion].request]
