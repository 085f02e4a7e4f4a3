# SPDX-License-Identifier: MIT OR Apache-2.0
"""Disputes: how long wrong assertions delay a right one, and what they cost, by the Python rules of the game."""

from __future__ import annotations

from functools import cache

import numpy as np

from verifiable_ml.bench.table import Table
from verifiable_ml.dispute.bonds import challenge_bond
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.liars import Liar
from verifiable_ml.dispute.sybils import PRICE, TIMES, Siege, besieged
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Tokens, TraceRef
from verifiable_ml.proving.base import Progress, silent

SYBILS = (1, 10, 100, 10_000)
SIDE, TAIL = 64, 7
"""A maximum over 64 x 64 bytes has 256 pieces: two lists of accumulators. With the tail a trace has nine tensors."""


def sybils(progress: Progress = silent, counts: tuple[int, ...] = SYBILS) -> Table:
    """How long N wrong assertions, all at once, delay a right one, and what they lose by it."""
    rows = []
    cases = [(count, funded) for count in counts for funded in (1, 50, count) if funded <= count]
    for place, (count, funded) in enumerate(dict.fromkeys(cases)):
        progress(f"{count:,} wrong assertions, {funded:,} games at a time at first", place / len(cases))
        rows.append(_row(besieged(honest(), lie, count, funded, fan_out=1)))
    columns = (
        "wrong assertions", "games paid for at first", "rounds of games", "delay, T", "bound of rule 47, T",
        "attacker loses, challenge bonds", "defender earns, challenge bonds", "its gas at most, challenge bonds",
    )  # fmt: skip
    notes = (
        "Profile L1: W = T = 24 h, E = 1 h, Es = 2 h. Four rounds and two lists of accumulators, so D = 34 h = 1.42 T.",
        "Every wrong assertion is posted in the last second and stalls to the last; then the right one is challenged once more.",
        "Played by the rules in Python, every move. A challenge bond is 2.4M gas at the request's price; a win leaves 1.8.",
    )
    return Table("sybils", "Delay by wrong assertions", columns, tuple(rows), notes)


def _row(found: Siege) -> tuple[int | float, ...]:
    bond = challenge_bond(PRICE)
    in_bonds = (found.lost / bond, found.earned / bond, found.spent / bond)
    return (found.sybils, found.funded, found.rounds, found.delay / TIMES.time, found.bound / TIMES.time, *in_bonds)


@cache
def honest() -> Forest:
    """A maximum, and the tail of lookups that lets commitments differ."""
    b = Builder()
    x: TraceRef = b.input("x", (1, SIDE, SIDE, 1), Interval(0, 255), Tokens())
    y = b.apply("max", x, kernel=(SIDE, SIDE), strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1))
    for _ in range(TAIL):
        y = b.apply("lookup", y, b.constant(np.arange(256)), base=0)
    b.output("y", y, Tokens())
    pixels = np.arange(SIDE * SIDE).reshape(1, SIDE, SIDE, 1) % 200
    return Forest(Witness(run_reference(b.build(), {"x": pixels})))


@cache
def lie(number: int) -> Forest:
    """Another maximum, and two tensors of the tail that tell it from the other lies: 255 * 256 of them."""
    wrong, low = honest().tensors[1] ^ np.uint8(1 + number % 255), honest().tensors[2] ^ np.uint8(number // 255)
    return Liar(honest(), {1: wrong, 2: low}, late=0.5)
