# SPDX-License-Identifier: MIT OR Apache-2.0
"""A settlement in memory as a docket, as if it had been read off a chain, and duties as actions: the daemon itself decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifiable_ml.dispute import actions, duty, onchain, settlement
from verifiable_ml.dispute.docket import Assertion, Docket, Match, Opened, Request
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.moves import Move
from verifiable_ml.dispute.runs import Outside
from verifiable_ml.dispute.settlement import Settlement

RICH = 10**24


@dataclass(frozen=True)
class Known:
    """What an account's own runs gave, by request: it knows nothing of others."""

    forests: Mapping[bytes, Forest]

    def __call__(self, request: Request) -> Forest | None:
        return self.forests.get(request.id)

    def lengths(self, request: Request) -> tuple[int, ...]:
        return ()

    def outside(self, request: Request) -> Outside | None:
        return None


def docket_of(state: Settlement, played: Mapping[bytes, Sequence[Move]], account: bytes, now: int) -> Docket:
    """What a reader would have found. played: the moves of each game."""
    opened = dict[bytes, tuple[Opened, ...]]()
    for name, game in state.games.items():
        opened[game.terms.assertion] = (*opened.get(game.terms.assertion, ()), Opened(name, game.terms.challenger))
    return Docket(
        now=now,
        block=0,
        requests={name: _request(name, asked) for name, asked in state.requests.items()},
        assertions={key: _assertion(key, made) for key, made in state.assertions.items()},
        matches={name: Match(game, tuple(played.get(name, ()))) for name, game in state.games.items()},
        opened=opened,
        demands={name: _demand(name, asks) for name, asks in state.demands.items()},
        owed=state.balances.get(account, 0),
        funds=RICH,
    )


def _request(name: bytes, asked: settlement.Request) -> Request:
    return Request(
        id=name,
        program_id=asked.program,
        roots=asked.input_roots,
        inputs=(),
        profile=asked.times,
        price=asked.price,
        fee=asked.fee,
        deadline=asked.deadline,
        least_bond=asked.minimum_bond,
        status=asked.status,
        epoch=asked.epoch,
        first_posted=asked.first_posted or 0,
        living=len(asked.living),
    )


def _assertion(key: bytes, made: settlement.Assertion) -> Assertion:
    return Assertion(
        id=key,
        request=made.request,
        proposer=made.proposer,
        epoch=made.epoch,
        trace_root=made.trace_root,
        outputs=made.output_roots,
        status=made.status,
        reason=made.reason,
        posted=made.posted,
        end=made.end,
        games=made.games,
        open_games=made.open_games,
        open_demands=made.open_demands,
    )


def _demand(name: bytes, asks: settlement.Demand) -> onchain.Demand:
    payer = "0x" + asks.payer.hex()
    return onchain.Demand(name, asks.assertion, payer, asks.deadline, asks.dtype, asks.nbytes, asks.root, asks.first, asks.count)


def action_of(due: duty.Duty, state: Settlement, mine: Forest) -> actions.Action | None:
    """None of a withdrawal: what an account is owed stays where it is counted."""
    match due:
        case duty.Play():
            return actions.Play(due.move.game, due.move)
        case duty.Challenge():
            return actions.Challenge(due.assertion, due.own_root)
        case duty.Answer():
            return actions.Propose(due.request, actions.answer(state, due.request, mine))
        case duty.Serve():
            return actions.Serve(due.demand.id, actions.served(mine, state.demands[due.demand.id]))
        case duty.CloseDemand():
            return actions.CloseDemand(due.demand.id)
        case duty.CloseGame():
            return actions.Close(due.game)
        case duty.Finalise():
            return actions.Finalise(due.assertion)
        case duty.ReturnBond():
            return actions.ReturnBond(due.assertion)
    assert isinstance(due, duty.Withdraw)
    return None
