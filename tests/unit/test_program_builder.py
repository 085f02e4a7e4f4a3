# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Builder refuses what it cannot prove (QuantisationError) and what does not fit (MalformedProgram), and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from verifiable_ml.errors import MalformedProgram, QuantisationError
from verifiable_ml.program import Builder, ConstantRef, Interval, Linear, Requantise, Tokens, TraceRef
from verifiable_ml.program.files import to_files
from verifiable_ml.program.pieces import MAX_LEAVES, MAX_SHOWN, MAX_TERMS, Read, largest_piece

I64 = Interval(-(2**63), 2**63 - 1)
U8 = Interval(0, 255)


def built(*inputs, kind, constants=(), requantise=None, **attributes):
    """A program of one operator over inputs (shape, interval) and then constants."""
    builder = Builder()
    refs = [builder.input(f"x{i}", shape, interval, Tokens()) for i, (shape, interval) in enumerate(inputs)]
    refs += [builder.constant(values) for values in constants]
    builder.output("y", builder.apply(kind, *refs, requantise=requantise, **attributes), Tokens())
    return builder.build()


def form(multiplier=1, offset=0, shift=0, low=0, high=255):
    return Requantise(np.array(multiplier), np.array(offset), shift, low, high)


OUT_OF_DOMAIN = {
    "an accumulator of 2^47": lambda: built(((1,), Interval(0, 2**46)), kind="matmul", constants=[np.array([[2]])]),
    "a partial sum of 2^47 that cancels": lambda: built(
        ((2,), Interval(0, 2**46)), kind="matmul", constants=[np.array([[1, -1]])]
    ),
    "weights whose sum wraps 64 bits": lambda: built(((4,), U8), kind="matmul", constants=[np.full((1, 4), 2**62)]),
    "a zero point that wraps 64 bits": lambda: built(
        ((1,), U8), kind="matmul", constants=[np.array([[2**63 - 1]])], w_zero=-(2**63)
    ),
    "conv weights whose sum wraps": lambda: built(
        ((1, 4, 1), U8), kind="conv", constants=[np.full((1, 4, 1), 2**62)],
        x_zero=0, w_zero=0, strides=(1,), pads=(0, 0), dilations=(1,), groups=1,
    ),
    "a product of 2^47": lambda: built(((), Interval(0, 2**24)), ((), Interval(0, 2**23)), kind="mul"),
    "a sum of 2^47": lambda: built(((2,), Interval(0, 2**46)), kind="sum"),
    "an addition of 2^47": lambda: built(((), Interval(0, 2**33)), kind="add", coefficients=((2**14,),)),
    "an addition whose parts cancel": lambda: built(
        ((), Interval(0, 2**33)), ((), Interval(0, 2**33)), kind="add", coefficients=((2**13,), (-(2**13),))
    ),
    "a scaled accumulator of 2^62": lambda: built(((1,), Interval(0, 1)), kind="sum", requantise=form(offset=2**62 - 1)),
    "a divisor that can be 0": lambda: built(((), U8), ((), U8), kind="divide"),
    "a divisor that can be negative": lambda: built(((), U8), ((), Interval(-1, 5)), kind="divide"),
    "a numerator of 2^62": lambda: built(((), Interval(0, 2**20)), ((), Interval(1, 2)), kind="divide", scale=2**42),
    "a divisor of 2^62": lambda: built(((), U8), ((), Interval(1, 2**62)), kind="divide"),
    "a root of a negative": lambda: built(((), Interval(-1, 4)), kind="isqrt"),
    "a root of 2^53": lambda: built(((), Interval(0, 2**53)), kind="isqrt"),
    "an index below the rows": lambda: built(((2,), U8), ((), Interval(-1, 1)), kind="gather"),
    "an index beyond the rows": lambda: built(((2,), U8), ((), Interval(0, 2)), kind="gather"),
    "x below the table": lambda: built(((), Interval(-1, 1)), kind="lookup", constants=[np.arange(2)], base=0),
    "x beyond the table": lambda: built(((), Interval(0, 2)), kind="lookup", constants=[np.arange(2)], base=0),
    "x so far below the base that it wraps": lambda: built(
        ((), Interval(-(2**63), -(2**63))), kind="lookup", constants=[np.arange(4)], base=2**63 - 1
    ),
    "a negative x by mantissa": lambda: built(
        ((), Interval(-1, 1)), kind="lookup", constants=[np.arange(4)], base=0, mantissa=1
    ),
    "x beyond a table by mantissa": lambda: built(
        ((), Interval(0, 4)), kind="lookup", constants=[np.arange(4)], base=0, mantissa=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", OUT_OF_DOMAIN)
def test_builder_operand_out_of_domain_is_refused(why):
    with pytest.raises(QuantisationError) as raised:
        OUT_OF_DOMAIN[why]()
    assert not isinstance(raised.value, MalformedProgram) and raised.value.hint


REARRANGE = {"shape": (2,), "view": (2,), "permutation": (0,), "maps": ((2, 0, 1, 1),)}
CONV = {"x_zero": 0, "w_zero": 0, "strides": (1,), "pads": (0, 0), "dilations": (1,), "groups": 1}
X = ((2,), U8)


def conv_of(w=(1, 1, 1), x=(1, 4, 1), **changed):
    return lambda: built((x, U8), kind="conv", constants=[np.ones(w, dtype=np.int64)], **{**CONV, **changed})


def rearrange_of(**changed):
    return lambda: built(X, kind="rearrange", **{**REARRANGE, **changed})


DO_NOT_FIT = {
    "an unknown operator": lambda: built(X, kind="softmax"),
    "no operands": lambda: _after_input(lambda b: b.apply("sum")),
    "an unknown attribute": lambda: built(X, kind="sum", keepdims=1),
    "an attribute left out": lambda: built(X, kind="lookup", constants=[np.arange(256)]),
    "a fraction for an attribute": lambda: built(X, kind="sum", axes=1.0),
    "a text for an attribute": lambda: built(X, kind="sum", axes="1"),
    "an attribute beyond 64 bits": lambda: built(X, ((), Interval(0, 0)), kind="mul", x_zero=2**63),
    "one operand too many": lambda: built(X, X, kind="sum"),
    "one operand too few": lambda: built(X, kind="compare"),
    "shapes that do not broadcast": lambda: built(X, ((3,), U8), kind="mul"),
    "matmul over axes of two lengths": lambda: built(X, kind="matmul", constants=[np.ones((1, 3), dtype=int)]),
    "matmul of other batches": lambda: built(((2, 1, 2), U8), ((3, 1, 2), U8), kind="matmul"),
    "matmul by a vector": lambda: built(X, X, kind="matmul"),
    "conv by weights that are no constant": lambda: built(((1, 4, 1), U8), ((1, 1, 1), U8), kind="conv", **CONV),
    "conv with other channels": conv_of(w=(1, 1, 2)),
    "conv with groups that do not divide": conv_of(w=(3, 1, 1), x=(1, 4, 2), groups=2),
    "conv without groups": conv_of(groups=0),
    "conv with stride 0": conv_of(strides=(0,)),
    "conv with a negative pad": conv_of(pads=(-1, 0)),
    "conv with a pad too few": conv_of(pads=(0,)),
    "conv with a window larger than x": conv_of(w=(1, 5, 1)),
    "conv of a vector": conv_of(x=(4,), w=(1, 1, 1)),
    "add with a coefficient of 2^15": lambda: built(X, kind="add", coefficients=((2**15,),)),
    "add with no coefficients": lambda: built(X, kind="add", coefficients=((),)),
    "add with coefficients for another operand": lambda: built(X, kind="add", coefficients=((1,), (1,))),
    "add with coefficients of another length": lambda: built(X, kind="add", coefficients=((1, 2, 3),)),
    "add of nine operands": lambda: built(*[X] * 9, kind="add", coefficients=((1,),) * 9),
    "sum over no axes": lambda: built(X, kind="sum", axes=0),
    "sum over more axes than there are": lambda: built(X, kind="sum", axes=2),
    "max over axes and windows": lambda: built(X, kind="max", axes=1, kernel=(1,)),
    "max over nothing": lambda: built(X, kind="max"),
    "argmax of a scalar": lambda: built(((), U8), kind="argmax"),
    "gather from a scalar": lambda: built(((), U8), ((), Interval(0, 0)), kind="gather"),
    "a table of two axes": lambda: built(X, kind="lookup", constants=[np.ones((16, 16), dtype=int)], base=0),
    "a table that is no constant": lambda: built(X, ((256,), U8), kind="lookup", base=0),
    "a mantissa of 17 bits": lambda: built(X, kind="lookup", constants=[np.arange(256)], base=0, mantissa=17),
    "a mantissa with a base": lambda: built(X, kind="lookup", constants=[np.arange(256)], base=1, mantissa=8),
    "a division by scale 0": lambda: built(X, ((2,), Interval(1, 2)), kind="divide", scale=0),
    "a permutation that is none": rearrange_of(permutation=(1,)),
    "a map too few": rearrange_of(maps=()),
    "a map of three": rearrange_of(maps=((2, 0, 1),)),
    "a map with divisor 0": rearrange_of(maps=((2, 0, 1, 0),)),
    "a map of no entries": rearrange_of(maps=((0, 0, 1, 1),), shape=(0,)),
    "a map that wraps 64 bits": rearrange_of(maps=((2, 2**62, 2**62, 1),)),
    "a shape of another size": rearrange_of(shape=(3,)),
    "a view of another size": rearrange_of(view=(3,), maps=((3, 0, 1, 1),), shape=(3,)),
    "an axis that is none": rearrange_of(axis=1),
    "a fill beyond 64 bits": rearrange_of(maps=((2, 5, 1, 1),), fill=2**63),
    "a requantisation of a maximum": lambda: built(X, kind="max", axes=1, requantise=form()),
    "requantisation channels that do not fit": lambda: built(X, kind="add", coefficients=((1,),), requantise=form([1, 2, 3])),
    "an interval beyond 64 bits": lambda: built(((1,), Interval(0, 2**63)), kind="sum"),
    "an input without elements": lambda: built(((0,), U8), kind="sum"),
    "an input of 33 axes": lambda: built(((1,) * 33, U8), kind="sum"),
    "an input too large for anybody": lambda: built(((2**32 - 1, 2**32 - 1), U8), kind="sum", axes=2),
    "an output too large for anybody": rearrange_of(maps=((2**40, 0, 0, 1),), shape=(2**40,)),
    "a window of too many taps": lambda: built(
        ((1, 1, 1, 1), U8), kind="max", kernel=(2**20, 2**20), strides=(1, 1), pads=(2**20 - 1,) * 4, dilations=(1, 1)
    ),
    "two inputs of one name": lambda: _after_input(lambda b: b.input("x", (1,), U8, Tokens())),
    "an input whose name is no text": lambda: Builder().input(5, (1,), U8, Tokens()),
    "an input whose name is no unicode": lambda: Builder().input("\ud800", (1,), U8, Tokens()),
    "an encoding of other channels": lambda: Builder().input("x", (2,), U8, Linear((1.0,) * 3, (0,) * 3)),
    "a constant of fractions": lambda: Builder().constant(np.array([0.5])),
    "a constant of truths": lambda: Builder().constant(np.array([True])),
    "a constant of nothing": lambda: Builder().constant(np.zeros((0,), dtype=np.int64)),
    "a constant beyond 64 bits": lambda: Builder().constant(np.array([2**63], dtype=np.uint64)),
    "an operand that is not there": lambda: Builder().apply("sum", TraceRef(0)),
    "an operand before the first": lambda: _after_input(lambda b: b.apply("sum", TraceRef(-1))),
    "a constant that is not there": lambda: _after_input(lambda b: b.apply("sum", ConstantRef(0))),
    "a constant before the first": lambda: _after_input(lambda b: (b.constant(np.arange(2)), b.apply("sum", ConstantRef(-1)))),
    "an output that is not there": lambda: _after_input(lambda b: b.output("y", TraceRef(1), Tokens())),
    "an output that is a constant": lambda: _after_input(lambda b: b.output("y", b.constant(np.arange(2)), Tokens())),
    "two outputs of one name": lambda: _after_input(
        lambda b: [b.output("y", TraceRef(0), Tokens()), b.output("y", TraceRef(0), Tokens())]
    ),
    "a decoding of other channels": lambda: _after_input(lambda b: b.output("y", TraceRef(0), Linear((1.0,) * 3, (0,) * 3))),
    "an input after an operator": lambda: _after_input(
        lambda b: [b.apply("sum", TraceRef(0)), b.input("z", (1,), U8, Tokens())]
    ),
    "a program of nothing": lambda: Builder().build(),
    "a program without outputs": lambda: _after_input(lambda b: [b.apply("sum", TraceRef(0)), b.build()]),
    "a program without operators": lambda: _after_input(lambda b: [b.output("y", TraceRef(0), Tokens()), b.build()]),
}  # fmt: skip


def _after_input(act):
    builder = Builder()
    builder.input("x", (2,), U8, Tokens())
    return act(builder)


@pytest.mark.parametrize("why", DO_NOT_FIT)
def test_builder_parts_that_do_not_fit_are_refused(why):
    with pytest.raises(MalformedProgram) as raised:
        DO_NOT_FIT[why]()
    assert raised.value.thing and raised.value.hint


TOO_LARGE = {
    "multiplier 2^15": {"multiplier": 2**15},
    "a negative multiplier": {"multiplier": -1},
    "shift 63": {"shift": 63},
    "shift -1": {"shift": -1},
    "bounds out of order": {"low": 1, "high": 0},
}


@pytest.mark.parametrize("why", TOO_LARGE)
def test_requantise_constant_out_of_range_is_refused(why):
    with pytest.raises(QuantisationError):
        form(**TOO_LARGE[why])


def test_builder_constants_are_kept_in_order_of_use_and_only_if_used():
    """So that the files follow from the program, and not from the order in which a compiler came across its weights."""
    programs = []
    for order in ([0, 1, 2], [2, 1, 0]):
        builder = Builder()
        x = builder.input("x", (2,), U8, Tokens())
        constants = {number: builder.constant(np.array([number, 7])) for number in order}
        y = builder.apply("add", x, constants[0], coefficients=((1,), (1,)))
        builder.output("y", builder.apply("add", y, constants[1], coefficients=((1,), (1,))), Tokens())
        programs.append(builder.build())
    assert to_files(programs[0], {}) == to_files(programs[1], {})
    assert [values.tolist() for values in programs[1].constants] == [[0, 7], [1, 7]]


def test_builder_truths_and_numpy_integers_as_attributes_are_plain_integers():
    plain, other = (built(((2, 2), U8), kind="sum", axes=axes) for axes in (1, np.int64(1)))
    assert plain.id == other.id and type(other.operators[0].attributes.axes) is int


@pytest.mark.parametrize("runs", [[5], [100_000], [8192], [1000, 3, 2000], [256] * 9, [7, 100_000, 5], [1] * 50])
@pytest.mark.parametrize("width", [1, 2, 8])
@pytest.mark.parametrize("depth", [0, 10, 26])
def test_pieces_bound_holds_for_every_aligned_window(runs, width, depth):
    """Rule 36 by brute force: lay the runs anywhere, count the leaves that each aligned window of tau terms touches."""
    read = Read(runs, width, 256 << depth)
    terms, tau = largest_piece([read])
    assert terms == sum(runs) and tau & (tau - 1) == 0 and 1 <= tau <= MAX_TERMS
    for seed in range(20):
        random, start, addresses = np.random.default_rng(seed), 0, []
        for length in runs:
            start += int(random.integers(1, 400)) * width
            addresses.append(start + np.arange(length) * width)
            start += length * width
        leaves = np.concatenate(addresses) // 256
        most = max(len(np.unique(leaves[at : at + tau])) for at in range(0, terms, tau))
        assert most <= MAX_LEAVES and 256 * most + 32 * depth <= read.most_shown(tau) <= MAX_SHOWN


@pytest.mark.parametrize(("taps", "nbytes", "tau"), [(9, 1 << 23, 1024), (9, 1 << 25, 8), (15, 1 << 14, 1024), (16, 1 << 15, 8)])
def test_pieces_of_scattered_taps_are_smaller_where_their_paths_are_long(taps, nbytes, tau):
    assert largest_piece([Read((1,) * taps, 1, nbytes), Read((taps,), 1, 256)]) == (taps, tau)
