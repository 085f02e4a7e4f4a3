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
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from verifiable_ml.errors import BackendUnavailable, ResourceExceeded, VerifiableMlError, WorkerFailed
from verifiable_ml.proving.base import Progress, silent

EZKL_VERSION = "23.0.5"
WORKER = Path(__file__).with_name("worker.py")
LOG = "worker.log"
TICK = 0.25
"""Seconds between two looks at the worker."""

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
        try:
            with open(self.folder / LOG, "wb") as log, self._started(job, request, log) as (process, channel):
                last = self._watch(process, channel, progress)
                process.wait(timeout=60)
        except OSError as error:
            raise self.exhausted("the disk", str(error)) from error
        if "answer" in last:
            return last["answer"]
        raise self._failure(job, process.returncode, last)

    @contextlib.contextmanager
    def _started(self, job: str, request: dict[str, Any], log: Any) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
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

    def _watch(self, process: subprocess.Popen[bytes], channel: int, progress: Progress) -> dict[str, Any]:
        """Read lines until the worker closes its end; the last one that is an answer or a failure."""
        buffer, step = b"", "starting"
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
            self._limit(process)

    def _limit(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(psutil.Error):
            used = psutil.Process(process.pid).memory_info().rss
            if self.memory_limit is not None and used > self.memory_limit:
                raise self.exhausted("memory", f"the worker used {_mib(used)}, the limit is {_mib(self.memory_limit)}")

    def exhausted(self, what: str, reason: str) -> VerifiableMlError:
        """The error for a resource that ran out."""
        if what != "memory":
            return ResourceExceeded(thing="the disk", reason=reason, hint="free some space, or set VML_CACHE_DIR elsewhere")
        known = f"; the estimate is {_mib(self.expected_memory)}" if self.expected_memory else ""
        hint = "raise VML_MEMORY_LIMIT (bytes), or prove a smaller model: `vml estimate` says what each takes"
        return ResourceExceeded(thing="memory", reason=reason + known, hint=hint)

    def _failure(self, job: str, code: int, last: dict[str, Any]) -> VerifiableMlError:
        said = self._log_tail()
        text = f"{last.get('failure', '')}\n{said}"
        if last.get("full") or any(sign in text for sign in FULL_DISK):
            return self.exhausted("the disk", last.get("failure") or said)
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


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
