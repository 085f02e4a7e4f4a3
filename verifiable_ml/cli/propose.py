# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml propose`: answer requests with a bond, and defend the answers."""

from __future__ import annotations

from typing import Annotated

import typer

from verifiable_ml.cli.node import EMBEDDED, ChainId, ChainName, Keystore, PasswordFile, Wanted
from verifiable_ml.cli.optimistic import (
    Claims,
    Inputs,
    Margin,
    MetricsPort,
    Once,
    Place,
    Poll,
    Programs,
    Since,
    follow,
    place,
)
from verifiable_ml.cli.render import Screen
from verifiable_ml.cli.source import one_input

LeastFee = Annotated[int, typer.Option("--least-fee", help="Answer no request that surely pays less, in wei.", min=0)]
Ask = Annotated[str | None, typer.Option("--ask", help="Ask the question oneself, about this input, as `vml run` takes it.")]
Profile = Annotated[int, typer.Option("--profile", help="Of --ask: 0 L1, 1 L2, 2 local (minutes, not days).", min=0, max=2)]


def propose(
    screen: Screen,
    paths: Programs,
    chain: ChainName = EMBEDDED,
    claims: Claims = None,
    since: Since = 0,
    ask: Ask = None,
    profile: Profile = 2,
    inputs: Inputs = None,
    least_fee: LeastFee = 0,
    once: Once = False,
    poll: Poll = 5.0,
    margin: Margin = 0,
    metrics_port: MetricsPort = None,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
) -> None:
    """Answer every request about these programs, with a bond; defend the answers, and withdraw bonds and fees: until Ctrl-C.

    With --ask it asks first, about an input of your own. Every answer is defended against each challenge as long as it runs: an
    answer that nobody defends loses its bond, right or wrong. What it needs to go on after a restart is on the chain.

    For example:
      vml propose zoo:digits-mlp --chain embedded --ask digits-mlp:3 --once
    """
    from verifiable_ml.dispute.duty import Role

    at = place(Wanted(chain or EMBEDDED, chain_id, keystore, password_file), claims, since, paths, inputs or ())
    daemon = at.daemon(lambda account: Role(account, proposes=True, least_fee=least_fee), margin)
    head = {"claims": at.contracts.claims.address, "account": at.account, "programs": [each.id.hex() for each in at.programs]}
    screen.line("proposing", head)
    if ask:
        screen.line("asked", {"transaction": _ask(at, ask, profile)})
    follow(screen, at, daemon, poll, once, metrics_port)


def _ask(at: Place, text: str, profile: int) -> str:
    from verifiable_ml.dispute import onchain
    from verifiable_ml.dispute.runs import input_bytes

    program = at.programs[0]
    _, trace = program.run(one_input(text, [given.name for given in program.inputs]))
    data, roots = input_bytes(trace)
    at.runs.learn(data, program)
    sent = onchain.request(at.contracts, program, data, roots, onchain.Asked(profile))
    return sent.transaction.hex()
