# SPDX-License-Identifier: MIT OR Apache-2.0
"""What an honest account does next on chain: a pure function from all that is stored to the actions that are due.

It asserts its own commitment even if a stranger did (rule 49), challenges every other one once (rule 16), plays the games of both
roles, serves demands on its assertions, and takes what is its own. Called again after each of its actions, it repeats none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifiable_ml.commitment import tensor_tree
from verifiable_ml.dispute import player, settlement
from verifiable_ml.dispute.forest import Forest, siblings
from verifiable_ml.dispute.game import Game, State, game_id
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.dispute.settlement import Assertion, AssertionStatus, Call, Demand, Request, RequestStatus, Settlement
from verifiable_ml.dispute.settlement.assertions import MAX_OUTPUT_BYTES, Answer, assertion_id
from verifiable_ml.errors import IllegalMove

Played = Mapping[bytes, Sequence[Move]]
"""The moves of each game so far, by its id: the chain's events."""
Known = Mapping[bytes, Forest]
"""What the account's own runs gave, by request: a watcher does nothing about a request that it has not run."""


# ---- actions ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Propose:
    """Assert an answer."""

    request: bytes
    answer: Answer


@dataclass(frozen=True, slots=True)
class Challenge:
    """Open a game."""

    assertion: bytes
    own_root: bytes


@dataclass(frozen=True, slots=True)
class Play:
    """Move in a game, or say that the other side's time is over."""

    game: bytes
    move: Move


@dataclass(frozen=True, slots=True)
class Serve:
    """Show what is demanded."""

    demand: bytes
    run: Run


@dataclass(frozen=True, slots=True)
class Finalise:
    """Make the answer final."""

    assertion: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Take the bond of a moot game back."""

    game: bytes


@dataclass(frozen=True, slots=True)
class ReturnBond:
    """Take the bond of an assertion back whose request is closed."""

    assertion: bytes


Action = Propose | Challenge | Play | Serve | Finalise | Close | ReturnBond


def cost(state: Settlement, action: Action) -> int:
    """The value that the action sends along."""
    match action:
        case Propose(request, _):
            return state.requests[request].proposer_bond
        case Challenge(assertion, _):
            return state.requests[state.assertions[assertion].request].challenge_bond
    return 0


def perform(state: Settlement, sender: bytes, now: int, action: Action) -> Settlement:
    """What the contracts make of it. Raises IllegalMove, MalformedEvidence."""
    call = Call(sender, now, cost(state, action))
    match action:
        case Propose(request, answer):
            return settlement.propose(state, call, request, answer)
        case Challenge(assertion, own_root):
            return settlement.challenge(state, call, assertion, own_root)
        case Play(game, move):
            return settlement.play(state, call, game, move)
        case Serve(demand, run):
            return settlement.serve(state, call, demand, run)
        case Finalise(assertion):
            return settlement.finalise(state, call, assertion)
        case Close(game):
            return settlement.close(state, call, game)
        case ReturnBond(assertion):
            return settlement.return_bond(state, call, assertion)


# ---- what is due -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """Who acts, and in which roles."""

    address: bytes
    proposes: bool = True
    challenges: bool = True


def due(state: Settlement, played: Played, me: Account, known: Known, now: int) -> Iterator[Action]:
    """All that the account has to do now, the most urgent first. Each is legal by itself, as the state is."""
    yield from _games(state, played, me, known, now)
    for name, demand in state.demands.items():
        made = state.assertions[demand.assertion]
        if made.proposer == me.address and made.request in known and now < demand.deadline and _is_open(state, made):
            yield Serve(name, served(known[made.request], demand))
    for key, made in state.assertions.items():
        if made.request in known and made.status is AssertionStatus.LIVING:
            yield from _about(state, me, known[made.request], now, key, made)
    for name, asked in state.requests.items():
        if me.proposes and name in known and asked.status is RequestStatus.OPEN:
            yield from _answer(state, me, known[name], now, name, asked)


def _is_open(state: Settlement, made: Assertion) -> bool:
    return made.status is AssertionStatus.LIVING and state.requests[made.request].status is RequestStatus.OPEN


def _games(state: Settlement, played: Played, me: Account, known: Known, now: int) -> Iterator[Action]:
    for name, game in state.games.items():
        made = state.assertions[game.terms.assertion]
        if game.state is State.OVER or made.request not in known:
            continue
        mine, moves = known[made.request], played.get(name, ())
        if not _is_open(state, made):
            if game.terms.challenger == me.address:
                yield Close(name)
        elif move := _move(game, moves, me, mine, now):
            yield Play(name, move)


def _move(game: Game, moves: Sequence[Move], me: Account, mine: Forest, now: int) -> Move | None:
    """As the challenger; or as the proposer, of its own commitment alone."""
    if game.terms.challenger == me.address:
        return player.challenger(mine, game, moves, now)
    if game.terms.proposer == me.address and game.terms.trace_root == mine.root:
        return player.proposer(mine, game, moves, now)
    return None


def _about(state: Settlement, me: Account, mine: Forest, now: int, key: bytes, made: Assertion) -> Iterator[Action]:
    """A living assertion: challenge it, make it final, or take its bond back."""
    asked = state.requests[made.request]
    if asked.status is not RequestStatus.OPEN:
        if made.proposer == me.address:
            yield ReturnBond(key)
    elif made.trace_root != mine.root:
        challenged = any(game_id(key, me.address, counter) in state.games for counter in range(made.games))
        if me.challenges and not challenged and (now < made.end or len(asked.living) > 1):
            yield Challenge(key, mine.root)
    elif made.proposer == me.address and _is_legal(state, me, now, Finalise(key)):
        yield Finalise(key)


def _answer(state: Settlement, me: Account, mine: Forest, now: int, name: bytes, asked: Request) -> Iterator[Action]:
    """Rule 49: its own assertion, whoever else has posted the same."""
    made = answer(state, name, mine)
    key = assertion_id(name, asked.epoch, me.address, output_roots(state, name, mine), mine.root)
    if key not in state.assertions and (asked.posting_end is None or now < asked.posting_end):
        yield Propose(name, made)


def _is_legal(state: Settlement, me: Account, now: int, action: Action) -> bool:
    try:
        perform(state, me.address, now, action)
    except IllegalMove:
        return False
    return True


# ---- what is shown ---------------------------------------------------------------------------------------------------


def output_roots(state: Settlement, request: bytes, mine: Forest) -> tuple[bytes, ...]:
    """The tensor root of each output."""
    forms = state.programs[state.requests[request].program].outputs
    return tuple(mine.trace[0][form.index] for form in forms)


def answer(state: Settlement, request: bytes, mine: Forest) -> Answer:
    """What a forest asserts of a request, and shows (rule 12)."""
    program = state.programs[state.requests[request].program]
    places = [*range(len(program.inputs)), *(form.index for form in program.outputs)]
    paths = tuple(siblings(mine.trace, 0, index, len(mine.trace) - 1) for index in places)
    if sum(form.nbytes for form in program.outputs) > MAX_OUTPUT_BYTES:
        return Answer(mine.root, output_roots(state, request, mine), paths)
    return Answer(mine.root, tuple(mine.data(form.index) for form in program.outputs), paths)


def served(mine: Forest, demand: Demand) -> Run:
    """The demanded leaves, of whichever tensor has that root: an input, an output or a constant."""
    data = mine.demanded(demand.root)
    if data is None:
        raise ValueError("the program has no tensor of that root")
    return show(data, tensor_tree(data), range(demand.first, demand.first + demand.count))[0]
