# SPDX-License-Identifier: MIT OR Apache-2.0
"""A JSON-RPC node that says what a test wants: honest answers for one transaction, any of them replaced."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from verifiable_ml.commitment import keccak

CHAIN_ID = 31337


@dataclass
class LyingNode:
    """answers: a method's JSON result, or what makes it of the parameters. errors: a method's JSON error instead.

    seen: every method that was asked for; signed: the raw transactions that it was given.
    """

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    signed: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_accounts": [],
            "eth_call": "0x",
            "eth_getCode": "0x",
            "eth_getBalance": "0x1",
            "eth_estimateGas": "0x5208",
            "eth_maxPriorityFeePerGas": "0x1",
            "eth_getBlockByNumber": {"baseFeePerGas": "0x7", "number": "0x9"},
            "eth_getTransactionCount": "0x0",
            "eth_sendRawTransaction": self._take,
            "eth_getTransactionReceipt": lambda parameters: receipt(transactionHash=parameters[0]),
        }

    def answer(self, request: Any) -> dict[str, Any]:
        """One JSON-RPC answer."""
        method, parameters = request["method"], request["params"]
        self.seen.append(method)
        if method in self.errors:
            return {"jsonrpc": "2.0", "id": request["id"], "error": self.errors[method]}
        found = self.answers[method]
        return {"jsonrpc": "2.0", "id": request["id"], "result": found(parameters) if callable(found) else found}

    def _take(self, parameters: list[str]) -> str:
        self.signed.append(bytes.fromhex(parameters[0][2:]))
        return "0x" + keccak(self.signed[-1]).hex()


def receipt(**changes: Any) -> dict[str, Any]:
    """A receipt of a transaction that succeeded; a field set to `...` is left out."""
    honest = {
        "transactionHash": "0x" + "11" * 32,
        "status": "0x1",
        "gasUsed": "0x5208",
        "blockNumber": "0x9",
        "contractAddress": None,
        "logs": [],
    }
    return {name: value for name, value in {**honest, **changes}.items() if value is not ...}


@contextmanager
def serving(node: LyingNode) -> Iterator[LyingNode]:
    """Serve it by HTTP on a free port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(node.answer(request)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        node.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield node
        server.shutdown()
