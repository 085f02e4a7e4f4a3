# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml estimate`: what a proof will take, before the work."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import psutil
from rich.table import Table
from rich.text import Text

from verifiable_ml import api
from verifiable_ml.cli.options import Backend, BatchCount, Hide, ProgramPath
from verifiable_ml.cli.render import Screen, amount, facts, seconds
from verifiable_ml.cli.source import program


def estimate(
    screen: Screen, path: ProgramPath, backend: Backend = api.BACKEND, hide: Hide = None, batch: BatchCount = None
) -> None:
    """Say how large a proof gets, how long it takes and how much memory, without making it.

    For example:
      vml estimate model.vml
      vml estimate zoo:lenet5-mnist --backend ezkl --hide input
    """
    found = api.estimate(program(path), backend, tuple(hide or ()), batch=batch)
    screen.show({"backend": backend, **asdict(found)}, estimate_table(backend, found))
    warn_of_memory(screen, found)


def estimate_table(backend: str, found: Any) -> Table:
    """One line a resource."""
    circuit = [("rows", f"{found.rows:,} (2^{found.logrows})"), ("proving key", amount(found.key_bytes))] if found.rows else []
    rows: list[tuple[str, object]] = [
        *circuit,
        ("memory", amount(found.memory_bytes)),
        ("set-up", seconds(found.setup_seconds)),
        ("proof", seconds(found.prove_seconds)),
        *warning_row(found),
    ]
    return facts(f"Estimate, {backend}", rows)


def warning_row(expected: Any) -> list[tuple[str, object]]:
    """What a user must know before anything is built on such keys; nothing if there is nothing."""
    return [("warning", Text(expected.warning, style="yellow"))] if expected.warning else []


def warn_of_memory(screen: Screen, found: Any) -> None:
    """A remark if this machine has less memory free than the work takes."""
    free = psutil.virtual_memory().available
    if found.memory_bytes > free:
        screen.note(f"this takes {amount(found.memory_bytes)} of memory, {amount(free)} are free")
