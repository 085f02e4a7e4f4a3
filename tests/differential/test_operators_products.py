# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul, conv and mul against big integers: zero points, groups, dilation, padding, saturation, floors below zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from differential.cases import QUICK, Form, Operand, assert_agrees, broadcastable, forms, operands, shapes

ZEROS = st.sampled_from([0, 1, -1, 128, 255, -(2**15), 2**15 - 1])


@QUICK
@given(st.data())
def test_matmul_any_operands_agrees_with_big_integers(data):
    *outer, terms = data.draw(shapes(1, 3))
    channels = data.draw(st.integers(1, 3))
    batched = len(outer) > 1 and data.draw(st.booleans())
    x = data.draw(operands((*outer, terms)))
    w = data.draw(operands((*outer[:-1], channels, terms) if batched else (channels, terms), constant=data.draw(st.booleans())))
    zeros = {"x_zero": data.draw(ZEROS), "w_zero": data.draw(ZEROS)}
    assert_agrees("matmul", [x, w], data.draw(forms(channels)), **zeros)


@st.composite
def windows(draw, spatial: tuple[int, ...], padded: bool = True) -> dict:
    """Kernel, strides, pads and dilations that leave at least one window."""
    rank, pad = len(spatial), st.integers(0, 2) if padded else st.just(0)
    pads = tuple(draw(st.lists(pad, min_size=2 * rank, max_size=2 * rank)))
    kernel, dilations = [], []
    for axis, size in enumerate(spatial):
        room = size + pads[axis] + pads[axis + rank]
        kernel.append(draw(st.integers(1, min(room, 3))))
        most = (room - 1) // (kernel[-1] - 1) if kernel[-1] > 1 else 3
        dilations.append(draw(st.integers(1, max(1, min(most, 3)))))
    strides = tuple(draw(st.lists(st.integers(1, 3), min_size=rank, max_size=rank)))
    return {"kernel": tuple(kernel), "strides": strides, "pads": pads, "dilations": tuple(dilations)}


@QUICK
@given(st.data())
def test_conv_any_windows_agrees_with_big_integers(data):
    groups, inner, outer = (data.draw(st.integers(1, 2)) for _ in range(3))
    spatial = data.draw(shapes(1, 2))
    over = data.draw(windows(spatial))
    kernel = over.pop("kernel")
    x = data.draw(operands((data.draw(st.integers(1, 2)), *spatial, groups * inner)))
    w = data.draw(operands((groups * outer, *kernel, inner), constant=True))
    zeros = {"x_zero": data.draw(ZEROS), "w_zero": data.draw(ZEROS)}
    assert_agrees("conv", [x, w], data.draw(forms(groups * outer)), groups=groups, **over, **zeros)


@QUICK
@given(st.data())
def test_mul_any_broadcast_agrees_with_big_integers(data):
    shape = data.draw(shapes())
    x, y = (data.draw(operands(data.draw(broadcastable(shape)))) for _ in range(2))
    y = Operand(y.shape, y.flat) if data.draw(st.booleans()) else y
    channels = (max(x.shape[-1:], y.shape[-1:]) or (1,))[0]
    zeros = {"x_zero": data.draw(ZEROS), "y_zero": data.draw(ZEROS)}
    assert_agrees("mul", [x, y], data.draw(forms(channels)), **zeros)


@pytest.mark.parametrize(
    ("name", "accumulator", "form", "wanted"),
    [
        ("floor below zero", -1, Form(shift=1, low=-128, high=127), -1),
        ("floor of a negative that divides", -4, Form(shift=2, low=-128, high=127), -1),
        ("half rounds up with its offset", 1, Form(offset=(1,), shift=1), 1),
        ("half below zero rounds up too", -1, Form(offset=(1,), shift=1, low=-128, high=127), 0),
        ("saturates at the high end", 32767, Form(), 255),
        ("saturates at the low end", -32768, Form(), 0),
        ("shift 62 leaves the sign", -1, Form(shift=62, low=-128, high=127), -1),
        ("shift 62 of more than 2^61", 1, Form(offset=(2**62 - 2,), shift=62), 0),
        ("shift 62 of a positive", 32767, Form(multiplier=(32767,), shift=62), 0),
        ("shift 0 is the scaled value", -3, Form(multiplier=(5,), offset=(7,), low=-128, high=127), -8),
        ("just below 2^62", 1, Form(offset=(2**62 - 2,), shift=61), 1),
        ("multiplier 0 keeps the offset", 9, Form(multiplier=(0,), offset=(42,)), 42),
    ],
)
def test_requantisation_at_an_edge_is_exact(name, accumulator, form, wanted):
    x = Operand((1, 1), (accumulator,), (min(accumulator, 0), max(accumulator, 0)))
    program = assert_agrees("matmul", [x, Operand((1, 1), (1,))], form)
    interval = program.operators[0].output.interval
    assert interval.low <= wanted <= interval.high, name


def test_conv_padded_tap_reads_the_zero_point_and_adds_nothing():
    x = Operand((1, 2, 1), (130, 120), (100, 140))
    program = assert_agrees(
        "conv",
        [x, Operand((1, 3, 1), (1, 1, 1))],
        x_zero=128, w_zero=0, strides=(1,), pads=(2, 2), dilations=(1,), groups=1,
    )  # fmt: skip
    assert program.operators[0].output.shape == (1, 4, 1)


def test_conv_padding_with_zero_point_outside_of_x_is_bounded_still():
    """Every tap of the first window lies in the padding: its sum is 0, though no x - x_zero is 0."""
    x = Operand((1, 1, 1), (100,), (100, 140))
    program = assert_agrees(
        "conv",
        [x, Operand((1, 1, 1), (7,))],
        x_zero=5, w_zero=0, strides=(1,), pads=(1, 0), dilations=(1,), groups=1,
    )  # fmt: skip
    assert program.operators[0].output.interval.low <= 0
