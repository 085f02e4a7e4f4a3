# SPDX-License-Identifier: MIT OR Apache-2.0
"""One native proof in a process of its own, so that its memory is seen and nothing else's.

`python -m verifiable_ml.bench.native_run FOLDER` reads program.vml and inputs.npz there (integers by input name, as many as one
proof takes, stacked), and writes key.vk, the proof, and measured.json.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from verifiable_ml import api
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import VerifiableMlError
from verifiable_ml.proving import batch_backend

PROGRAM, INPUTS, KEY, PROOF, MEASURED = "program.vml", "inputs.npz", "key.vk", "batch.proof", "measured.json"
REPEATS, SHORT = 3, 5.0
"""Proofs of which the quickest counts, if one takes less than SHORT seconds."""

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def peak() -> int:
    """Resident bytes of this process at their most. Of the kernel's figures the one that a parent's memory is not part of."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measured(folder: Path) -> dict[str, Any]:
    """Seconds and bytes. Raises as the backend."""
    backend, program = batch_backend("sumcheck"), api.load(folder / PROGRAM)
    with np.load(folder / INPUTS) as file:
        stacked = {name: file[name] for name in file.files}
    count = len(next(iter(stacked.values())))
    inputs = [{name: rows[place] for name, rows in stacked.items()} for place in range(count)]
    idle = peak()
    keys, setup = timed(lambda: backend.setup(program, Privacy(), count=count))
    proof, prove = timed(lambda: backend.prove_batch(program, inputs, keys))
    for _ in range(REPEATS - 1 if prove < SHORT else 0):
        proof, again = timed(lambda: backend.prove_batch(program, inputs, keys))
        prove = min(prove, again)
    most = peak()
    times = [timed(lambda: backend.verify_batch(proof, proof.claims, keys.verification)) for _ in range(REPEATS)]
    (folder / KEY).write_bytes(keys.verification.to_bytes())
    (folder / PROOF).write_bytes(proof.to_bytes())
    return {
        "setup_seconds": setup,
        "prove_seconds": prove,
        "verify_seconds": min(seconds for _, seconds in times),
        "accepted": all(verdict.accepted for verdict, _ in times),
        "idle_bytes": idle,
        "peak_bytes": most,
    }


def main(folder: Path) -> None:
    """A typed error is an answer as well."""
    try:
        found = measured(folder)
    except VerifiableMlError as error:
        found = error.to_json()
    (folder / MEASURED).write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
