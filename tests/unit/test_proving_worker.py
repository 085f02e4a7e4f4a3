# SPDX-License-Identifier: MIT OR Apache-2.0
"""The worker process: however it ends, a typed error says why, and nothing of it stays."""

from __future__ import annotations

import importlib.metadata
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from tests.conftest import PUBLIC, tiny_program
from verifiable_ml.errors import BackendUnavailable, InvalidInput, ResourceExceeded, WorkerFailed
from verifiable_ml.proving.ezkl import process, setup
from verifiable_ml.proving.ezkl.backend import EzklBackend
from verifiable_ml.proving.ezkl.process import Worker

pytest.importorskip("ezkl")
LARGE = {"logrows": 20}
"""Of a reference string that takes minutes: what is started with it has to be ended."""


def _children():
    return [child for child in psutil.Process().children(recursive=True) if "worker.py" in " ".join(child.cmdline())]


class Stop(Exception):
    """What a Progress raises to cancel."""


def test_worker_tells_its_steps_and_that_it_is_alive(tmp_path):
    seen = []
    Worker(tmp_path).run("srs", lambda text, share: seen.append(text), logrows=14)
    assert "making an UNSAFE reference string" in seen
    assert len(seen) > 2


def test_worker_cancelled_by_its_progress_is_gone(tmp_path):
    def progress(text, share):
        if text.startswith("making"):
            assert _children()
            raise Stop

    with pytest.raises(Stop):
        Worker(tmp_path).run("srs", progress, **LARGE)
    assert not _children()


def test_worker_beyond_its_memory_limit_names_limit_and_estimate(tmp_path):
    with pytest.raises(ResourceExceeded, match="the limit is 10 MiB; the estimate is 77 MiB") as caught:
        Worker(tmp_path, memory_limit=10 << 20, expected_memory=77 << 20).run("srs", **LARGE)
    assert "VML_MEMORY_LIMIT" in caught.value.hint
    assert not _children()


def test_worker_killed_by_the_system_is_a_typed_error(tmp_path):
    def kill(text, share):
        if text.startswith("making"):
            os.kill(_children()[0].pid, signal.SIGKILL)

    with pytest.raises(WorkerFailed, match="SIGKILL") as caught:
        Worker(tmp_path).run("srs", kill, **LARGE)
    assert "memory" in caught.value.hint


def test_worker_that_stands_still_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "STALL", 1)

    def stop(text, share):
        if text.startswith("making"):
            os.kill(_children()[0].pid, signal.SIGSTOP)

    with pytest.raises(WorkerFailed, match="it has done nothing for 1 s"):
        Worker(tmp_path).run("srs", stop, **LARGE)
    assert not _children()


@pytest.mark.parametrize(("share", "alive"), [(0.0, False), (0.004, False), (0.2, True), (2.0, True)])
def test_worker_that_hardly_wakes_up_is_given_up_and_a_slow_one_is_not(monkeypatch, share, alive):
    """A deadlocked ezkl took 0.4 % of a processor for minutes; one that computes on a busy machine takes more."""
    now = 1000.0
    monkeypatch.setattr(process.time, "monotonic", lambda: now)
    watched = process.Alive()
    seen = []
    for _ in range(4 * 60):
        now += process.TICK
        seen.append(watched.moves(1.0 + share * (now - 1000), psutil.STATUS_SLEEPING))
    assert all(seen) == alive
    assert watched.moves(0.0, psutil.STATUS_DISK_SLEEP)


def test_worker_that_panics_says_the_cause(tmp_path):
    """A panic derives from BaseException, and its cause is on standard error alone."""
    (tmp_path / "circuit").write_bytes(b"no circuit")
    with pytest.raises(WorkerFailed) as caught:
        Worker(tmp_path).run("witness", circuit="circuit", input_data=[[1]])
    assert "ezkl, at `witness`" in caught.value.thing
    assert "Failed to" in caught.value.reason or "panicked" in caught.value.reason


def test_worker_on_a_full_disk_is_a_typed_error(tmp_path):
    """A limit on the size of files stands for the disk: what ezkl sees is a write that fails half-way."""
    code = (
        "import resource, signal, sys; from pathlib import Path; from verifiable_ml.proving.ezkl.process import Worker\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: Worker(Path(sys.argv[1])).run('srs', logrows=10)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("ResourceExceeded the disk"), done.stdout + done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_interrupt_ends_the_worker_and_leaves_nothing(tmp_path):
    """Ctrl-C in the middle of a set-up: no worker, no folder, no half-made key."""
    code = (
        "from verifiable_ml.proving.ezkl.backend import EzklBackend; from verifiable_ml.commitment import Privacy\n"
        "from verifiable_ml.proving.ezkl import circuit\n"
        "from tests.conftest import tiny_program\n"
        "say = lambda text, share: print(text, flush=True)\n"
        "design = circuit.design\n"
        "circuit.design = lambda program, privacy, worker, progress, least: design(program, privacy, worker, progress, 19)\n"
        "EzklBackend().setup(tiny_program(), Privacy(), say)\n"
    )
    environment = {**os.environ, "VML_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": os.getcwd()}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith(b"making an UNSAFE"):
                break
        workers = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
    assert workers
    assert run.returncode != 0
    assert not psutil.wait_procs(workers, timeout=10)[1]
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
    assert not list((tmp_path / "cache" / "work").iterdir())


def test_worker_dies_with_a_parent_that_was_killed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from verifiable_ml.proving.ezkl.process import Worker\n"
        "Worker(Path(sys.argv[1])).run('srs', lambda text, share: print(text, flush=True), logrows=20)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith(b"making"):
                break
        workers = psutil.Process(run.pid).children(recursive=True)
        run.kill()
    assert workers
    assert not psutil.wait_procs(workers, timeout=10)[1]


@pytest.mark.parametrize(("found", "reason"), [(None, "not installed"), ("22.0.0", "version 22.0.0 is installed")])
def test_backend_without_the_right_ezkl_says_how_to_install_it(monkeypatch, cache_folder, found, reason):
    def version(name):
        if found is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(BackendUnavailable, match=reason) as caught:
        EzklBackend().setup(tiny_program(), PUBLIC)
    assert caught.value.hint == "pip install ezkl==23.0.5"


def test_memory_limit_that_is_no_number_is_refused(monkeypatch):
    monkeypatch.setenv("VML_MEMORY_LIMIT", "4 GB")
    with pytest.raises(InvalidInput, match="number of bytes"):
        EzklBackend()


def test_environment_of_the_worker_holds_no_key(monkeypatch, tmp_path):
    monkeypatch.setenv("VML_PRIVATE_KEY", "0x01")
    seen = process._environment(tmp_path)
    assert "VML_PRIVATE_KEY" not in seen
    assert seen["HOME"] == str(tmp_path)


def test_two_setups_at_once_give_one_entry(ezkl, tmp_path, monkeypatch):
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path))
    made = []
    threads = [threading.Thread(target=lambda: made.append(ezkl.setup(tiny_program(), PUBLIC))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert made[0].verification.to_bytes() == made[1].verification.to_bytes()
    assert made[0].proving == made[1].proving
    assert setup.load(made[0].proving).key == made[0].verification
    assert len(list((tmp_path / "keys").iterdir())) == 1


def test_setup_found_in_the_cache_takes_no_worker_but_for_the_size(ezkl, honest):
    h, started = honest(), time.monotonic()
    steps = []
    keys = ezkl.setup(h.program, PUBLIC, lambda text, share: steps.append(text))
    assert keys == h.keys
    assert "making the keys" not in steps
    assert time.monotonic() - started < 30
