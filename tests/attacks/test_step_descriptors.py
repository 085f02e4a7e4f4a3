# SPDX-License-Identifier: MIT OR Apache-2.0
"""Descriptors by hand: what does not fit together is refused, and the nearest that does is taken (rule 5, properties 31 and 40).

A random change seldom leads to one whose lengths are right and whose parts are not.
"""

from __future__ import annotations

import numpy as np
import pytest

from differential.step_cases import random_trace, steps
from differential.step_chain import Refused, chain
from differential.test_steps_hostile import form_in_python
from verifiable_ml.dispute.step import Accumulator
from verifiable_ml.program import OPERATORS
from verifiable_ml.program.identity import MAX_DESCRIPTOR

IDENTITY = b"\0" + b"\x80" + bytes(7) + b"\x7f" + b"\xff" * 7
"""Shift and bounds of what is stored as it is, rule 5."""


@pytest.mark.parametrize("kind", [name for name, each in OPERATORS.items() if each.REQUANTISES and name != "add"])
def test_property_31_operator_without_records_has_one_descriptor(kind):
    """A shift or a bound that no record goes with would change nothing but the program's id."""
    trace = random_trace(kind, np.random.default_rng(9))
    data = next(steps(trace, len(trace.tensors) - 1, 0)).data
    head, pieces = data[:-57], data[-8:]
    plain = head + IDENTITY + bytes(32) + pieces
    assert form_in_python(plain) == chain().form(plain) is not None
    for place, value in ((0, 1), (1, 0x81), (8, 1), (9, 0x7E), (16, 0xFE)):
        other = bytearray(IDENTITY)
        other[place] = value
        again = head + bytes(other) + bytes(32) + pieces
        assert form_in_python(again) is None
        assert isinstance(chain().form(again), Refused)


def dims(*sizes: int) -> bytes:
    return bytes([len(sizes)]) + b"".join(size.to_bytes(4, "big") for size in sizes)


def numbers(*values: int) -> bytes:
    return bytes([len(values)]) + b"".join(map(number, values))


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def of(
    kind: str, y: tuple[int, ...], *operands: tuple[int, ...], more: bytes = b"", end: bytes = IDENTITY + bytes(32), k: int = 1
) -> bytes:
    """By its shapes: each operand is tensor 0 of the trace, an i64; k terms an element. end: requantisation."""
    tensors = b"".join(b"\0" + bytes(4) + b"\3" + dims(*shape) for shape in operands)
    head = bytes([OPERATORS[kind].CODE, 3]) + dims(*y) + bytes([len(operands)]) + tensors
    return head + more + end + k.to_bytes(4, "big") + (1).to_bytes(4, "big")


ZEROS = bytes(16)
"""Both zero points."""


def matmul(y: tuple[int, ...], *operands: tuple[int, ...]) -> bytes:
    return of("matmul", y, *operands, more=ZEROS, k=5)


RECORDED = IDENTITY + b"\1" * 32


def add(y: tuple[int, ...], *operands: tuple[int, ...]) -> bytes:
    return of("add", y, *operands, end=RECORDED)


def summed(y: tuple[int, ...], *operands: tuple[int, ...], axes: int = 1, k: int = 5) -> bytes:
    return of("sum", y, *operands, more=number(axes), k=k)


def conv(x: tuple[int, ...], w: tuple[int, ...], y: tuple[int, ...], stride: int, groups: int) -> bytes:
    """Along one axis, with nothing in its padding."""
    more = ZEROS + numbers(stride) + numbers(0, 0) + numbers(1) + number(groups)
    return of("conv", y, x, w, more=more, k=w[1] * w[2])


def most(size: int, kernel: int, pad: int, y: int) -> bytes:
    """A maximum over windows of one axis, padded at its begin."""
    more = number(0) + numbers(kernel) + numbers(1) + numbers(pad, 0) + numbers(1)
    return of("max", (1, y, 1), (1, size, 1), more=more, k=kernel)


def ones(axes: int) -> bytes:
    """One entry of so many axes moved to one of 20: of 29 axes it takes 640 bytes."""
    more = numbers(*[1] * 20) + numbers(1, 1, 1, 1) + numbers(0, 1, 2, 3) + b"\4" + numbers(1, 0, 1, 1) * 4 + number(0) * 2
    return of("rearrange", (1,) * 20, (1,) * axes, more=more)


def product(*shape: int) -> bytes:
    return of("mul", shape, shape, shape, more=ZEROS)


def ended(shift: int = 0, low: int = 0, high: int = 0, tau: int = 1, dtype: int = 3, tag: int = 0) -> bytes:
    """A product of two numbers, of which the fields are these."""
    requantised = bytes([shift]) + number(low) + number(high) + b"\1" * 32
    data = bytearray(of("mul", (), (), (), more=ZEROS, end=requantised))
    data[1], data[4] = dtype, tag
    return bytes(data[:-4]) + tau.to_bytes(4, "big")


def moved(map_: bytes) -> bytes:
    """Four entries as they are, by that map."""
    return of("rearrange", (4,), (4,), more=numbers(4) + numbers(4) + numbers(0) + b"\1" + map_ + number(0) + number(0))


UNFIT = {
    "matmul of three": (matmul((2, 4), (2, 5), (4, 5), (4, 5)), matmul((2, 4), (2, 5), (4, 5))),
    "matmul of a number": (matmul((), (), (4, 5)), matmul((4,), (5,), (4, 5))),
    "matmul by a vector": (matmul((1,), (5,), (5,)), matmul((1,), (5,), (1, 5))),
    "matmul with an axis more": (matmul((2, 4, 1), (2, 5), (4, 5)), matmul((2, 4), (2, 5), (4, 5))),
    "matmul whose batches have an axis more": (
        matmul((2, 3, 4), (2, 3, 5), (2, 7, 4, 5)),
        matmul((2, 3, 4), (2, 3, 5), (2, 4, 5)),
    ),
    "matmul with a batch for all": (matmul((2, 3, 4), (2, 3, 5), (1, 4, 5)), matmul((2, 3, 4), (2, 3, 5), (4, 5))),
    "add of nothing": (add(()), add((), ())),
    "add of nine": (add((3,), *[(3,)] * 9), add((3,), *[(3,)] * 8)),
    "add of two terms": (of("add", (3,), (3,), end=RECORDED, k=2), add((3,), (3,))),
    "add without records": (of("add", (3,), (3,)), add((3,), (3,))),
    "an operand with more axes than the output": (add((3,), (1, 3), (3,)), add((1, 3), (1, 3), (3,))),
    "an axis longer than the output's": (add((2, 1), (2, 1), (2, 3)), add((2, 3), (2, 1), (2, 3))),
    "an axis that no operand has": (add((2, 3), (2, 1), (1,)), add((2, 3), (2, 1), (3,))),
    "a first axis that no operand has": (add((2, 3), (3,)), add((2, 3), (2, 3))),
    "a first axis of one that no operand has": (add((1, 3), (3,)), add((1, 3), (1, 3))),
    "a sum over an axis more than it says": (summed((2,), (2, 5, 1)), summed((2,), (2, 5, 1), axes=2)),
    "a sum over other rows": (summed((3,), (2, 5)), summed((2,), (2, 5))),
    "a sum over other planes": (summed((2, 3), (2, 4, 5)), summed((2, 4), (2, 4, 5))),
    "a sum of other terms": (summed((2,), (2, 5), k=10), summed((2,), (2, 5))),
    "a window larger than what it lies over": (
        conv((1, 2, 1), (1, 4, 1), (1, 1, 1), 5, 1),
        conv((1, 4, 1), (1, 4, 1), (1, 1, 1), 5, 1),
    ),
    "groups that do not divide the channels": (
        conv((1, 4, 2), (3, 1, 1), (1, 4, 3), 1, 2),
        conv((1, 4, 2), (4, 1, 1), (1, 4, 4), 1, 2),
    ),
    "a window in the padding alone": (most(4, 2, 2, 5), most(4, 2, 1, 4)),
    "more taps than there may be": (most(4097, 4097, 0, 1), most(4096, 4096, 0, 1)),
}
"""What does not fit, and the nearest that does."""

MALFORMED = {
    "more than 640 bytes": (ones(30), ones(29)),
    "more than 32 axes": (product(*[1] * 33), product(*[1] * 32)),
    "2^31 + 1 elements": (product(3, 715827883), product(65536, 32768)),
    "an axis of nothing": (product(3, 0), product(3, 1)),
    "a fifth dtype": (ended(dtype=4), ended(dtype=3)),
    "a third kind of operand": (ended(tag=2), ended(tag=0)),
    "a shift above 62": (ended(shift=63), ended(shift=62)),
    "bounds in disorder": (ended(low=1, high=0), ended(low=1, high=1)),
    "a negative upper bound": (ended(low=0, high=-1), ended(low=-1, high=0)),
    "pieces of nothing": (ended(tau=0), ended(tau=1)),
    "pieces of three": (ended(tau=3), ended(tau=4)),
    "pieces of 2,048": (ended(tau=2048), ended(tau=1024)),
    "a map of five": (moved(numbers(4, 0, 1, 1, 0)), moved(numbers(4, 0, 1, 1))),
    "a byte more": (product(3) + b"\0", product(3)),
    "a byte less": (product(3)[:-1], product(3)),
}
"""Bytes that are no descriptor, and the nearest that are."""


@pytest.mark.parametrize("case", [*UNFIT, *MALFORMED])
def test_property_31_descriptor_whose_parts_do_not_fit_is_refused(case):
    unfit, fits = (UNFIT | MALFORMED)[case]
    assert form_in_python(fits) == chain().form(fits) is not None
    assert form_in_python(unfit) is None
    assert chain().form(unfit) == Refused("Unfit" if case in UNFIT else "MalformedDescriptor")


def test_property_31_finish_refuses_bytes_that_have_no_room_for_a_requantisation():
    """It reads the head and the end alone; here the one would lie in the other."""
    end = IDENTITY + bytes(32) + (1).to_bytes(4, "big") * 2
    apart, overlapping = bytes([OPERATORS["mul"].CODE, 3]) + dims() + end, bytes([OPERATORS["mul"].CODE, 3]) + end
    assert chain().finish(apart, 0, Accumulator(7), None) == 7
    assert chain().finish(overlapping, 0, Accumulator(7), None) == Refused("MalformedDescriptor")


def test_longest_descriptor_has_640_bytes():
    assert len(ones(29)) == MAX_DESCRIPTOR
