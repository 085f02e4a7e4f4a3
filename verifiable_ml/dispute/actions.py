# SPDX-License-Identifier: MIT OR Apache-2.0
"""What an account can do to a settlement that lies in memory, as values: the twin of onchain.py. Who decides is duties.py."""

from __future__ import annotations

from dataclasses import dataclass

from verifiable_ml.commitment import tensor_tree
from verifiable_ml.dispute import settlement
from verifiable_ml.dispute.forest import Forest, siblings
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.dispute.settlement import Call, Demand, Settlement
from verifiable_ml.dispute.settlement.assertions import MAX_OUTPUT_BYTES, Answer


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
class CloseDemand:
    """End a demand that was not served."""

    demand: bytes


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


Action = Propose | Challenge | Play | Serve | CloseDemand | Finalise | Close | ReturnBond


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
        case CloseDemand(demand):
            return settlement.close_demand(state, call, demand)
        case Finalise(assertion):
            return settlement.finalise(state, call, assertion)
        case Close(game):
            return settlement.close(state, call, game)
        case ReturnBond(assertion):
            return settlement.return_bond(state, call, assertion)


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
