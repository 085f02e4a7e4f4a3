# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml watch`: run what others assert, and challenge what is wrong."""

from __future__ import annotations

from verifiable_ml.cli.node import EMBEDDED, ChainId, ChainName, Keystore, PasswordFile, Wanted
from verifiable_ml.cli.optimistic import Buy, Claims, Inputs, Margin, MetricsPort, Once, Poll, Programs, Since, follow, place
from verifiable_ml.cli.render import Screen


def watch(
    screen: Screen,
    paths: Programs,
    chain: ChainName = EMBEDDED,
    claims: Claims = None,
    since: Since = 0,
    inputs: Inputs = None,
    once: Once = False,
    poll: Poll = 5.0,
    margin: Margin = 0,
    buy: Buy = 0,
    metrics_port: MetricsPort = None,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
) -> None:
    """Run every claim about these programs again, and challenge the wrong ones to the end: until Ctrl-C.

    It opens a game against an assertion whose trace root is not its own, answers each move, says so when a clock ran out,
    makes final what is right, and withdraws what it is owed. An input of which a request gives the roots alone it demands from
    who asserts, if that takes no more than --buy bytes; of one that leaves its interval it shows where. It needs the program and
    the chain, nothing else: end it at any time and start it again. It warns of a game that it will lose if nothing changes. A
    line an event; with --json, a JSON object each.

    For example:
      vml watch zoo:digits-mlp --chain embedded --once
    """
    from verifiable_ml.dispute.duty import Role

    at = place(Wanted(chain or EMBEDDED, chain_id, keystore, password_file), claims, since, paths, inputs or ())
    daemon = at.daemon(lambda account: Role(account, watches=True, buys=buy), margin)
    head = {"claims": at.contracts.claims.address, "account": at.account, "programs": [each.id.hex() for each in at.programs]}
    screen.line("watching", head)
    follow(screen, at, daemon, poll, once, metrics_port)
