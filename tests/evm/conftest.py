# SPDX-License-Identifier: MIT OR Apache-2.0
"""True proofs of a tiny circuit, a chain that has them registered, and a real anvil."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from verifiable_ml import chain as chains

CHECKOUT = Path(__file__).resolve().parents[2]
ANVIL = CHECKOUT / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
sys.path.insert(0, str(CHECKOUT / "challenge" / "tool"))

from record_proofs import PRIVACIES, read  # noqa: E402

PUBLIC, HASHED, PRIVATE = PRIVACIES


@pytest.fixture(scope="session")
def proofs():
    """Recorded proofs by the mode of their input."""
    return {privacy.input: read(privacy) for privacy in PRIVACIES}


@pytest.fixture(scope="session")
def public(proofs):
    return proofs["public"]


@pytest.fixture(scope="session")
def registered(proofs):
    """An embedded chain on which every recorded key is pinned."""
    chain = chains.embedded()
    for proof in proofs.values():
        chain.register(proof.registration())
    chain.implicit = False
    return chain


@contextmanager
def running_anvil(folder: Path) -> Iterator[tuple[str, str]]:
    """(HTTP address, IPC path) of a node of its own, gone when the block ends."""
    assert ANVIL.is_file(), "anvil is missing: make npm"
    port, ipc = _free_port(), str(folder / "anvil.ipc")
    command = [str(ANVIL), "--port", str(port), "--ipc", ipc, "--hardfork", "prague", "--chain-id", "31337", "--silent"]
    with subprocess.Popen(command, env={"PATH": os.environ["PATH"], "HOME": str(folder)}) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}", ipc
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def anvil(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """A node for all tests of this worker."""
    with running_anvil(tmp_path_factory.mktemp("anvil")) as node:
        yield node


@pytest.fixture
def dead_anvil(tmp_path, public):
    """A chain whose node has just ended, by HTTP and by IPC."""
    with running_anvil(tmp_path) as node:
        dying = [chains.connect(address) for address in node]
        for chain in dying:
            chain.register(public.registration())
    return dying


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch):
    monkeypatch.delenv("VML_PRIVATE_KEY", raising=False)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("anvil did not start")
