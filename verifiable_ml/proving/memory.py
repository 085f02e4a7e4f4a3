# SPDX-License-Identifier: MIT OR Apache-2.0
"""How much memory a prover may take, and the refusal of what would take more."""

from __future__ import annotations

import os

import psutil

from verifiable_ml.errors import InvalidInput, ResourceExceeded

LIMIT = "VML_MEMORY_LIMIT"
HINT = f"raise {LIMIT} (bytes), or prove a smaller model: `vml estimate` says what each takes"


def memory_limit() -> int:
    """VML_MEMORY_LIMIT in bytes, or nine tenths of what is free now. Raises InvalidInput on no number."""
    text = os.environ.get(LIMIT, "")
    if text and not text.isdigit():
        raise InvalidInput(thing=f"{LIMIT}={text}", reason="it is no number of bytes", hint="4294967296 is 4 GiB")
    return int(text) if text else int(psutil.virtual_memory().available * 0.9)


def require_memory(expected: int, limit: int) -> None:
    """Raises ResourceExceeded, before the work, if the work is expected to take more bytes than the limit."""
    if expected > limit:
        raise exhausted(f"the estimate is {mib(expected)}, the limit is {mib(limit)}")


def exhausted(reason: str) -> ResourceExceeded:
    """The error."""
    return ResourceExceeded(thing="memory", reason=reason, hint=HINT)


def mib(count: int) -> str:
    """As people say it."""
    return f"{count / 2**20:,.0f} MiB"
