# SPDX-License-Identifier: MIT OR Apache-2.0
"""The loop of `vml watch` and `vml propose`: read the docket, ask duties.py what to do, send it, say so; and again.

It keeps nothing that it could not read again: kill it at any time and start it anew. What a chain or a node does to it (no
answer, a lagging one, a re-org, a nonce that is taken, fees that rise) ends one pass and is met again by the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from verifiable_ml.chain import Reverted, Sent
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.deployment import Contracts
from verifiable_ml.dispute.docket import Docket, Request
from verifiable_ml.dispute.duties import Danger, duties, fee_limit, forecast
from verifiable_ml.dispute.duty import (
    WHENEVER,
    Answer,
    Buy,
    Challenge,
    CloseDemand,
    CloseGame,
    Duty,
    Finalise,
    Play,
    ReturnBond,
    Role,
    Serve,
    ShowBadInput,
    Withdraw,
)
from verifiable_ml.dispute.reader import Reader
from verifiable_ml.dispute.runs import Runs
from verifiable_ml.dispute.settlement import RequestStatus
from verifiable_ml.errors import ChainError, TransactionPending

LOG = logging.getLogger(__name__)

BUMP = 25
"""Percent by which the fees of a transaction that waits are raised, each time; nodes ask for 10 at least."""
PATIENCE = 30.0
"""Seconds that one transaction may hold up the others: then the next one that is due takes its place; it is sent again later."""
HASTE = 4
"""Into so many parts the time until a duty's deadline is cut: one is waited for a block, then fees are raised."""
LONGEST_PAUSE = 60.0
"""Seconds between two passes when nothing answers."""


@dataclass(frozen=True, slots=True)
class Done:
    """A duty that was sent and succeeded."""

    duty: Duty
    sent: Sent


@dataclass
class Count:
    """What has happened since the start: for metrics and for people."""

    passes: int = 0
    failures: int = 0
    transactions: int = 0
    gas: int = 0
    refused: int = 0
    warnings: int = 0
    done: dict[str, int] = field(default_factory=dict)


@dataclass
class Daemon:
    """One account's work. margin: seconds left on a clock of one's own below which it warns."""

    contracts: Contracts
    role: Role
    runs: Runs
    margin: int = 0
    count: Count = field(default_factory=Count)
    docket: Docket | None = None
    bump: int = 0
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Reader(self.contracts, self.runs)

    @property
    def account(self) -> str:
        """The address that pays."""
        return "0x" + self.role.account.hex()

    def once(self, wanted: Callable[[Duty, Docket], bool] = lambda duty, docket: True) -> list[Done]:
        """One pass: what was sent and succeeded, of the duties that are wanted. Raises ChainError if the chain cannot be read."""
        docket = self.docket = self.reader.read(self.account)
        self.count.passes += 1
        for danger in forecast(docket, self.role, self.runs, self.margin):
            self._warn(danger)
        done = []
        for duty in duties(docket, self.role, self.runs):
            sent = self._attempt(duty, docket) if wanted(duty, docket) else None
            if sent:
                done.append(Done(duty, sent))
        return done

    def run(self, pause: float, stop: Callable[[], bool] = lambda: False, sleep: Callable[[float], None] = time.sleep) -> None:
        """Passes until `stop` says so, `pause` seconds apart; further apart where nothing answers. Ctrl-C ends it at any time."""
        failed = 0
        while not stop():
            try:
                self.once()
                failed = 0
            except ChainError as error:
                failed += 1
                self.count.failures += 1
                LOG.warning("pass failed", extra={"fields": {"event": "unread", "reason": error.reason, "in_a_row": failed}})
            sleep(min(pause * 2 ** min(failed, 10), max(pause, LONGEST_PAUSE)))

    def is_idle(self) -> bool:
        """Whether the last pass found no open request and nothing to withdraw."""
        docket = self.docket
        is_open = docket is not None and any(each.status is RequestStatus.OPEN for each in docket.requests.values())
        return docket is not None and not is_open and not docket.owed

    # ---- sending -------------------------------------------------------------------------------------------------------

    def _attempt(self, duty: Duty, docket: Docket) -> Sent | None:
        """What fails is met again in the next pass, if it still has to be done then."""
        fields = {"event": _name(duty), **_about(duty)}
        try:
            sent = self._send(duty, docket)
        except Reverted as refused:
            # Somebody was faster, a re-org took away what it answers, or the node lags.
            self.count.refused += 1
            LOG.info("refused", extra={"fields": fields | {"reason": str(refused.refusal)}})
            return None
        except TransactionPending as waits:
            self.bump += BUMP
            LOG.warning("not mined", extra={"fields": fields | {"reason": waits.reason, "bump": self.bump}})
            return None
        except ChainError as error:
            self.count.failures += 1
            LOG.warning("not sent", extra={"fields": fields | {"reason": error.reason}})
            return None
        self.bump = 0
        self.count.transactions += 1
        self.count.gas += sent.gas_used
        self.count.done[_name(duty)] = self.count.done.get(_name(duty), 0) + 1
        LOG.info(
            "sent", extra={"fields": fields | {"gas": sent.gas_used, "block": sent.block, "transaction": sent.transaction.hex()}}
        )
        return sent

    def _send(self, duty: Duty, docket: Docket) -> Sent:
        contracts = self._within(fee_limit_of(duty, docket, self.contracts.claims.node.max_fee), patience_of(duty, docket))
        match duty:
            case Play():
                return onchain.play(contracts, duty.move, duty.kind)
            case Challenge():
                return onchain.challenge(contracts, duty.request, duty.assertion, duty.own_root)
            case Answer():
                mine = self.runs(docket.requests[duty.request])
                assert mine is not None, "it was run when the duty was found"
                return onchain.answer(contracts, duty.request, mine)
            case Serve():
                return onchain.serve(contracts, duty.demand, duty.data)
            case Buy():
                roots = docket.requests[duty.request].roots
                return onchain.buy(contracts, duty.assertion, roots, duty.place, duty.first, duty.count, duty.pay)
            case ShowBadInput():
                roots, bad = docket.requests[duty.request].roots, duty.outside
                return onchain.show_bad_input(contracts, duty.request, roots, bad.place, bad.element, bad.leaf(), duty.challenger)
            case CloseDemand():
                return onchain.close_demand(contracts, duty.demand)
            case CloseGame():
                return onchain.close(contracts, duty.game)
            case Finalise():
                return onchain.finalise(contracts, duty.assertion)
            case ReturnBond():
                return onchain.return_bond(contracts, duty.assertion)
        return onchain.withdraw(contracts, self.account)

    def _within(self, fee: int, patience: float) -> Contracts:
        """The contracts, with no more paid for gas than that, and no longer waited for a block."""
        made = self.contracts
        if made.claims.node.signer is None:  # the node itself signs, and sets the fee
            return made
        node = replace(made.claims.node, max_fee=fee, bump=self.bump, patience=patience)
        return replace(made, claims=replace(made.claims, node=node), games=replace(made.games, node=node))

    def _warn(self, danger: Danger) -> None:
        self.count.warnings += 1
        about = {"event": "forecast", "about": danger.about.hex(), "reason": danger.reason, "left": danger.left}
        LOG.warning("will be lost", extra={"fields": about})


def fee_limit_of(duty: Duty, docket: Docket, most: int) -> int:
    """What a duty may cost, in wei for one gas."""
    request = _request(duty, docket)
    if request is None or duty.deadline == WHENEVER:
        return most
    return fee_limit(duty.deadline, docket.now, request.profile.time, request.price, most)


def patience_of(duty: Duty, docket: Docket) -> float:
    """How long a duty is waited for, in seconds: it is never left until it is too late, nor are the other ones."""
    return min(PATIENCE, max((duty.deadline - docket.now) / HASTE, 1.0))


def _request(duty: Duty, docket: Docket) -> Request | None:
    if isinstance(duty, Challenge | Answer | Buy):
        return docket.requests[duty.request]
    if isinstance(duty, Play):
        return docket.requests[docket.assertions[docket.matches[duty.move.game].assertion].request]
    if isinstance(duty, Serve):
        return docket.requests[docket.assertions[duty.demand.assertion].request]
    return None


def _name(duty: Duty) -> str:
    return type(duty.move).__name__.lower() if isinstance(duty, Play) else type(duty).__name__.lower()


def _about(duty: Duty) -> dict[str, str | int]:
    match duty:
        case Play():
            return {"game": duty.move.game.hex(), "number": duty.move.number}
        case Challenge() | Finalise() | ReturnBond():
            return {"assertion": duty.assertion.hex()}
        case Answer():
            return {"request": duty.request.hex()}
        case Buy():
            return {"assertion": duty.assertion.hex(), "input": duty.place, "leaf": duty.first, "leaves": duty.count}
        case ShowBadInput():
            return {"request": duty.request.hex(), "input": duty.outside.place, "element": duty.outside.element}
        case CloseGame():
            return {"game": duty.game.hex()}
        case Serve() | CloseDemand():
            return {"demand": duty.demand.id.hex()}
        case Withdraw():
            return {"wei": duty.amount}
    return {}
