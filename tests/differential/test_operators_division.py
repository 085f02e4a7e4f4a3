# SPDX-License-Identifier: MIT OR Apache-2.0
"""divide and isqrt against big integers: halves, negative numerators, odd divisors, both ends of the domain."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK, Operand, assert_agrees, broadcastable, operands, shapes


@QUICK
@given(st.data())
def test_divide_any_broadcast_agrees_with_big_integers(data):
    shape = data.draw(shapes())
    scale = data.draw(st.one_of(st.sampled_from([1, 2, 255, 2**15, 2**47 - 1]), st.integers(1, 2**47 - 1)))
    reach = (2**61 // scale) or 1
    a = data.draw(operands(data.draw(broadcastable(shape)), -min(reach, 2**31), min(reach, 2**31)))
    b = data.draw(operands(shape, 1, data.draw(st.sampled_from([1, 2, 3, 255, 2**31, 2**60]))))
    assert_agrees("divide", [a, b], scale=scale)


def test_divide_every_small_pair_is_inside_its_interval():
    """Exhaustive: the interval is proved from corners only, and rounding is not monotone in the divisor."""
    for low, high, least, greatest, scale in product([-7, -1, 0, 3], [3, 8], [1, 2, 3], [3, 4, 9], [1, 3]):
        pairs = list(product(range(low, high + 1), range(least, greatest + 1)))
        a = Operand((len(pairs),), tuple(pair[0] for pair in pairs), (low, high))
        b = Operand((len(pairs),), tuple(pair[1] for pair in pairs), (least, greatest))
        assert_agrees("divide", [a, b], scale=scale)


@pytest.mark.parametrize(
    ("a", "b", "wanted"), [(1, 2, 1), (-1, 2, 0), (-3, 2, -1), (1, 3, 0), (-1, 3, 0), (-2, 3, -1), (2, 3, 1), (-5, 1, -5)]
)
def test_divide_half_rounds_up_and_negative_floors(a, b, wanted):
    program = assert_agrees("divide", [Operand((), (a,), (a, a)), Operand((), (b,), (b, b))])
    assert program.operators[0].output.interval.low <= wanted <= program.operators[0].output.interval.high


@QUICK
@given(st.data())
def test_isqrt_any_operand_agrees_with_big_integers(data):
    assert_agrees("isqrt", [data.draw(operands(data.draw(shapes()), 0, 2**53 - 1))])


def test_isqrt_around_squares_and_at_its_end_is_exact():
    """2^53 - 1 is the last of its domain; beside large squares a root of floats is wrong."""
    roots = [1, 2, 3, 255, 2**15, 2**16, 67_108_863, 94_906_264, 94_906_265]
    values = sorted({r * r + d for r in roots for d in (-1, 0, 1)} | {0, 2**53 - 1})
    program = assert_agrees("isqrt", [Operand((len(values),), tuple(values), (0, 2**53 - 1))])
    assert program.operators[0].output.interval.high == 94_906_265
