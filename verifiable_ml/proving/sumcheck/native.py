# SPDX-License-Identifier: MIT OR Apache-2.0
"""The extension module seen from Python: found, or a typed error; and its work watched, so that it can be told of and cancelled.

The interpreter is free while Rust works. Rust asks between its stages whether to go on: a stage is what an interrupt waits for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from verifiable_ml.errors import BackendUnavailable, InvalidInput
from verifiable_ml.proving.base import Progress

NAME = "sumcheck"
INTERFACE = 2
"""Of the module's functions, as crates/bindings numbers it."""
HINT = "`make native` or `pip install ./circuits/sumcheck` in a checkout, which needs cargo; or `--backend ezkl`"
THREADS = "VML_THREADS"
TICK = 0.25
"""Seconds between two reports of progress."""

T = TypeVar("T")
Told = Callable[[str], bool]
"""Called with a stage's name when it begins; False ends the work."""


def native() -> Any:
    """The extension module. Raises BackendUnavailable."""
    try:
        import verifiable_ml_sumcheck as module
    except ImportError as error:
        raise _unavailable("its extension is not installed") from error
    found = getattr(module, "INTERFACE", 1)
    if found != INTERFACE:
        raise _unavailable(f"its extension has interface {found}, and this release asks for {INTERFACE}")
    return module


def _unavailable(reason: str) -> BackendUnavailable:
    return BackendUnavailable(thing=f"backend `{NAME}`", reason=reason, hint=HINT)


def threads() -> int:
    """VML_THREADS; 0, one a core, unless it is set. Raises InvalidInput on no number."""
    text = os.environ.get(THREADS, "0")
    if not text.isdecimal() or int(text) > 1024:
        raise InvalidInput(thing=f"{THREADS}={text}", reason="it is no number of threads", hint="1 to 1024, or 0 for one a core")
    return int(text)


def watched(work: Callable[[Told], T], progress: Progress) -> T:
    """Do work in a thread of its own, and report its stages. Whatever `progress` raises, or Ctrl-C, cancels it and goes on to the
    caller, after the stage that is under way.
    """
    running = _Running(work)
    running.start()
    try:
        running.report(progress)
    except BaseException:
        running.cancelled = True
        raise
    finally:
        running.join()
    if running.failed is not None:
        raise running.failed
    return running.found[0]


class _Running(threading.Thread, Generic[T]):
    """found: what the work gave, alone in a list. stages: those that began; None once the work has ended."""

    def __init__(self, work: Callable[[Told], T]) -> None:
        super().__init__(name=NAME)
        self.work, self.cancelled = work, False
        self.stages: SimpleQueue[str | None] = SimpleQueue()
        self.found: list[T] = []
        self.failed: BaseException | None = None

    def run(self) -> None:
        """In the thread."""
        try:
            self.found.append(self.work(self._told))
        except BaseException as error:
            self.failed = error
        finally:
            self.stages.put(None)

    def _told(self, stage: str) -> bool:
        self.stages.put(stage)
        return not self.cancelled

    def report(self, progress: Progress) -> None:
        """Until the work has ended."""
        stage: str | None = "starting"
        while stage is not None:
            with suppress(Empty):
                stage = self.stages.get(timeout=TICK)
            if stage is not None:
                progress(stage, None)
