# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the parts of the native proof's verifier are given: openings from Rust, scalars that look random, axes of windows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from differential.sumcheck_chain import Opening
from verifiable_ml.commitment import Transcript

OPENINGS = Path(__file__).with_name("openings.json")
"""Made by `cargo run --release -p commitment --example openings -- 2 3 8 13 16 18` in circuits/sumcheck."""


@dataclass(frozen=True)
class Opened:
    """One true opening: n coordinates, the transcript's state before and after, the key."""

    before: bytes
    after: bytes
    tau: tuple[bytes, ...]
    opening: Opening


@cache
def openings() -> dict[int, Opened]:
    """By the number of coordinates."""
    return {int(name.removeprefix("n = ")): _read(fields) for name, fields in json.loads(OPENINGS.read_text()).items()}


def _read(fields: dict[str, str | list[str]]) -> Opened:
    words = {name: tuple(map(_word, value)) if isinstance(value, list) else _word(value) for name, value in fields.items()}
    opening = Opening(words["row"], words["value"], words["point"], words["words"])
    return Opened(words["before"], words["after"], words["tau"], opening)


def _word(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def scalars(count: int, domain: str) -> list[bytes]:
    """The same at every run."""
    transcript = Transcript(domain)
    return [transcript.challenge("scalar").to_bytes(32, "big") for _ in range(count)]


AXES: dict[str, tuple[tuple[int, int, int, int, int, int], bool]] = {
    "32, k = 3, table": ((32, 32, 3, 1, 1, 1), False),
    "32, k = 3": ((32, 32, 3, 1, 1, 1), True),
    "28, k = 5, table": ((28, 28, 5, 1, 1, 2), False),
    "28, k = 5": ((28, 28, 5, 1, 1, 2), True),
    "28 to 24, k = 5": ((24, 28, 5, 1, 1, 0), True),
    "32 to 16, k = 3, stride 2": ((16, 32, 3, 2, 1, 1), True),
    "24 to 12, k = 2, stride 2": ((12, 24, 2, 2, 1, 0), True),
    "128, k = 3, table": ((128, 128, 3, 1, 1, 1), False),
    "128, k = 3": ((128, 128, 3, 1, 1, 1), True),
}
"""(outputs, inputs, taps, stride, dilation, pad), and whether bit by bit with a carry, or by table."""
