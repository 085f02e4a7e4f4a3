# SPDX-License-Identifier: MIT OR Apache-2.0
"""Assertions, challenges, verdicts and finality: rules 12 to 20 and 43. Counters only, no loop over what others have posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verifiable_ml.commitment import keccak, tensor_root
from verifiable_ml.commitment.merkle import TRACE, depth_of
from verifiable_ml.dispute import rules
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.game import Game, Outcome, Reason, State, Terms, game_id
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.settlement.ledger import (
    Assertion,
    AssertionStatus,
    Call,
    KnownProgram,
    Request,
    RequestStatus,
    Settlement,
    credit,
    found,
    lose,
    pay,
    put,
    without,
)
from verifiable_ml.dispute.settlement.requests import open_request
from verifiable_ml.dispute.walk import are_words, climb
from verifiable_ml.errors import IllegalMove

MAX_OUTPUT_BYTES = 4 * 1024
"""Of all outputs together, to travel with an assertion (rule 12)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an assertion says and shows (rule 12)."""

    trace_root: bytes
    outputs: tuple[bytes, ...]
    """The bytes of each; their roots, if they are more than 4 KiB together."""
    paths: tuple[tuple[bytes, ...], ...]
    """Of each input's root, then of each output's: its siblings in the tree of the trace."""


# ---- assertions ------------------------------------------------------------------------------------------------------


def propose(state: Settlement, call: Call, name: bytes, answer: Answer) -> Settlement:
    """Rules 12 to 14: an answer to a request, at the exact bond."""
    asked = open_request(state, name)
    roots = _output_roots(state.programs[asked.program], answer)
    _check_paths(state, asked, answer, roots)
    if asked.posting_end is not None and call.now >= asked.posting_end:
        raise IllegalMove(13, f"posting ended at {asked.posting_end}")
    key = assertion_id(name, asked.epoch, call.sender, roots, answer.trace_root)
    # INVARIANT: an assertion that was rejected does not come back; in a new epoch it is another one.
    if key in state.assertions:
        raise IllegalMove(14, "the sender has asserted this commitment in this epoch")
    state = pay(state, call, asked.proposer_bond)
    end = call.now + asked.times.window
    made = Assertion(name, call.sender, answer.trace_root, roots, asked.epoch, call.now, end)
    asked = replace(
        asked,
        first_posted=call.now if asked.first_posted is None else asked.first_posted,
        first_proposer=asked.first_proposer or call.sender,
        first_of=asked.first_of if answer.trace_root in asked.living else put(asked.first_of, answer.trace_root, key),
        living=put(asked.living, answer.trace_root, asked.living.get(answer.trace_root, 0) + 1),
    )
    return replace(state, requests=put(state.requests, name, asked), assertions=put(state.assertions, key, made))


def assertion_id(name: bytes, epoch: int, proposer: bytes, output_roots: Sequence[bytes], trace_root: bytes) -> bytes:
    """Rule 9: H(12 || request id || epoch u32 || proposer 20 || output roots || trace root)."""
    return keccak(b"\x12" + name + epoch.to_bytes(4, "big") + proposer + b"".join(output_roots) + trace_root)


def _output_roots(program: KnownProgram, answer: Answer) -> tuple[bytes, ...]:
    total = sum(form.nbytes for form in program.outputs)
    by_roots = total > MAX_OUTPUT_BYTES
    lengths = [32 if by_roots else form.nbytes for form in program.outputs]
    if [len(output) for output in answer.outputs] != lengths:
        raise IllegalMove(12, f"outputs of {lengths} bytes are asked for")
    if by_roots:
        return answer.outputs
    return tuple(tensor_root(form.dtype, data) for form, data in zip(program.outputs, answer.outputs, strict=True))


def _check_paths(state: Settlement, asked: Request, answer: Answer, output_roots: tuple[bytes, ...]) -> None:
    """Inputs and outputs are leaves of the trace, where the program has them: who lies in the output alone finds no path."""
    program = state.programs[asked.program]
    places = [*range(len(program.inputs)), *(form.index for form in program.outputs)]
    roots, depth = (*asked.input_roots, *output_roots), depth_of(program.game.count)
    if len(answer.paths) != len(places) or any(len(path) != depth or not are_words(path) for path in answer.paths):
        raise IllegalMove(12, f"{len(places)} paths of {depth} siblings are asked for")
    for index, root, path in zip(places, roots, answer.paths, strict=True):
        top = climb(root, index, path)
        if keccak(TRACE + program.game.count.to_bytes(4, "big") + top) != answer.trace_root:
            raise IllegalMove(12, f"tensor {index} is not where the program has it under the trace root")


def living(state: Settlement, key: bytes) -> tuple[Assertion, Request]:
    """A living assertion of an open request. Raises IllegalMove."""
    made = found(state.assertions, key, 16, "assertion")
    if made.status is not AssertionStatus.LIVING:
        raise IllegalMove(16, f"the assertion is {made.status.value}")
    return made, open_request(state, made.request)


def is_moot(state: Settlement, key: bytes) -> bool:
    """Whether games and demands against an assertion have nothing to decide any more."""
    made = state.assertions[key]
    return made.status is not AssertionStatus.LIVING or state.requests[made.request].status is not RequestStatus.OPEN


# ---- challenges ------------------------------------------------------------------------------------------------------


def challenge(state: Settlement, call: Call, key: bytes, own_root: bytes) -> Settlement:
    """Rules 16 and 20: opens a game, at the exact bond."""
    made, asked = living(state, key)
    # INVARIANT: what nobody may challenge any more has no rival, so nothing wrong is final because its window ended first.
    if call.now >= made.end and len(asked.living) < 2:
        raise IllegalMove(16, f"its window ended at {made.end}, and no rival lives")
    state = pay(state, call, asked.challenge_bond)
    name = game_id(key, call.sender, made.games)
    program = state.programs[asked.program].game
    terms = Terms(name, key, made.proposer, call.sender, made.trace_root, program, asked.times, state.fan_out)
    game = rules.open_game(terms, own_root, call.now)
    made = replace(made, games=made.games + 1, open_games=made.open_games + 1)
    asked = replace(asked, first_game=asked.first_game or name)
    return replace(
        state,
        games=put(state.games, name, game),
        assertions=put(state.assertions, key, made),
        requests=put(state.requests, made.request, asked),
    )


def play(state: Settlement, call: Call, name: bytes, move: Move) -> Settlement:
    """A move of a game, and what its end settles."""
    game = found(pay(state, call, 0).games, name, 30, "game")
    if is_moot(state, game.terms.assertion):
        raise IllegalMove(43, "the game has become moot: it can only be closed")
    game = rules.play(game, move, call.sender, call.now)
    state = replace(state, games=put(state.games, name, game))
    return state if game.outcome is None else _settle(state, game, game.outcome)


def _settle(state: Settlement, game: Game, outcome: Outcome) -> Settlement:
    """Rule 43: the loser's bond, half to the winner of this game; a won game kills the assertion."""
    state, made, asked = _released(state, game)
    if outcome.winner is Side.PROPOSER:
        return lose(state, asked.challenge_bond, made.proposer)
    state = credit(state, game.terms.challenger, asked.challenge_bond)
    return reject(state, game.terms.assertion, outcome.reason, game.terms.challenger)


def _released(state: Settlement, game: Game) -> tuple[Settlement, Assertion, Request]:
    made = state.assertions[game.terms.assertion]
    made = replace(made, open_games=made.open_games - 1)
    state = replace(state, assertions=put(state.assertions, game.terms.assertion, made))
    return state, made, state.requests[made.request]


def close(state: Settlement, call: Call, name: bytes) -> Settlement:
    """Rules 15, 33 and 43: a game that became moot. Its bond returns, but is lost against an assertion that was right."""
    game = found(pay(state, call, 0).games, name, 30, "game")
    if game.state is State.OVER or not is_moot(state, game.terms.assertion):
        raise IllegalMove(43, "the game is over, or goes on")
    state, made, asked = _released(state, game)
    state = replace(state, games=put(state.games, name, replace(game, state=State.OVER)))
    if made.status is AssertionStatus.DEAD or asked.status is RequestStatus.VOID:
        return credit(state, game.terms.challenger, asked.challenge_bond)
    return lose(state, asked.challenge_bond, made.proposer)


def reject(state: Settlement, key: bytes, reason: Reason, winner: bytes) -> Settlement:
    """Rules 14 and 18: kills an assertion, never a commitment. Rule 17: with the last one the next epoch begins."""
    made = replace(state.assertions[key], status=AssertionStatus.DEAD, reason=reason)
    asked = state.requests[made.request]
    left = asked.living[made.trace_root] - 1
    others = put(asked.living, made.trace_root, left) if left else without(asked.living, made.trace_root)
    asked = replace(asked, living=others)
    if not others:
        asked = replace(asked, epoch=asked.epoch + 1, first_posted=None)
    state = replace(state, assertions=put(state.assertions, key, made), requests=put(state.requests, made.request, asked))
    return lose(state, asked.proposer_bond, winner)


# ---- finality --------------------------------------------------------------------------------------------------------


def finalise(state: Settlement, call: Call, key: bytes) -> Settlement:
    """Rule 15, sole survivor: whoever knows better has had W to say so, and whoever has said so was wrong. By anybody."""
    made, asked = living(pay(state, call, 0), key)
    _check_final(call, made, asked)
    done = replace(asked, status=RequestStatus.FINAL, final=key, fee=0)
    state = replace(
        state,
        assertions=put(state.assertions, key, replace(made, status=AssertionStatus.FINAL)),
        requests=put(state.requests, made.request, done),
    )
    state = credit(credit(state, _earner(state, made, asked), asked.fee), made.proposer, asked.proposer_bond)
    return credit(state, asked.requester, asked.deposit)


def _earner(state: Settlement, made: Assertion, asked: Request) -> bytes:
    """Whose the fee is. INVARIANT: not the copier's, who needs but one demand or game to make its copy the first to be final."""
    first = state.assertions[asked.first_of[made.trace_root]]
    return made.proposer if first.status is AssertionStatus.DEAD else first.proposer


def _check_final(call: Call, made: Assertion, asked: Request) -> None:
    if asked.posting_end is None or call.now < asked.posting_end:
        raise IllegalMove(15, "posting is open")
    if call.now < made.end:
        raise IllegalMove(15, "its window is open")
    if made.open_games:
        raise IllegalMove(15, "a game against it is open")
    if made.open_demands:
        raise IllegalMove(15, "a demand on it is open")
    if len(asked.living) > 1:
        raise IllegalMove(15, "a rival lives")


def return_bond(state: Settlement, call: Call, key: bytes) -> Settlement:
    """Rules 15 and 33: of a living assertion of a closed request: it has the final commitment, or nobody could be right."""
    made = found(pay(state, call, 0).assertions, key, 15, "assertion")
    asked = state.requests[made.request]
    if made.status is not AssertionStatus.LIVING or asked.status is RequestStatus.OPEN:
        raise IllegalMove(15, "the assertion is not living, or its request open")
    made = replace(made, status=AssertionStatus.RETURNED)
    state = replace(state, assertions=put(state.assertions, key, made))
    return credit(state, made.proposer, asked.proposer_bond)


def is_final(state: Settlement, name: bytes, output_roots: Sequence[bytes]) -> bool:
    """What a consumer reads: whether these are the request's final outputs."""
    asked = state.requests.get(name)
    return asked is not None and asked.final is not None and state.assertions[asked.final].output_roots == tuple(output_roots)
