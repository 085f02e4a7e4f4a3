# SPDX-License-Identifier: MIT OR Apache-2.0
"""What is pending: requests, assertions, games and demands as the chain tells them, at one moment. Values only.

A game is rebuilt from its events by the rules themselves (rules.py), so that a watcher which has lost everything else plays on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from verifiable_ml.dispute import rules
from verifiable_ml.dispute.calldata import unpacked
from verifiable_ml.dispute.clock import PROFILES, Profile, Side
from verifiable_ml.dispute.forest import Forest, registration, siblings
from verifiable_ml.dispute.game import MOVER, Game, Outcome, Reason, State, Terms
from verifiable_ml.dispute.moves import Block, Described, Move, Name, Partials, Pick, PickInterval, Reveal
from verifiable_ml.dispute.onchain import Demand
from verifiable_ml.dispute.player import leaf_of
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus
from verifiable_ml.dispute.walk import grown
from verifiable_ml.errors import ChainError

REQUEST_STATUS = None, *RequestStatus
"""The contract's enum RequestStatus."""
ASSERTION_STATUS = None, *AssertionStatus
"""The contract's enum AssertionStatus."""
ABSENT: tuple[bytes, ...] = ()
"""Levels of a tree that are not asked for."""
REASONS = None, Reason.STEP, Reason.TIMEOUT, Reason.DATA
"""The contract's enum Reason."""


@dataclass(frozen=True, slots=True)
class Request:
    """A question about a program. fee, price and bond in wei, times in seconds, the deadline in unix time."""

    id: bytes
    program_id: bytes
    roots: tuple[bytes, ...]
    inputs: tuple[bytes, ...]
    """The bytes of each input; () if they were given by roots, and were not shown since."""
    profile: Profile
    price: int
    fee: int
    deadline: int
    """From which on its requester can take the fee back (rule 17)."""
    least_bond: int
    status: RequestStatus
    epoch: int
    first_posted: int
    """Of this epoch; 0: none yet."""
    living: int
    """Commitments that have a living assertion."""

    @property
    def posting_end(self) -> int | None:
        """The first second in which nothing can be asserted any more; None: there is none yet (rule 13)."""
        return self.first_posted + self.profile.window if self.first_posted else None


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer, with its trace root at stake."""

    id: bytes
    request: bytes
    proposer: bytes
    """20 bytes."""
    epoch: int
    trace_root: bytes
    outputs: tuple[bytes, ...]
    status: AssertionStatus
    reason: Reason | None
    """Why it is dead."""
    posted: int
    end: int
    """The first second in which it can no longer be challenged, unless a rival lives."""
    games: int
    """Ever opened against it."""
    open_games: int
    open_demands: int


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and when its block was made."""

    name: str
    values: Mapping[str, Any]
    time: int


@dataclass(frozen=True, slots=True)
class Conviction:
    """What the contract has recomputed, and what stood there."""

    element: int
    piece: int
    claimed: int
    computed: int


@dataclass(frozen=True, slots=True)
class Match:
    """A game of the chain: its state, and the moves that led to it, but for the step."""

    game: Game
    moves: tuple[Move, ...]
    conviction: Conviction | None = None

    @property
    def assertion(self) -> bytes:
        """What the game is about."""
        return self.game.terms.assertion


@dataclass(frozen=True, slots=True)
class Opened:
    """That there is a game, and whose."""

    game: bytes
    challenger: bytes


@dataclass(frozen=True, slots=True)
class Docket:
    """All of it, at the time of one block, as far as it is about programs that the reader knows. owed, funds: in wei."""

    now: int
    block: int
    requests: Mapping[bytes, Request] = field(default_factory=dict)
    assertions: Mapping[bytes, Assertion] = field(default_factory=dict)
    matches: Mapping[bytes, Match] = field(default_factory=dict)
    """Games whose events and state agree."""
    opened: Mapping[bytes, tuple[Opened, ...]] = field(default_factory=dict)
    """All games against an assertion, also those that cannot be followed; the assertion that was challenged first comes first."""
    demands: Mapping[bytes, Demand] = field(default_factory=dict)
    leaves: Mapping[bytes, Mapping[int, bytes]] = field(default_factory=dict)
    """What demands have brought onto the chain: by the root of the tensor, by the place of the leaf."""
    owed: int = 0
    funds: int = 0


def account_bytes(address: str) -> bytes:
    """20 bytes of 0x and 40 digits."""
    return bytes.fromhex(address[2:])


def request_of(told: Told, stored: Sequence[Any]) -> Request:
    """From the event Requested and the struct Request."""
    values = told.values
    return Request(
        id=values["requestId"],
        program_id=values["programId"],
        roots=tuple(values["inputRoots"]),
        inputs=tuple(values["inputs"]),
        profile=PROFILES[stored[3]],
        status=RequestStatus(REQUEST_STATUS[stored[4]]),
        price=stored[6],
        least_bond=stored[7],
        fee=stored[8],
        deadline=stored[1],
        epoch=stored[2],
        first_posted=stored[9],
        living=stored[10],
    )


def assertion_of(told: Told, stored: Sequence[Any]) -> Assertion:
    """From the event Asserted and the struct Assertion."""
    values = told.values
    return Assertion(
        id=values["assertionId"],
        request=values["requestId"],
        proposer=account_bytes(values["proposer"]),
        epoch=values["epoch"],
        trace_root=values["traceRoot"],
        outputs=tuple(values["outputs"]),
        status=AssertionStatus(ASSERTION_STATUS[stored[5]]),
        reason=REASONS[stored[6]],
        posted=stored[3],
        end=stored[4],
        games=stored[9],
        open_games=stored[10],
        open_demands=stored[11],
    )


def demand_of(told: Told) -> Demand:
    """From the event Demanded."""
    return Demand(told.values["demandId"], *told.values["demand"])


# ---- a game out of its events ----------------------------------------------------------------------------------------


def match_of(events: Sequence[Told], about: Assertion, request: Request, fan_out: int, mine: Forest) -> Match:
    """Replays a game, which its GameOpened begins. mine: any run of the same program; only what the program fixes is read.

    Raises ChainError if the events do not make a game.
    """
    opened = events[0]
    values, program = opened.values, registration(mine.program)
    challenger = account_bytes(values["challenger"])
    terms = Terms(values["gameId"], about.id, about.proposer, challenger, about.trace_root, program, request.profile, fan_out)
    match = Match(rules.open_game(terms, values["ownRoot"], opened.time), ())
    try:
        for told in _joined(events[1:]):
            match = _told(match, told, mine)
    except (LookupError, ValueError, StopIteration) as error:
        raise ChainError(
            thing=f"game 0x{terms.id.hex()}", reason=f"its events are incomplete ({error})", hint="ask the node again"
        ) from error
    return match


def _joined(events: Sequence[Told]) -> Iterable[Told]:
    """Entered goes with the reveal or block after it: one move."""
    entered: Mapping[str, Any] = {}
    for told in events:
        if told.name == "Entered":
            entered = told.values
        else:
            yield Told(told.name, {**entered, **told.values}, told.time)
            entered = {}


def _told(match: Match, told: Told, mine: Forest) -> Match:
    game, values = match.game, told.values
    if told.name == "GameOver":
        reason = REASONS[values["reason"]]
        assert reason is not None, "a game is over for a reason"
        outcome = Outcome(Side(values["loser"]).other, reason)
        return replace(match, game=replace(game, state=State.OVER, outcome=outcome))
    if told.name == "GameClosed":
        return replace(match, game=replace(game, state=State.OVER))
    if told.name == "Convicted":
        return replace(match, conviction=Conviction(*(values[name] for name in ("element", "piece", "claimed", "computed"))))
    move = _move(match, told, mine)
    sender = game.terms.proposer if MOVER[game.state] is Side.PROPOSER else game.terms.challenger
    return replace(match, game=rules.play(game, move, sender, told.time), moves=(*match.moves, move))


def _move(match: Match, told: Told, mine: Forest) -> Move:
    game, values = match.game, told.values
    named = (game.terms.id, values["number"], game.node)
    match told.name:
        case "Revealed":
            return Reveal(*named, tuple(values["children"]), _siblings(match), _opened(values, mine))
        case "Picked":
            return Pick(*named, values["child"])
        case "BlockPosted":
            return Block(*named, values["data"], _siblings(match), _opened(values, mine))
        case "ElementNamed":
            shown = match.moves[-1]
            assert isinstance(shown, Block), "an element is named of a block"
            return Name(*named, values["element"], leaf_of(game, shown, values["element"]))
        case "PartialsPosted":
            record = mine.record(game.tensor, game.element) if game.end is None else None
            posted = unpacked(game.formed.kind, values["partials"])
            return Partials(*named, game.element, game.first, posted, mine.descriptor(game.tensor), record)
        case "IntervalPicked":
            shown = match.moves[-1]
            assert isinstance(shown, Partials), "an interval is picked of a list"
            return PickInterval(*named, values["interval"], shown.posted)
    raise ValueError(told.name)


def _siblings(match: Match) -> tuple[bytes, ...]:
    """From the picked child up to the node above: events leave them out, since the children revealed before have them all."""
    if not match.moves:
        return ()
    shown, picked = match.moves[-2:]
    if not isinstance(shown, Reveal) or not isinstance(picked, Pick):
        raise ValueError("what is shown answers a pick")
    top, bottom = match.game.stations[match.game.round - 1 : match.game.round + 1]
    return siblings([ABSENT] * bottom + grown(shown.children, bottom, top), bottom, picked.child, top - bottom)


def _opened(values: Mapping[str, Any], mine: Forest) -> Described | None:
    return Described(values["descriptor"], mine.descriptor_path(values["tensor"])) if "descriptor" in values else None
