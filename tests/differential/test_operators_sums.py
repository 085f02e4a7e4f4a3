# SPDX-License-Identifier: MIT OR Apache-2.0
"""add, sum and max against big integers: coefficients a channel, broadcasting, up to 8 operands, empty pads, windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK, Operand, assert_agrees, broadcastable, forms, operands, program_of, shapes
from differential.test_operators_products import windows
from verifiable_ml.errors import MalformedProgram

COEFFICIENTS = st.one_of(st.sampled_from([0, 1, -1, 2**15 - 1, -(2**15 - 1)]), st.integers(-(2**15 - 1), 2**15 - 1))


@QUICK
@given(st.data())
def test_add_any_broadcast_agrees_with_big_integers(data):
    shape, count = data.draw(shapes()), data.draw(st.integers(1, 8))
    given_ = [data.draw(operands(data.draw(broadcastable(shape)))) for _ in range(count - 1)]
    given_.append(data.draw(operands(shape)))
    channels = shape[-1] if shape else 1
    lengths = [data.draw(st.sampled_from([1, channels])) for _ in given_]
    coefficients = tuple(tuple(data.draw(st.lists(COEFFICIENTS, min_size=n, max_size=n))) for n in lengths)
    assert_agrees("add", given_, data.draw(forms(channels)), coefficients=coefficients)


@QUICK
@given(st.data())
def test_sum_any_axes_agrees_with_big_integers(data):
    shape = data.draw(shapes(1, 4, 3))
    x, axes = data.draw(operands(shape, -(2**31), 2**31 - 1)), data.draw(st.integers(1, len(shape)))
    kept = shape[: len(shape) - axes]
    assert_agrees("sum", [x], data.draw(forms(kept[-1] if kept else 1)), axes=axes)


@QUICK
@given(st.data())
def test_max_over_axes_agrees_with_big_integers(data):
    shape = data.draw(shapes(1, 4, 3))
    assert_agrees("max", [data.draw(operands(shape, -(2**63), 2**63 - 1))], axes=data.draw(st.integers(1, len(shape))))


@QUICK
@given(st.data())
def test_max_over_windows_agrees_with_big_integers(data):
    spatial = data.draw(shapes(1, 2))
    over = data.draw(windows(spatial, padded=data.draw(st.booleans())))
    pads, kernel, rank = over["pads"], over["kernel"], len(spatial)
    alone = any(max(pads[a], pads[a + rank]) >= kernel[a] for a in range(rank))
    holes = any(over["dilations"][a] > 1 and (pads[a] or pads[a + rank]) for a in range(rank))
    x = data.draw(operands((1, *spatial, data.draw(st.integers(1, 2))), -(2**63), 2**63 - 1))
    if alone or holes:  # a window could lie in the padding alone, and then nothing is its maximum
        with pytest.raises(MalformedProgram, match="padding alone"):
            program_of("max", [x], **over)
    else:
        assert_agrees("max", [x], **over)


def test_max_padded_window_never_reads_the_padding():
    x = Operand((1, 2, 1), (-(2**63), -(2**63)), (-(2**63), -1))
    assert_agrees("max", [x], kernel=(2,), strides=(1,), pads=(1, 1), dilations=(1,))
