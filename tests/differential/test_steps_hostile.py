# SPDX-License-Identifier: MIT OR Apache-2.0
"""Steps on what a liar sends: operands that nobody computed, evidence with one thing changed, descriptors of no program.

Python and Solidity take it with one value, or both refuse it with an error of ours: no panic, no crash (properties 30, 39, 40).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from differential.random_programs import KINDS, Rng
from differential.step_cases import Step, lied_trace, random_trace, steps
from differential.step_chain import Refused, chain
from differential.step_mutations import mutated
from differential.test_steps_operators import some_elements
from verifiable_ml.dispute.descriptor import parse
from verifiable_ml.dispute.step import Accumulator, advance, finish
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.program import OPERATORS

REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """The accumulator and the integer, or that they were refused."""

    end: Accumulator | str
    value: int | str


def in_python(step: Step) -> Outcome:
    try:
        descriptor = parse(step.data)
    except MalformedEvidence:
        return Outcome(REFUSED, REFUSED)
    try:
        end: Accumulator | str = advance(replace(step.statement, descriptor=descriptor), step.openings, step.record, step.start)
    except MalformedEvidence:
        end = REFUSED
    try:
        reached = end if isinstance(end, Accumulator) else step.start
        return Outcome(end, finish(descriptor, step.statement.element, reached, step.record))
    except MalformedEvidence:
        return Outcome(end, REFUSED)


def in_solidity(step: Step) -> Outcome:
    end = chain().advance(step.data, step.statement, step.openings, step.record, step.start)
    reached = step.start if isinstance(end, Refused) else end
    value = chain().finish(step.data, step.statement.element, reached, step.record)
    return Outcome(*(REFUSED if isinstance(each, Refused) else each for each in (end, value)))


def some_step(trace, rng: Rng) -> Step | None:
    """None if the lie leaves the operator's domain, so that no honest reader can say which leaf comes next."""
    try:
        every = list(steps(trace, len(trace.tensors) - 1, int(rng.choice(some_elements(trace, rng)))))
    except MalformedEvidence:
        return None
    return every[rng.integers(len(every))]


def assert_alike(kind: str, count: int) -> None:
    rng, seen, refused = np.random.default_rng([7, *kind.encode()]), Counter(), Counter()
    while seen.total() < count:
        honest = random_trace(kind, rng)
        trace = lied_trace(honest, rng) if rng.random() < 0.5 else honest
        for _ in range(25):
            if (step := some_step(trace, rng)) is None:
                continue
            was_changed = rng.random() < 0.8
            changed = mutated(step, rng) if was_changed else step
            outcome = in_python(changed)
            assert in_solidity(changed) == outcome, (changed, outcome)
            seen[was_changed] += 1
            refused[was_changed] += outcome.end == REFUSED
    assert refused[True] > seen[True] / 3, "mutations that change nothing test nothing"
    assert refused[False] < seen[False] / 3, "a fuzzer whose moves are all refused tests nothing (property 16)"


@pytest.mark.parametrize("kind", KINDS)
def test_property_40_step_of_a_liar_is_taken_or_refused_alike(kind):
    assert_alike(kind, 500)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("kind", KINDS)
def test_property_40_step_of_a_liar_a_hundred_thousand_times_is_taken_or_refused_alike(kind):
    assert_alike(kind, 100_000)


def descriptor_changed(data: bytes, rng: Rng) -> bytes:
    """A byte changed, mostly to what a neighbour or a small number is; one left out, one more, some zeros."""
    changed, choice = bytearray(data), rng.integers(8)
    place = int(rng.integers(len(data)))
    if choice == 0:
        del changed[place]
    elif choice == 1:
        changed.insert(place, int(rng.integers(256)))
    elif choice == 2:
        changed[place:] = changed[place : place + int(rng.integers(4))]
    elif choice == 3:
        changed[0] = int(rng.integers(16))
    else:
        changed[place] = int(rng.choice([0, 1, 2, 3, 4, 255, changed[place] ^ 1, changed[place - 1], (changed[place] + 1) % 256]))
    return bytes(changed)


def form_in_python(data: bytes) -> tuple[int, ...] | None:
    try:
        d = parse(data)
    except MalformedEvidence:
        return None
    return (OPERATORS[d.kind].CODE, d.dtype, d.nbytes, d.terms, d.tau)


def assert_descriptors_alike(kind: str, count: int) -> None:
    rng, taken = np.random.default_rng([8, *kind.encode()]), 0
    for _ in range(count // 20):
        trace = random_trace(kind, rng)
        step = next(steps(trace, len(trace.tensors) - 1, 0))
        data = step.data
        for _ in range(20):
            data = descriptor_changed((data or step.data) if rng.random() < 0.3 else step.data, rng)
            wanted, found = form_in_python(data), chain().form(data)
            assert (None if isinstance(found, Refused) else found) == wanted, data.hex()
            taken += wanted is not None
            if wanted is not None:
                outcome = in_python(replace(step, data=data))
                assert in_solidity(replace(step, data=data)) == outcome, data.hex()
    assert taken > count / 50


@pytest.mark.parametrize("kind", KINDS)
def test_descriptor_changed_is_read_or_refused_alike(kind):
    assert_descriptors_alike(kind, 1_000)


@pytest.mark.slow
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("kind", KINDS)
def test_descriptor_changed_a_hundred_thousand_times_is_read_or_refused_alike(kind):
    assert_descriptors_alike(kind, 100_000)
