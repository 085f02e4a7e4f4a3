# SPDX-License-Identifier: MIT OR Apache-2.0
"""What `vml propose`, `watch` and `challenge` share: the contracts, the programs, the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from verifiable_ml import api
from verifiable_ml.cli import log_lines
from verifiable_ml.cli.node import EMBEDDED, Wanted
from verifiable_ml.cli.render import Screen
from verifiable_ml.cli.settings import setting
from verifiable_ml.cli.source import one_input, program
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.chain import Chain
    from verifiable_ml.dispute.daemon import Daemon
    from verifiable_ml.dispute.deployment import Contracts
    from verifiable_ml.dispute.duty import Role
    from verifiable_ml.dispute.runs import Runs

Programs = Annotated[list[str], typer.Argument(help="Compiled programs (.vml directories), or zoo:NAME.", metavar="PROGRAM…")]
Claims = Annotated[str | None, setting("claims", "--claims", help="Address of the OptimisticClaims; none is needed if embedded.")]
Since = Annotated[int, typer.Option("--since", help="The block in which OptimisticClaims was deployed, or later.", min=0)]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", "-i", help="An input that a request gives by its roots alone; also digits-mlp:3.")
]
Once = Annotated[bool, typer.Option("--once", help="One pass, then end.")]
Poll = Annotated[float, setting("poll", "--poll", help="Seconds between two looks at the chain.", min=0.1)]
Margin = Annotated[int, setting("margin", "--margin", help="Warn when fewer seconds are left on a clock of one's own.", min=0)]
Buy = Annotated[
    int, typer.Option("--buy", help="Bytes of an unknown input to demand at most; one costs 80 times the request's price.", min=0)
]
MetricsPort = Annotated[
    int | None, setting("metrics_port", "--metrics-port", help="Serve Prometheus metrics on this port of 127.0.0.1.")
]


STRIDE = 30
"""Seconds by which the clock of the embedded EVM is advanced between two passes."""


@dataclass(frozen=True)
class Place:
    """A chain with the contracts on it, and the programs that one cares for."""

    chain: Chain
    contracts: Contracts
    programs: list[api.Program]
    runs: Runs

    @property
    def account(self) -> str:
        """Who pays."""
        sender = self.chain.node.sender
        if sender is None:
            raise InvalidInput(
                thing="the account", reason="none was given, and the node holds none", hint="--keystore or VML_PRIVATE_KEY"
            )
        return sender

    def daemon(self, role: Callable[[bytes], Role], margin: int) -> Daemon:
        """A daemon of the account that pays."""
        from verifiable_ml.dispute.daemon import Daemon
        from verifiable_ml.dispute.docket import account_bytes

        return Daemon(self.contracts, role(account_bytes(self.account)), self.runs, margin)


def place(wanted: Wanted, claims: str | None, since: int, paths: Sequence[str], inputs: Sequence[str]) -> Place:
    """Connect. On the embedded EVM everything is deployed first, and the programs registered long enough ago to be asked for."""
    from verifiable_ml.dispute import deployment, onchain
    from verifiable_ml.dispute.clock import PROFILES
    from verifiable_ml.dispute.runs import Runs, input_bytes

    programs = [program(path) for path in paths]
    runs = Runs(programs)
    for text in inputs:
        for each in programs:
            runs.learn(input_bytes(each.run(one_input(text, [given.name for given in each.inputs]))[1])[0], each)
    chain = wanted.connect()
    if wanted.chain != EMBEDDED:
        if claims is None:
            raise InvalidInput(
                thing="--claims",
                reason="which OptimisticClaims?",
                hint="its address; `vml deploy PROGRAM --optimistic` makes one",
            )
        return Place(chain, deployment.found(chain, claims, since), programs, runs)
    contracts = deployment.deploy(chain)
    for each in programs:
        onchain.register(contracts, each)
    chain.node.advance(PROFILES[onchain.LOCAL].window + 1)
    return Place(chain, contracts, programs, runs)


def follow(screen: Screen, at: Place, daemon: Daemon, poll: float, once: bool, metrics_port: int | None) -> None:
    """Passes and their log, until Ctrl-C; or one pass. On the embedded EVM, whose clock nobody else moves, until all is quiet."""
    from verifiable_ml.dispute import metrics

    with _shown(screen):
        if once:
            daemon.once()
            return
        with metrics.served(daemon, metrics_port):
            if at.chain.implicit:
                daemon.run(STRIDE, daemon.is_idle, lambda seconds: at.chain.node.advance(int(seconds)))
            else:
                daemon.run(poll)


@contextmanager
def _shown(screen: Screen) -> Iterator[None]:
    handler = log_lines.begin(screen.as_json)
    try:
        yield
    finally:
        log_lines.end(handler)
