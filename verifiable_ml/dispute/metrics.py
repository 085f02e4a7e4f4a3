# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a daemon counts, for Prometheus: the text format on 127.0.0.1, by the standard library alone.

Source: the exposition format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.game import State
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus

PATH = "/metrics"


def text(daemon: Daemon) -> str:
    """All metrics, a line each with its help and type."""
    count, docket = daemon.count, daemon.docket
    rows: list[tuple[str, str, str, float]] = [
        ("passes_total", "counter", "Looks at the chain.", count.passes),
        ("failures_total", "counter", "Passes and transactions that failed.", count.failures),
        ("refused_total", "counter", "Transactions that a contract refused.", count.refused),
        ("transactions_total", "counter", "Transactions that succeeded.", count.transactions),
        ("gas_total", "counter", "Gas of these.", count.gas),
        ("warnings_total", "counter", "Games that were forecast to be lost, a time a pass.", count.warnings),
    ]
    if docket:
        games = [each.game for each in docket.matches.values() if each.game.state is not State.OVER]
        own = [game.clock.deadline - docket.now for game in games if game.terms.challenger == daemon.role.account]
        rows += [
            ("block", "gauge", "The block that was read last.", docket.block),
            ("block_time_seconds", "gauge", "Its time.", docket.now),
            ("requests_open", "gauge", "Requests of known programs.", _count(docket.requests, RequestStatus.OPEN)),
            ("assertions_living", "gauge", "Assertions of these.", _count(docket.assertions, AssertionStatus.LIVING)),
            ("games_open", "gauge", "Games of these.", len(games)),
            ("least_clock_seconds", "gauge", "Until the first deadline of a game of one's own; -1: none.", min(own, default=-1)),
            ("funds_wei", "gauge", "What the account has.", docket.funds),
            ("owed_wei", "gauge", "What it can withdraw.", docket.owed),
        ]
    return "".join(
        f"# HELP vml_{name} {says}\n# TYPE vml_{name} {kind}\nvml_{name} {value}\n" for name, kind, says, value in rows
    )


def _count(found: object, status: object) -> int:
    return sum(each.status is status for each in found.values())  # type: ignore[attr-defined]


@contextmanager
def served(daemon: Daemon, port: int | None) -> Iterator[int | None]:
    """Serve them inside of the block, on a thread; nothing without a port. Port 0: any that is free; the one taken is yielded."""
    if port is None:
        yield None
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == PATH
            body = text(daemon).encode() if known else b""
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads a line a scrape."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
