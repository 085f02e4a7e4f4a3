# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rule 47: the delay by many wrong assertions, played out, stays below f(N) and near it (properties 13 and 14)."""

from __future__ import annotations

from functools import cache

import pytest

from verifiable_ml.bench.sybils import sybils

BOUNDS = {
    (1, 1): 3.8,
    (10, 1): 8.1,
    (10, 10): 3.8,
    (100, 1): 10.9,
    (100, 50): 5.2,
    (100, 100): 3.8,
    (10_000, 1): 16.6,
    (10_000, 50): 10.9,
    (10_000, 10_000): 3.8,
}
"""f(N) in T, by number of wrong assertions and of games that are paid for at first."""
ALL = pytest.param((1, 10, 100, 10_000), marks=[pytest.mark.slow, pytest.mark.timeout(1800)], id="10,000")


COUNTS = pytest.mark.parametrize("counts", [pytest.param((1, 10, 100), id="100"), ALL])


@cache
def rows_of(counts: tuple[int, ...]) -> tuple[tuple[int | float, ...], ...]:
    """Played once for all properties."""
    return sybils(counts=counts).rows


@COUNTS
def test_property_13_right_answer_is_final_within_f_of_n_whatever_the_number(counts):
    rows = rows_of(counts)
    assert [(row[0], row[1]) for row in rows] == [case for case in BOUNDS if case[0] in counts]
    for count, funded, _, delay, bound, *_ in rows:
        assert round(bound, 1) == BOUNDS[count, funded]
        assert 0.9 * bound < delay <= bound, "the attack is as long as an attack can be"


@COUNTS
def test_property_14_attacker_loses_twelve_times_what_the_defender_spends(counts):
    for count, *_, lost, earned, gas in rows_of(counts):
        assert lost == 4 * count + 1, "every bond of the attacker"
        assert earned == 2 * count + 0.5, "half of them"
        assert lost / gas >= 12
