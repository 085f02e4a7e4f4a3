# SPDX-License-Identifier: MIT OR Apache-2.0
"""A whole dispute on an embedded EVM: a request, a proposer that lies, a watcher that is given chain and program alone.

What a demonstration shows, a bench measures and tests play. The clock is the EVM's own and is advanced by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from verifiable_ml.chain import Chain, embedded
from verifiable_ml.commitment import keccak
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.daemon import Daemon, Done
from verifiable_ml.dispute.deployment import Contracts, deploy
from verifiable_ml.dispute.docket import Match, account_bytes
from verifiable_ml.dispute.duties import Role
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.liars import WrongTensorRoot, hidden_number, one_number, other_weight
from verifiable_ml.dispute.onchain import LOCAL, Asked
from verifiable_ml.dispute.runs import Runs, honest, input_bytes
from verifiable_ml.errors import ChainError
from verifiable_ml.execute import Trace
from verifiable_ml.program import Program

PASSES = 64
"""Passes of both sides in which a game must have ended."""

Lie = Callable[[Trace], Forest]
"""What a proposer shows of its run."""


def number_in(place: int) -> Lie:
    """One number of one operator's output is wrong, and what follows from it. place: of the operator, also from the end."""

    def lie(trace: Trace) -> Forest:
        inputs = len(trace.program.inputs)
        index = range(inputs, len(trace.tensors))[place]
        return one_number(honest(trace), index, trace.tensors[index].size * 2 // 3)

    return lie


def false_root(trace: Trace) -> Forest:
    """The root of a tensor that is neither input nor output is of nothing at all: it can be asserted, and not be revealed."""
    outputs = {output.index for output in trace.program.outputs}
    inside = [index for index in range(len(trace.program.inputs), len(trace.tensors)) if index not in outputs]
    return WrongTensorRoot(honest(trace), inside[-1], keccak(b"of nothing"))


def largest(program: Program) -> int:
    """The place of the operator with the largest output but for the first: where a walk has most to do."""
    sizes = [operator.output.nbytes for operator in program.operators]
    return max(range(min(1, len(sizes) - 1), len(sizes)), key=lambda place: sizes[place])


LIES: dict[str, Lie] = {
    "first": number_in(0),
    "middle": lambda trace: number_in(len(trace.program.operators) // 2)(trace),
    "last": number_in(-1),
    "largest": lambda trace: number_in(largest(trace.program))(trace),
    "hidden": lambda trace: hidden_number(honest(trace), len(trace.program.inputs), 0),
    "weight": lambda trace: other_weight(honest(trace), 0, 0),
    "root": lambda trace: false_root(trace),
}
"""Where the lie is told: one number of the first, middle, last or largest operator; one that nothing follows from; a weight; a
tensor's root alone."""


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


def rehearse(program: Program, trace: Trace, lie: Lie = honest, chain: Chain | None = None) -> Rehearsal:
    """Deploy, register, ask: accounts 1 to 3 of the chain are proposer, watcher and requester."""
    chain = chain or embedded()
    contracts = deploy(chain)
    registered = onchain.register(contracts, program)
    chain.node.advance(PROFILES[LOCAL].window + 1)
    data, roots = input_bytes(trace)
    proposer, watcher, requester = chain.accounts[1:4]
    asked = onchain.request(contracts.by(requester), program, data, roots, Asked(fee=10**15))
    told = next(each for each in contracts.claims.events(asked.block, asked.block) if each.name == "Requested")
    runs = Runs([program], lie), Runs([program])
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
