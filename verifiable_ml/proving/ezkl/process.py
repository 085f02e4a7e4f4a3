# SPDX-License-Identifier: MIT OR Apache-2.0
"""The worker seen from outside: started, watched, limited, and ended whatever happens.

ezkl holds the GIL for minutes and panics past `except Exception`; in a process of its own neither reaches us.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from verifiable_ml.errors import BackendUnavailable, ResourceExceeded, VerifiableMlError, WorkerFailed
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.memory import exhausted, mib

EZKL_VERSION = "23.0.5"
WORKER = Path(__file__).with_name("worker.py")
LOG = "worker.log"
TICK, STALL = 0.25, 30
"""Seconds between two looks at the worker, and without work of its after which it is given up."""
IDLE = 0.05
"""The share of one processor that is no work: a deadlocked ezkl still wakes up, for a third of a per cent (measured)."""

NO_ROOM = 1 << 20
"""Bytes; with fewer free on the disk, whatever failed failed for that."""
FULL_DISK = "No space left on device", "File too large", "Disk quota exceeded"
NO_MEMORY = "memory allocation of", "MemoryError", "Cannot allocate memory"


@dataclass(frozen=True)
class Worker:
    """Runs jobs of worker.py in `folder`. memory_limit: bytes of resident memory, None for no limit but the machine's.

    expected_memory: what the estimate says, for the message when the limit is hit; 0 if there is none.
    """

    folder: Path
    memory_limit: int | None = None
    expected_memory: int = 0

    def run(self, job: str, progress: Progress = silent, **request: Any) -> Any:
        """The answer of one job. Raises BackendUnavailable, ResourceExceeded, WorkerFailed, and whatever `progress` raises."""
        require_ezkl()
        with self._log() as log, self._started(job, request, log) as (process, channel):
            last = self._watch(job, process, channel, progress)
            process.wait(timeout=STALL)
        if "answer" in last:
            return last["answer"]
        raise self._failure(job, process.returncode, last)

    def _log(self) -> BinaryIO:
        try:
            return (self.folder / LOG).open("wb")
        except OSError as error:
            raise self.exhausted("the disk", str(error)) from error

    @contextlib.contextmanager
    def _started(self, job: str, request: dict[str, Any], log: BinaryIO) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        ours, theirs = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", str(WORKER), str(theirs)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(theirs,),
                start_new_session=True,
                env=_environment(self.folder),
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        try:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(json.dumps({"job": job, "folder": str(self.folder), **request}).encode())
            yield process, ours
        finally:
            _end(process)
            os.close(ours)

    def _watch(self, job: str, process: subprocess.Popen[bytes], channel: int, progress: Progress) -> dict[str, Any]:
        """Read lines until the worker closes its end; the last one that is an answer or a failure."""
        buffer, step, alive = b"", "starting", Alive()
        last: dict[str, Any] = {}
        while True:
            if select.select([channel], [], [], TICK)[0]:
                data = os.read(channel, 1 << 20)
                if not data:
                    return last
                *lines, buffer = (buffer + data).split(b"\n")
                for line in map(json.loads, lines):
                    step, last = line.get("step", step), line
            progress(step, None)
            with contextlib.suppress(psutil.Error):
                seen = psutil.Process(process.pid)
                self._limit(seen.memory_info().rss)
                if not alive.moves(sum(seen.cpu_times()[:2]), seen.status()):
                    reason = f"it has done nothing for {STALL} s, as it does where a constraint of the circuit fails"
                    raise WorkerFailed(thing=f"ezkl, at `{job}`", reason=reason, hint="report it with the program and the input")

    def _limit(self, used: int) -> None:
        if self.memory_limit is not None and used > self.memory_limit:
            raise self.exhausted("memory", f"the worker used {mib(used)}, the limit is {mib(self.memory_limit)}")

    def exhausted(self, what: str, reason: str) -> VerifiableMlError:
        """The error for a resource that ran out."""
        if what != "memory":
            hint = "free some space, or set VML_CACHE_DIR elsewhere"
            return ResourceExceeded(thing=f"the disk that holds `{self.folder}`", reason=reason, hint=hint)
        known = f"; the estimate is {mib(self.expected_memory)}" if self.expected_memory else ""
        return exhausted(reason + known)

    def _failure(self, job: str, code: int, last: dict[str, Any]) -> VerifiableMlError:
        said = self._log_tail()
        text = f"{last.get('failure', '')}\n{said}"
        if last.get("full") or any(sign in text for sign in FULL_DISK):
            return self.exhausted("the disk", last.get("failure") or said)
        room = shutil.disk_usage(self.folder).free
        if room < NO_ROOM:  # ezkl does not look whether all of a file was written, and trips over the rest of it later
            return self.exhausted("the disk", f"No space left on device: {room:,} bytes are free ({last.get('failure') or said})")
        if any(sign in text for sign in NO_MEMORY):
            return self.exhausted("memory", last.get("failure") or said)
        how = f"it was ended by {signal.Signals(-code).name}" if code < 0 else f"it ended with status {code}"
        reason = last.get("failure", how) + (f"; it said: {said}" if said else "")
        killed = "the system may have run out of memory: `vml estimate` says what it takes" if code == -signal.SIGKILL else ""
        return WorkerFailed(
            thing=f"ezkl, at `{job}`", reason=reason, hint=killed or "run it again, and report it if it fails again"
        )

    def _log_tail(self) -> str:
        """What a panic said, or the last words."""
        try:
            lines = (self.folder / LOG).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        telling = [line for line in lines if line.strip() and not line.startswith(("Using ", "note: ", "low scale"))]
        return " ".join(telling[-4:])[-600:]


@dataclass
class Alive:
    """Whether a process still computes. ezkl logs from its threads through Python while it holds the GIL, and so hangs."""

    seconds: float = 0.0
    since: float = field(default_factory=lambda: time.monotonic())

    def moves(self, seconds: float, status: str) -> bool:
        """seconds: of processor time so far. False once STALL has passed in which it took next to none and read no disk."""
        if seconds - self.seconds >= IDLE * STALL or status == psutil.STATUS_DISK_SLEEP:
            self.seconds, self.since = seconds, time.monotonic()
        return time.monotonic() - self.since < STALL


def require_ezkl() -> None:
    """Raises BackendUnavailable unless the very version is installed that was studied."""
    try:
        found = importlib.metadata.version("ezkl")
    except importlib.metadata.PackageNotFoundError as error:
        raise _unavailable("it is not installed") from error
    if found != EZKL_VERSION:
        raise _unavailable(f"version {found} is installed, {EZKL_VERSION} is asked for")


def _unavailable(reason: str) -> BackendUnavailable:
    return BackendUnavailable(thing="backend `ezkl`", reason=reason, hint=f"pip install ezkl=={EZKL_VERSION}")


def _environment(folder: Path) -> dict[str, str]:
    """No key of the user's goes to the worker, and what it writes beside our files it writes in the folder."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "PYTHONPATH", "LD_LIBRARY_PATH")}
    threads = {name: value for name, value in os.environ.items() if name.startswith("RAYON_")}
    return {**kept, **threads, "HOME": str(folder), "TMPDIR": str(folder), "RUST_BACKTRACE": "0"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the worker and all that it started, at once."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
