# SPDX-License-Identifier: MIT OR Apache-2.0
"""An honest step with one thing changed at random: evidence that two implementations must take, or refuse, alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from differential.random_programs import Rng
from differential.step_cases import Step
from verifiable_ml.commitment.merkle import ABSENT_HASHES
from verifiable_ml.dispute.opening import NOTHING, Opening, Run
from verifiable_ml.dispute.step import Accumulator

HASHES = (bytes(32), b"\xff" * 32, *ABSENT_HASHES[:3])


def list_changed(items: tuple, rng: Rng, forged: object) -> tuple:
    """One left out, twice, replaced, or two swapped, or one more."""
    place = int(rng.integers(0, len(items) + 1))
    choice = rng.integers(6)
    if not items or choice == 0:
        return (*items[:place], forged, *items[place:])
    place %= len(items)
    if choice == 1:
        return (*items[:place], *items[place + 1 :])
    if choice == 2:
        return (*items[: place + 1], items[place], *items[place + 1 :])
    if choice == 3:
        return (*items[:place], forged, *items[place + 1 :])
    if choice == 4:
        return items[::-1]
    return (*items[1:], items[0])


def bytes_changed(data: bytes, rng: Rng) -> bytes:
    """A bit, a byte more or less, a leaf less, nothing left."""
    choice = rng.integers(6)
    if choice == 0 or not data:
        return data + bytes([int(rng.integers(256))])
    if choice == 1:
        return data[:-1]
    if choice == 2:
        return data[int(rng.choice([1, 256])) :]
    if choice == 3:
        return data[: len(data) // 256 * 256]
    changed = bytearray(data)
    changed[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def run_changed(run: Run, rng: Rng) -> Run:
    choice = rng.integers(3)
    if choice == 0:
        by = int(rng.choice([-1, 1, 2, 16, 1 << 10, 1 << 31]))
        return replace(run, first=(run.first + by) % (1 << 32))
    if choice == 1:
        return replace(run, data=bytes_changed(run.data, rng))
    return replace(run, siblings=list_changed(run.siblings, rng, HASHES[rng.integers(len(HASHES))]))


def split(run: Run, rng: Rng) -> tuple[Run, ...]:
    """One run as two that touch, with the siblings of the first."""
    leaf = 256 * int(rng.integers(1, 4))
    return (replace(run, data=run.data[:leaf]), replace(run, first=run.first + leaf // 256, data=run.data[leaf:]))


def opening_changed(opening: Opening, rng: Rng) -> Opening:
    if not opening.runs:
        return replace(opening, path=(HASHES[0],)) if rng.random() < 0.5 else replace(opening, runs=(Run(0, b"\0", ()),))
    place, choice = int(rng.integers(len(opening.runs))), rng.integers(5)
    run = opening.runs[place]
    if choice == 0:
        return replace(opening, path=list_changed(opening.path, rng, HASHES[rng.integers(len(HASHES))]))
    if choice == 1:
        return replace(opening, runs=list_changed(opening.runs, rng, run_changed(run, rng)))
    if choice == 2:
        return replace(opening, runs=(*opening.runs[:place], *split(run, rng), *opening.runs[place + 1 :]))
    return replace(opening, runs=(*opening.runs[:place], run_changed(run, rng), *opening.runs[place + 1 :]))


def openings(step: Step, rng: Rng) -> Step:
    place = int(rng.integers(len(step.openings)))
    if rng.random() < 0.1:
        return replace(step, openings=list_changed(step.openings, rng, NOTHING))
    changed = opening_changed(step.openings[place], rng)
    return replace(step, openings=(*step.openings[:place], changed, *step.openings[place + 1 :]))


def record(step: Step, rng: Rng) -> Step:
    if step.record is None:
        return replace(step, record=Run(int(rng.integers(2)), bytes(16 * int(rng.integers(2))), ()))
    return replace(step, record=None if rng.random() < 0.1 else run_changed(step.record, rng))


def statement(step: Step, rng: Rng) -> Step:
    s, by = step.statement, int(rng.choice([-1, 1, 7, 1 << 20, 1 << 70]))
    choice = rng.integers(4)
    if choice == 0:
        return replace(step, statement=replace(s, element=(s.element + by) % (1 << 256)))
    if choice == 1:
        return replace(step, statement=replace(s, piece=(s.piece + by) % (1 << 256)))
    if choice == 2:
        return replace(step, statement=replace(s, count=(s.count + by) % (1 << 32)))
    return replace(step, statement=replace(s, trace_root=HASHES[rng.integers(len(HASHES))]))


def start(step: Step, rng: Rng) -> Step:
    """Also beyond what a posted accumulator can be."""
    values = [0, 1, -1, -(1 << 63), (1 << 63) - 1, (1 << 190) - 1, 1 << 190, -(1 << 190), 1 - (1 << 190), -(1 << 255)]
    value, index = (int(rng.choice(len(values))) for _ in range(2))
    return replace(step, start=Accumulator(values[value], values[index] % (1 << 256)))


MUTATIONS: tuple[Callable[[Step, Rng], Step], ...] = (openings, openings, openings, openings, record, statement, start)


def mutated(step: Step, rng: Rng) -> Step:
    return MUTATIONS[rng.integers(len(MUTATIONS))](step, rng)
