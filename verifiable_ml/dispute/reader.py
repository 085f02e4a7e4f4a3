# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reads the docket off a chain. All that is kept between two readings are events that a re-org can hardly take back.

What is kept can be lost at any time: it is read again from the contracts' first block.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from verifiable_ml.chain import Block, Event
from verifiable_ml.dispute.deployment import Contracts
from verifiable_ml.dispute.docket import (
    Assertion,
    Docket,
    Match,
    Opened,
    Request,
    Told,
    account_bytes,
    assertion_of,
    demand_of,
    match_of,
    request_of,
)
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.onchain import Demand, owed
from verifiable_ml.dispute.served import completed, leaves_of
from verifiable_ml.errors import ChainError, IllegalMove, MalformedEvidence, VerifiableMlError

LOG = logging.getLogger(__name__)

DEPTH = 64
"""Blocks that are read again each time: a re-org deeper than that is noticed by the hash of the block below, and all is read."""
PHASES = ("none", *(state.value for state in State))
"""The contract's enum Phase."""

Runner = Callable[[Request], Forest | None]
"""Runs a request's program on its input; None if either is not known."""


@dataclass
class Reader:
    """The events up to `checkpoint`, which is below the reach of re-orgs."""

    contracts: Contracts
    runner: Runner
    checkpoint: Block | None = None
    kept: list[Event] = field(default_factory=list)
    times: dict[bytes, int] = field(default_factory=dict)

    def read(self, account: str) -> Docket:
        """The docket at the latest block. Raises ChainError, Unreachable."""
        node = self.contracts.claims.node
        head = node.block()
        told = [Told(event.name, event.values, self._time(event)) for event in self._events(head)]
        leaves = leaves_of(told)
        requests = {name: completed(request, told, leaves) for name, request in self._requests(told).items()}
        assertions = self._assertions(told, requests)
        return Docket(
            now=head.time,
            block=head.number,
            requests=requests,
            assertions=assertions,
            matches=self._matches(told, assertions, requests),
            opened=_opened(told),
            demands=self._demands(told, assertions),
            leaves=leaves,
            owed=owed(self.contracts, account),
            funds=node.balance(account),
        )

    # ---- events --------------------------------------------------------------------------------------------------------

    def _events(self, head: Block) -> list[Event]:
        """All that was logged up to the head, in order."""
        if self.checkpoint and not self._stands(self.checkpoint, head):
            LOG.warning("the chain has changed below block %d: everything is read again", self.checkpoint.number)
            self.checkpoint, self.kept = None, []
        start = self.checkpoint.number + 1 if self.checkpoint else self.contracts.first
        fresh = self._logged(start, head.number)
        depth = head.number - DEPTH
        if depth >= start:
            self.kept += [event for event in fresh if event.log.block <= depth]
            self.checkpoint = self.contracts.claims.node.block(depth)
            return self.kept + [event for event in fresh if event.log.block > depth]
        return self.kept + fresh

    def _stands(self, known: Block, head: Block) -> bool:
        return known.number <= head.number and self.contracts.claims.node.block(known.number).hash == known.hash

    def _logged(self, first: int, last: int) -> list[Event]:
        found = [*self.contracts.claims.events(first, last), *self.contracts.games.events(first, last)]
        return sorted(found, key=lambda event: (event.log.block, event.log.place))

    def _time(self, event: Event) -> int:
        """Of the event's block."""
        block = event.log.block_hash
        if block not in self.times:
            found = self.contracts.claims.node.block(event.log.block)
            if found.hash != block:
                raise ChainError(thing="the chain", reason=f"block {found.number} changes", hint="ask again: a re-org")
            self.times[block] = found.time
        return self.times[block]

    # ---- what they say ---------------------------------------------------------------------------------------------------

    def _requests(self, told: Sequence[Told]) -> dict[bytes, Request]:
        found = {}
        for each in told:
            if each.name == "Requested":
                stored = self.contracts.claims.call("requests", each.values["requestId"])[0]
                if stored[4]:  # a re-org between two questions
                    found[each.values["requestId"]] = request_of(each, stored)
        return found

    def _assertions(self, told: Sequence[Told], requests: dict[bytes, Request]) -> dict[bytes, Assertion]:
        found = {}
        for each in told:
            if each.name == "Asserted" and each.values["requestId"] in requests:
                stored = self.contracts.claims.call("assertions", each.values["assertionId"])[0]
                if stored[5]:
                    found[each.values["assertionId"]] = assertion_of(each, stored)
        return found

    def _demands(self, told: Sequence[Told], assertions: dict[bytes, Assertion]) -> dict[bytes, Demand]:
        ended = {each.values["demandId"] for each in told if each.name in ("Served", "DemandClosed")}
        made = [demand_of(each) for each in told if each.name == "Demanded" and each.values["demandId"] not in ended]
        return {demand.id: demand for demand in made if demand.assertion in assertions}

    def _matches(
        self, told: Sequence[Told], assertions: dict[bytes, Assertion], requests: dict[bytes, Request]
    ) -> dict[bytes, Match]:
        by_game = dict[bytes, list[Told]]()
        for each in told:
            if "gameId" in each.values:
                by_game.setdefault(each.values["gameId"], []).append(each)
        found = {}
        for game, events in by_game.items():
            about = assertions.get(events[0].values.get("assertionId", b""))
            if about is None:
                continue
            match = self._match(events, about, requests[about.request])
            if match:
                found[game] = match
        return found

    def _match(self, events: list[Told], about: Assertion, request: Request) -> Match | None:
        """None: the input is not known, or the node tells two stories at once, which it will have mended next time."""
        mine = self.runner(request)
        if mine is None:
            return None
        try:
            match = match_of(events, about, request, self.contracts.fan_out, mine)
        except (IllegalMove, MalformedEvidence, ChainError) as error:
            _doubted(events[0].values["gameId"], error)
            return None
        if match.game.state is State.OVER:
            return match
        turn = self.contracts.games.call("turn", match.game.terms.id)[0]
        stored = PHASES[turn[0]], turn[5], bytes(turn[6]), turn[4]
        if stored != (match.game.state.value, match.game.number, match.game.node, match.game.clock.deadline):
            LOG.info("game 0x%s: events and state differ, the node lags", match.game.terms.id.hex())
            return None
        return match


def _opened(told: Sequence[Told]) -> dict[bytes, tuple[Opened, ...]]:
    found = dict[bytes, tuple[Opened, ...]]()
    for each in told:
        if each.name == "GameOpened":
            about, game = each.values["assertionId"], Opened(each.values["gameId"], account_bytes(each.values["challenger"]))
            found[about] = (*found.get(about, ()), game)
    return found


def _doubted(game: bytes, error: VerifiableMlError) -> None:
    LOG.warning("game 0x%s cannot be followed: %s", game.hex(), error.reason)
