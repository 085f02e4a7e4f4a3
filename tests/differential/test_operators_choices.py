# SPDX-License-Identifier: MIT OR Apache-2.0
"""lookup, gather, compare and argmax against big integers: mantissas, ties, equal values, every row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.big_integers import Grid, lookup
from differential.cases import QUICK, Operand, assert_agrees, broadcastable, operands, shapes

WIDE = (-(2**63), 2**63 - 1)


@QUICK
@given(st.data())
def test_lookup_linear_agrees_with_big_integers(data):
    base, entries = data.draw(st.sampled_from([0, 1, -128, -(2**15), 2**31, -(2**63), 2**63 - 20])), data.draw(st.integers(1, 20))
    x = data.draw(operands(data.draw(shapes()), base, base + entries - 1))
    table = data.draw(operands((entries,), *WIDE, constant=True))
    assert_agrees("lookup", [x, table], base=base)


def entries_by_mantissa(bits: int, greatest: int) -> int:
    """How long a table must be for x up to `greatest`."""
    return (greatest.bit_length() - bits) * 2**bits + 2**bits if greatest >= 2**bits else greatest + 1


@QUICK
@given(st.data())
def test_lookup_by_mantissa_agrees_with_big_integers(data):
    bits = data.draw(st.integers(1, 6))
    greatest = data.draw(st.one_of(st.sampled_from([1, 2**bits, 2**31 - 1, 2**53, 2**63 - 1]), st.integers(0, 2**63 - 1)))
    x = data.draw(operands(data.draw(shapes()), 0, greatest))
    table = Operand(
        (entries_by_mantissa(bits, greatest),), tuple(7 * i - 100 for i in range(entries_by_mantissa(bits, greatest)))
    )
    assert_agrees("lookup", [x, table], base=0, mantissa=bits)


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_lookup_by_mantissa_around_powers_of_two_is_exact(bits):
    """Where a logarithm of floats is wrong: 2^k - 1 next to 2^k, for every k."""
    values = sorted({value for k in range(63) for value in (2**k - 1, 2**k, 2**k + 1)})
    table = Operand(((64 - bits) * 2**bits,), tuple(range((64 - bits) * 2**bits)))
    x = Operand((len(values),), tuple(values), (0, 2**63 - 1))
    assert_agrees("lookup", [x, table], base=0, mantissa=bits)
    positions = lookup({"base": 0, "mantissa": bits}, x.grid, Grid(table.shape, list(table.flat))).flat
    assert positions == sorted(positions) and max(positions) < table.shape[0]


@QUICK
@given(st.data())
def test_gather_any_rows_agrees_with_big_integers(data):
    table = data.draw(
        operands((data.draw(st.integers(1, 4)), *data.draw(shapes(0, 2))), *WIDE, constant=data.draw(st.booleans()))
    )
    indices = data.draw(operands(data.draw(shapes(0, 2)), 0, table.shape[0] - 1))
    assert_agrees("gather", [table, indices])


@QUICK
@given(st.data())
def test_compare_any_broadcast_agrees_with_big_integers(data):
    shape = data.draw(shapes())
    near = data.draw(st.sampled_from([(0, 2), WIDE, (-(2**15), 2**15 - 1)]))
    x = data.draw(operands(data.draw(broadcastable(shape)), *near))
    y = data.draw(operands(shape, *near, constant=data.draw(st.booleans())))
    assert_agrees("compare", [x, y] if data.draw(st.booleans()) or y.interval is None else [y, x])


@QUICK
@given(st.data())
def test_argmax_with_ties_agrees_with_big_integers(data):
    near = data.draw(st.sampled_from([(0, 1), (-1, 1), WIDE]))
    assert_agrees("argmax", [data.draw(operands(data.draw(shapes(1, 3)), *near))])


@pytest.mark.parametrize("row", [(5, 5, 5), (1, 9, 9), (-(2**63), -(2**63), -(2**63)), (2**63 - 2, 2**63 - 1, 2**63 - 1)])
def test_argmax_tie_is_the_first(row):
    assert_agrees("argmax", [Operand((3,), row, WIDE)])
