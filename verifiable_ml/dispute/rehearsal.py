# SPDX-License-Identifier: MIT OR Apache-2.0
"""A whole dispute on an embedded EVM: a request, a proposer that lies, a watcher that is given chain and program alone.

What a demonstration shows, a bench measures and tests play. The clock is the EVM's own and is advanced by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verifiable_ml.chain import Chain, embedded
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.daemon import Daemon, Done
from verifiable_ml.dispute.deployment import Contracts, deploy
from verifiable_ml.dispute.docket import Match, account_bytes
from verifiable_ml.dispute.duty import Role
from verifiable_ml.dispute.liars import Lie
from verifiable_ml.dispute.onchain import LOCAL, Asked
from verifiable_ml.dispute.runs import Runs, honest, input_bytes
from verifiable_ml.errors import ChainError
from verifiable_ml.execute import Trace
from verifiable_ml.program import Program

PASSES = 64
"""Passes of both sides in which a game must have ended."""


@dataclass
class Rehearsal:
    """A chain with everything on it, and both sides ready. gas: of registering and asking."""

    chain: Chain
    contracts: Contracts
    program: Program
    request_id: bytes
    proposer: Daemon
    watcher: Daemon
    register_gas: int
    request_gas: int

    def play(self) -> Iterator[tuple[Daemon, Done]]:
        """Both sides in turn, each thing that was sent as it happens, until nobody has anything left to do now."""
        for _ in range(PASSES):
            quiet = True
            for side in (self.proposer, self.watcher):
                for done in side.once():
                    quiet = False
                    yield side, done
            if quiet:
                return
        raise ChainError(thing="a rehearsal", reason=f"it goes on after {PASSES} passes", hint="a fault of ours: report it")

    def wait(self) -> None:
        """Let as much time pass as a clock has at the most: what is due becomes late."""
        self.chain.node.advance(PROFILES[LOCAL].window + 1)

    @property
    def match(self) -> Match | None:
        """The last game, as the watcher saw it last."""
        matches = self.watcher.docket.matches if self.watcher.docket else {}
        return list(matches.values())[-1] if matches else None


def rehearse(program: Program, trace: Trace, lie: Lie | None = None, chain: Chain | None = None) -> Rehearsal:
    """Deploy, register, ask: accounts 1 to 3 of the chain are proposer, watcher and requester."""
    chain = chain or embedded()
    contracts = deploy(chain)
    registered = onchain.register(contracts, program)
    chain.node.advance(PROFILES[LOCAL].window + 1)
    data, roots = input_bytes(trace)
    proposer, watcher, requester = chain.accounts[1:4]
    asked = onchain.request(contracts.by(requester), program, data, roots, Asked(fee=10**15))
    told = next(each for each in contracts.claims.events(asked.block, asked.block) if each.name == "Requested")
    shown = (lambda trace: lie(honest(trace))) if lie else honest
    runs = Runs([program], shown), Runs([program])
    for each in runs:
        each.learn(data, program)
    return Rehearsal(
        chain,
        contracts,
        program,
        told.values["requestId"],
        Daemon(contracts.by(proposer), Role(account_bytes(proposer), proposes=True), runs[0]),
        Daemon(contracts.by(watcher), Role(account_bytes(watcher), watches=True), runs[1]),
        registered.gas_used,
        asked.gas_used,
    )
