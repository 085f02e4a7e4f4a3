# SPDX-License-Identifier: MIT OR Apache-2.0
"""From a docket to the transactions that one account has to send now: pure functions, no chain, no clock, no log.

A watcher challenges what its own run contradicts and plays these games; a proposer answers requests and defends its answers; both
end what is over and take what they are owed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from verifiable_ml.dispute.bonds import CHALLENGE_GAS, challenge_bond, proposer_bond
from verifiable_ml.dispute.clock import Side, longest_against_prompt
from verifiable_ml.dispute.data import data_duties
from verifiable_ml.dispute.docket import Assertion, Docket, Match, Request
from verifiable_ml.dispute.duty import (
    WHENEVER,
    Answer,
    Challenge,
    CloseGame,
    Duty,
    Finalise,
    Play,
    ReturnBond,
    Role,
    Runner,
    Withdraw,
)
from verifiable_ml.dispute.game import Reason, State
from verifiable_ml.dispute.player import challenger, proposer
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus

MOST_LOST = 3
"""Games that a watcher loses against one assertion before it stops: something of its own is wrong."""
GAME_GAS = CHALLENGE_GAS // 4
"""What a whole game takes of one side at most, nearly."""
LONG_GAME = 8, 3
"""Rounds of both walks and levels of partials that a proposer counts on: 2^24 tensors of 2^26 leaves, at 6 levels a round."""


def duties(docket: Docket, role: Role, runner: Runner) -> tuple[Duty, ...]:
    """What has to be sent now, the most urgent first."""
    found = [
        *_moves(docket, role, runner),
        *_moot_games(docket, role),
        *data_duties(docket, role, runner),
        *(_challenges(docket, role, runner) if role.watches else ()),
        *(_answers(docket, role, runner) if role.proposes else ()),
        *_finals(docket, role, runner),
    ]
    return (*sorted(found, key=lambda duty: duty.deadline), *_money(docket, role, found))


# ---- games -----------------------------------------------------------------------------------------------------------


def _moves(docket: Docket, role: Role, runner: Runner) -> Iterator[Play]:
    for match, assertion, request in _own_games(docket, role):
        mine = runner(request)
        if is_moot(assertion, request) or mine is None:
            continue
        game, kind = match.game, match.game.form.kind if match.game.form else ""
        # Who plays against itself has both sides.
        for side, player, account in (
            (Side.PROPOSER, proposer, game.terms.proposer),
            (Side.CHALLENGER, challenger, game.terms.challenger),
        ):
            move = player(mine, game, match.moves, docket.now) if account == role.account else None
            if move is not None:
                expired = docket.now >= game.clock.deadline
                yield Play(WHENEVER if expired else game.clock.deadline, move, side, kind)


def _own_games(docket: Docket, role: Role) -> Iterator[tuple[Match, Assertion, Request]]:
    for match in docket.matches.values():
        if match.game.state is not State.OVER and role.account in (match.game.terms.proposer, match.game.terms.challenger):
            assertion = docket.assertions[match.assertion]
            yield match, assertion, docket.requests[assertion.request]


def is_moot(assertion: Assertion, request: Request) -> bool:
    """Whether games against it can only be closed."""
    return assertion.status is not AssertionStatus.LIVING or request.status is not RequestStatus.OPEN


def _moot_games(docket: Docket, role: Role) -> Iterator[CloseGame]:
    for match, assertion, request in _own_games(docket, role):
        returned = assertion.status is AssertionStatus.DEAD or request.status is RequestStatus.VOID
        winner = match.game.terms.challenger if returned else match.game.terms.proposer
        if is_moot(assertion, request) and winner == role.account:
            yield CloseGame(WHENEVER, match.game.terms.id)


# ---- assertions ------------------------------------------------------------------------------------------------------


def _challenges(docket: Docket, role: Role, runner: Runner) -> Iterator[Challenge]:
    for assertion, request in _living(docket):
        mine = runner(request)
        in_time = docket.now < assertion.end or request.living > 1
        if mine is None or mine.root == assertion.trace_root or not in_time or assertion.proposer == role.account:
            continue
        if _may_challenge(docket, role, assertion):
            yield Challenge(WHENEVER if request.living > 1 else assertion.end, request.id, assertion.id, mine.root)


def _may_challenge(docket: Docket, role: Role, assertion: Assertion) -> bool:
    """No game of its own goes on, or may go on: where events are missing, a second bond would be wasted."""
    opened = docket.opened.get(assertion.id, ())
    own = [each.game for each in opened if each.challenger == role.account]
    if len(opened) < assertion.games or not all(game in docket.matches for game in own):
        return False
    games = [docket.matches[game].game for game in own]
    lost = sum(game.outcome is not None and game.outcome.winner is Side.PROPOSER for game in games)
    return lost < MOST_LOST and all(game.state is State.OVER for game in games)


def _answers(docket: Docket, role: Role, runner: Runner) -> Iterator[Answer]:
    """Rule 49: also where a stranger has asserted the same, since the stranger need not defend it."""
    for request in docket.requests.values():
        is_open = request.status is RequestStatus.OPEN and (request.posting_end is None or docket.now < request.posting_end)
        if not is_open or _sure_fee(docket, request) < role.least_fee:
            continue
        mine = runner(request)
        if mine is not None and not _has_answered(docket, role, request, mine.root):
            yield Answer(request.posting_end or WHENEVER, request.id)


def _sure_fee(docket: Docket, request: Request) -> int:
    """In wei, of an answer that is given now: 0 if its requester could take the fee back before the answer is final, though its
    window is moved by a demand and a game against it stalls (rules 17, 42 and 52).
    """
    times = request.profile
    final = docket.now + times.window + times.time // 2 + longest_against_prompt(times, *LONG_GAME)
    return request.fee if request.deadline > final else 0


def _has_answered(docket: Docket, role: Role, request: Request, root: bytes) -> bool:
    """In this epoch; or in earlier ones, to its cost: a step that convicts shows that one's own run is wrong."""
    made = [
        each
        for each in docket.assertions.values()
        if (each.request, each.proposer, each.trace_root) == (request.id, role.account, root)
    ]
    lost = [each for each in made if each.status is AssertionStatus.DEAD]
    convicted = any(each.reason is Reason.STEP for each in lost)
    return convicted or len(lost) >= MOST_LOST or any(each.epoch == request.epoch for each in made)


def _living(docket: Docket) -> Iterator[tuple[Assertion, Request]]:
    for assertion in docket.assertions.values():
        request = docket.requests[assertion.request]
        if assertion.status is AssertionStatus.LIVING and request.status is RequestStatus.OPEN:
            yield assertion, request


def _finals(docket: Docket, role: Role, runner: Runner) -> Iterator[Finalise | ReturnBond]:
    """One's own, or what one's own run agrees with: somebody has to, and nobody else may be there."""
    done = set[bytes]()
    for assertion, request in _living(docket):
        mine = runner(request)
        right = assertion.proposer == role.account or (mine is not None and mine.root == assertion.trace_root)
        if right and request.id not in done and _is_sole_survivor(docket, assertion, request):
            done.add(request.id)
            yield Finalise(WHENEVER, assertion.id)
    for assertion in docket.assertions.values():
        is_open = docket.requests[assertion.request].status is RequestStatus.OPEN
        if assertion.status is AssertionStatus.LIVING and not is_open and assertion.proposer == role.account:
            yield ReturnBond(WHENEVER, assertion.id)


def _is_sole_survivor(docket: Docket, assertion: Assertion, request: Request) -> bool:
    """Rule 15."""
    closed = request.posting_end is not None and docket.now >= request.posting_end
    quiet = not assertion.open_games and not assertion.open_demands
    return closed and docket.now >= assertion.end and quiet and request.living == 1


# ---- money -----------------------------------------------------------------------------------------------------------


def _money(docket: Docket, role: Role, due: Sequence[Duty]) -> tuple[Withdraw, ...]:
    """When nothing of one's own is at stake any more: one transaction for all of it. Before, if what is due needs it: else a
    liar that waits in one game would keep the bonds that were won in others from being staked again.
    """
    games = any(_own_games(docket, role))
    at_stake = any(each.proposer == role.account for each, _ in _living(docket))
    is_short = docket.funds < _needed(docket, role, due)
    return (Withdraw(WHENEVER, docket.owed),) if docket.owed and (is_short or (not games and not at_stake)) else ()


def _needed(docket: Docket, role: Role, due: Sequence[Duty]) -> int:
    """Wei: the bonds of what is due, and gas for the games that go on."""
    gas = sum(GAME_GAS * request.price for _, _, request in _own_games(docket, role))
    return gas + sum(_bond(docket.requests[duty.request], duty) for duty in due if isinstance(duty, Challenge | Answer))


def _bond(request: Request, duty: Challenge | Answer) -> int:
    if isinstance(duty, Challenge):
        return challenge_bond(request.price)
    return proposer_bond(request.price, request.least_bond)


# ---- forecast --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Danger:
    """A game, or a challenge, that will be lost unless somebody does something: property 45."""

    about: bytes
    """Id of the game or the assertion."""
    reason: str
    left: int
    """Seconds until it is too late."""


def forecast(docket: Docket, role: Role, runner: Runner, margin: int = 0) -> tuple[Danger, ...]:
    """What will be lost if nothing changes. margin: seconds below which a turn of one's own is late, if more than half of its
    extension.
    """
    found = []
    for match, assertion, request in _own_games(docket, role):
        clock, terms = match.game.clock, match.game.terms
        left, mine = clock.deadline - docket.now, runner(request)
        own_turn = (terms.proposer, terms.challenger)[clock.side] == role.account
        if is_moot(assertion, request):
            continue
        if own_turn and left <= max(margin, clock.extension // 2):
            found.append(Danger(terms.id, "the clock runs out", left))
        if mine is None:
            found.append(Danger(terms.id, "the input or the program is not known here", left))
        elif terms.proposer == role.account and mine.root != terms.trace_root:
            found.append(Danger(terms.id, "this program and input no longer give the asserted trace", left))
        elif terms.challenger == role.account and mine.root == terms.trace_root:
            found.append(Danger(terms.id, "the assertion that it challenges is right", left))
        if docket.funds < GAME_GAS * request.price:
            found.append(Danger(terms.id, f"{docket.funds} wei do not pay for its moves", left))
    return (*found, *_unknown_games(docket, role), *_unknown_inputs(docket, role, runner))


def _unknown_games(docket: Docket, role: Role) -> Iterator[Danger]:
    """Games are open against one's own assertion, and fewer can be followed."""
    for assertion, _ in _living(docket):
        followed = sum(m.assertion == assertion.id and m.game.state is not State.OVER for m in docket.matches.values())
        if assertion.proposer == role.account and followed < assertion.open_games:
            yield Danger(assertion.id, f"{assertion.open_games - followed} games against it cannot be followed", 0)


def _unknown_inputs(docket: Docket, role: Role, runner: Runner) -> Iterator[Danger]:
    """Assertions about programs that are known here, and nobody of one's own checks them."""
    for assertion, request in _living(docket):
        if role.watches and runner(request) is None and runner.lengths(request) and not runner.outside(request):
            yield Danger(assertion.id, "its input is not known here, so it is not checked", assertion.end - docket.now)


def fee_limit(deadline: int, now: int, time: int, price: int, most: int) -> int:
    """The most wei for one gas: twice the price that bonds are counted in while there is time, in the last half all that is
    allowed.

    time: T of the profile, in seconds. So a spike is waited for, and no game is lost for thrift (property 44).
    """
    return most if deadline - now <= time // 2 else min(most, 2 * price)
