# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml` as a process that is interrupted, or whose worker is killed: its exit code, and what is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from verifiable_ml.errors import WorkerFailed

pytest.importorskip("ezkl")
VML = Path(sys.executable).with_name("vml")
LARGE = "setup zoo:lenet5-mnist -o new.vk", "prove zoo:lenet5-mnist -i lenet5-mnist:3 -o new.proof --claim new.claim"
"""Their reference string takes long enough to be interrupted."""
MANY = "prove zoo:lenet5-mnist --batch zoo:lenet5-mnist --batch-size 4 -o new.proofs"
PROVE = "prove zoo:digits-mlp -i digits-mlp:3 --hide input -o new.proof --claim new.claim"


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    return tmp_path / "empty"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One for all tests of this file: whatever they break off, the next one has to be able to use it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def start(cache):
    """Starts `vml`; whatever the test, it runs no longer than that."""
    running = []

    def started(words: str, backend: str = "ezkl") -> subprocess.Popen[str]:
        environment = {**os.environ, "VML_CACHE_DIR": str(cache), "VML_BACKEND": backend}
        running.append(subprocess.Popen([VML, *words.split(), "--json"], env=environment, stdout=-1, stderr=-1, text=True))
        return running[-1]

    yield started
    for process in running:
        process.kill()
        process.communicate()


def workers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Those that run: one that has ended stays a zombie until `vml` has looked at it."""
    return [child for child in psutil.Process(process.pid).children() if child.status() != psutil.STATUS_ZOMBIE]


def wait_for_line(process: subprocess.Popen[str], part: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return
    pytest.fail(f"it never said {part!r}: {process.communicate()}")


def wait_for_the_proof(process: subprocess.Popen[str], cache: Path) -> None:
    """Until the witness is there and another worker has begun: that one proves."""
    seen: set[int] = set()
    for _ in range(3000):
        now = {worker.pid for worker in workers(process)}
        if list(cache.glob("work/*/witness")) and now - seen:
            return
        if not list(cache.glob("work/*/witness")):
            seen |= now
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    pytest.fail("it never came to the proof")


def ended(process: subprocess.Popen[str], running: list[psutil.Process], here: Path, cache: Path) -> dict[str, str]:
    """What it said. Nothing of it runs on, and nothing half-made lies about."""
    out, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert not psutil.wait_procs(running, timeout=10)[1], "a worker lives on"
    assert list(here.iterdir()) == []
    assert list(cache.glob("work/*")) == []
    assert all((entry / "manifest.json").is_file() for entry in [*cache.glob("keys/*"), *cache.glob("srs/*")])
    said: dict[str, str] = json.loads(out)
    return said


@pytest.mark.parametrize("words", LARGE, ids=["setup", "prove"])
def test_interrupt_of_a_set_up_exits_130_and_leaves_nothing(here, cache, start, words):
    process = start(words)
    wait_for_line(process, "making an UNSAFE reference string")
    running = workers(process)
    process.send_signal(signal.SIGINT)
    said = ended(process, running, here, cache)
    assert running
    assert (process.returncode, said["error"]) == (130, "Interrupted")


def test_interrupt_of_a_proof_exits_130_and_the_cache_serves_the_next(here, cache, start):
    process = start(PROVE)
    wait_for_the_proof(process, cache)
    running = workers(process)
    process.send_signal(signal.SIGINT)
    said = ended(process, running, here, cache)
    assert (process.returncode, said["error"]) == (130, "Interrupted")
    again = start(PROVE)
    out, err = again.communicate()
    assert again.returncode == 0, out + err
    assert {path.name for path in here.iterdir()} == {"new.proof", "new.claim"}


def test_interrupt_of_native_proofs_exits_130_and_keeps_whole_items_only(here, cache, start):
    pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")
    process = start(MANY, "sumcheck")
    wait_for_line(process, "proofs")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["error"]) == (130, "Interrupted"), err
    assert "Traceback" not in err
    left = {path.name for path in (here / "new.proofs").iterdir()}
    assert not [name for name in left if name.startswith(".")], "half-written"
    assert {name.removesuffix(".proof") + ".claims" for name in left if name.endswith(".proof")} <= left


@pytest.mark.parametrize("words", LARGE, ids=["setup", "prove"])
def test_worker_killed_exits_5_and_says_how_it_ended(here, cache, start, words):
    process = start(words)
    wait_for_line(process, "making an UNSAFE reference string")
    (running,) = workers(process)
    running.kill()
    said = ended(process, [running], here, cache)
    assert process.returncode == WorkerFailed.exit_code
    assert (said["error"], "SIGKILL" in said["reason"]) == ("WorkerFailed", True)


def test_vml_killed_takes_its_worker_along_and_the_next_clears_up(here, cache, start):
    process = start(LARGE[0])
    wait_for_line(process, "making an UNSAFE reference string")
    running = workers(process)
    process.kill()
    process.communicate()
    assert not psutil.wait_procs(running, timeout=10)[1], "a worker lives on"
    assert list(cache.glob("work/*"))
    assert start(PROVE).wait() == 0
    assert list(cache.glob("work/*")) == []
