# SPDX-License-Identifier: MIT OR Apache-2.0
"""Named cases of each operator: what an implementation in another language is likeliest to get wrong, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from differential.cases import Form, Operand

U8, I16, I32, I64 = (0, 255), (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Case:
    """One operator on one input. `why` is what the test prints when it fails."""

    kind: str
    name: str
    why: str
    operands: list[Operand]
    attributes: dict[str, Any] = field(default_factory=dict)
    form: Form | None = None


def given(shape, interval, *flat) -> Operand:
    """An input."""
    return Operand(tuple(shape), tuple(flat), interval)


def constant(shape, *flat) -> Operand:
    """A constant of the program."""
    return Operand(tuple(shape), tuple(flat))


def conv(**changed) -> dict[str, Any]:
    return {"x_zero": 0, "w_zero": 0, "strides": (1,), "pads": (0, 0), "dilations": (1,), "groups": 1, **changed}


def rearrange(shape, view, maps, **changed) -> dict[str, Any]:
    return {"shape": shape, "view": view, "permutation": tuple(range(len(view))), "maps": maps, **changed}


X23, X4 = given((2, 3), U8, 0, 1, 2, 253, 254, 255), given((1, 4, 1), U8, 10, 200, 0, 255)
PLANE = given((1, 3, 3, 2), U8, *((i * 29 + 7) % 256 for i in range(18)))
DEEP = given((1, 4, 2), (0, 9), *range(1, 9))
COUNTING = given((2, 3), (0, 12), 0, 1, 2, 10, 11, 12)

CASES = [
    Case("matmul", "identity", "sum over k, terms innermost in both operands", [X23, constant((2, 3), 1, 2, 3, -4, 5, -6)]),
    Case(
        "matmul",
        "zero_points",
        "(x - x_zero)(w - w_zero), both subtracted before the product",
        [X23, constant((2, 3), 0, 128, 255, 1, 2, 3)],
        {"x_zero": 128, "w_zero": 128},
    ),
    Case(
        "matmul",
        "floor_below_zero",
        "the shift is arithmetic: -1 >> 1 is -1, not 0",
        [given((1, 1), (-3, 0), -1), constant((1, 1), 1)],
        {},
        Form(shift=1, low=-128, high=127),
    ),
    Case(
        "matmul",
        "saturates_both_ends",
        "clip after the shift, at low and at high",
        [given((2, 1), I16, -32768, 32767), constant((1, 1), 1)],
        {},
        Form((1,), (0,), 4, 0, 255),
    ),
    Case(
        "matmul",
        "per_channel",
        "channel = last axis of the output",
        [X23, constant((2, 3), 1, 2, 3, -4, 5, -6)],
        {},
        Form((3, 32767), (64, -64), 7, -128, 127),
    ),
    Case(
        "matmul",
        "batches",
        "one w for each batch",
        [given((2, 1, 2), I16, 1, 2, 3, 4), given((2, 2, 2), I16, 1, 0, 0, 1, 5, 6, 7, 8)],
        {},
    ),
    Case(
        "conv",
        "plain",
        "term order: kernel axes, then input channels",
        [PLANE, constant((2, 2, 2, 2), *range(-8, 8))],
        conv(strides=(1, 1), pads=(0,) * 4, dilations=(1, 1)),
    ),
    Case(
        "conv",
        "padding_reads_x_zero",
        "a padded tap adds (x_zero - x_zero) * w = 0",
        [X4, constant((1, 3, 1), 1, 2, 3)],
        conv(x_zero=128, pads=(2, 1)),
    ),
    Case(
        "conv",
        "groups",
        "output channel o reads the input channels of group o // (O / groups) only",
        [DEEP, constant((2, 2, 1), 1, 10, 100, 1000)],
        conv(groups=2),
    ),
    Case(
        "conv",
        "stride_and_dilation",
        "the window starts at stride * i - pad, its taps lie a dilation apart",
        [given((1, 7, 1), U8, 1, 2, 4, 8, 16, 32, 64), constant((1, 3, 1), 1, 1, 1)],
        conv(strides=(2,), pads=(1, 0), dilations=(2,)),
    ),
    Case(
        "conv",
        "requantised",
        "zero points and a requantisation a channel together",
        [X4, constant((2, 2, 1), 3, -5, 7, 9)],
        conv(x_zero=100, w_zero=1),
        Form((500, 20000), (512, 2**19), 10, 0, 255),
    ),
    Case(
        "add",
        "subtract",
        "coefficients 1 and -1",
        [given((2,), U8, 3, 255), given((2,), U8, 200, 0)],
        {"coefficients": ((1,), (-1,))},
    ),
    Case(
        "add",
        "per_channel_broadcast",
        "an operand of one row is stretched; coefficients go with the output's last axis",
        [given((2, 2), I16, 1, -2, 3, -4), given((2,), I16, 10, 20)],
        {"coefficients": ((1, -32767), (5,))},
    ),
    Case(
        "add",
        "eight_operands",
        "the most there are",
        [given((), U8, n) for n in range(8)],
        {"coefficients": tuple((2**n,) for n in range(8))},
        Form(shift=3),
    ),
    Case(
        "mul",
        "zero_points",
        "both subtracted before the product",
        [given((2,), U8, 0, 255), given((2,), U8, 1, 2)],
        {"x_zero": 128, "y_zero": 3},
    ),
    Case("mul", "outer_product", "both operands are stretched", [given((2, 1), I16, -1, 3), given((1, 3), I16, 5, -7, 0)]),
    Case("sum", "innermost", "one axis, the last", [given((2, 3), I16, 1, -2, 3, 40, 50, -600)], {"axes": 1}),
    Case(
        "sum",
        "everything_as_mean",
        "a mean is a sum with a requantisation; its output has no axes",
        [given((2, 3), I16, 1, -2, 3, 40, 50, -60)],
        {"axes": 2},
        Form((10923,), (2**15,), 16, -32768, 32767),
    ),
    Case("max", "innermost", "over the last axis", [given((2, 2), I64, -(2**63), -(2**63), 2**63 - 1, 0)], {"axes": 1}),
    Case(
        "max",
        "windows_with_padding",
        "a padded tap is no candidate, even if all others are lower than 0",
        [given((1, 3, 1), (-9, -1), -9, -1, -5)],
        {"kernel": (2,), "strides": (1,), "pads": (1, 1), "dilations": (1,)},
    ),
    Case("lookup", "linear", "table[x - base]", [given((3,), (-2, 1), -2, 1, 0), constant((4,), 7, -7, 2**40, 0)], {"base": -2}),
    Case(
        "lookup",
        "mantissa",
        "below 2^m x itself, above the exponent and m bits, what is below them dropped",
        [given((8,), (0, 1023), 0, 3, 4, 5, 7, 8, 9, 1023), constant((36,), *(n * n - 50 for n in range(36)))],
        {"base": 0, "mantissa": 2},
    ),
    Case(
        "divide",
        "rounds_half_up",
        "floor((a * scale + b // 2) / b), floored below zero too",
        [given((6,), I16, 1, -1, -3, 5, -5, 7), given((6,), (1, 9), 2, 2, 2, 3, 3, 1)],
    ),
    Case(
        "divide",
        "scaled_row",
        "a sum of a row divides each of its entries",
        [given((2, 2), U8, 1, 3, 0, 255), given((2, 1), (1, 510), 4, 255)],
        {"scale": 255},
    ),
    Case(
        "isqrt",
        "around_squares",
        "floor, exact where a root of floats is not",
        [given((9,), (0, 2**53 - 1), 0, 1, 3, 4, 8, 2**52 - 1, 2**52, 9007199136250224, 2**53 - 1)],
    ),
    Case(
        "compare",
        "strict",
        "1 only where x < y: equal is 0",
        [given((3,), I64, -(2**63), 5, 2**63 - 1), given((3,), I64, 2**63 - 1, 5, -(2**63))],
    ),
    Case(
        "argmax",
        "tie_is_the_first",
        "of equals the first index",
        [given((3, 3), I64, 1, 9, 9, -5, -5, -5, -(2**63), 2**63 - 2, 2**63 - 1)],
    ),
    Case(
        "gather", "rows", "data[index], whole rows", [constant((3, 2), 1, 2, 30, 40, 500, 600), given((2, 2), (0, 2), 2, 0, 0, 1)]
    ),
    Case(
        "rearrange",
        "transpose",
        "axes permuted, then seen as the output's shape",
        [COUNTING],
        rearrange((3, 2), (2, 3), ((3, 0, 1, 1), (2, 0, 1, 1)), permutation=(1, 0)),
    ),
    Case(
        "rearrange",
        "backwards",
        "a slice with a negative step",
        [COUNTING],
        rearrange((2, 2), (2, 3), ((2, 0, 1, 1), (2, 2, -2, 1))),
    ),
    Case(
        "rearrange",
        "padded",
        "outside reads the fill",
        [COUNTING],
        rearrange((2, 6), (2, 3), ((2, 0, 1, 1), (6, -1, 1, 1)), fill=-7),
    ),
    Case(
        "rearrange",
        "nearest_resize",
        "(start + i * step) // divisor, floored",
        [COUNTING],
        rearrange((2, 4), (2, 3), ((2, 0, 1, 1), (4, 1, 2, 3))),
    ),
    Case(
        "rearrange",
        "floor_below_zero",
        "(-1) // 2 is -1, outside: not 0",
        [COUNTING],
        rearrange((2, 3), (2, 3), ((2, 0, 1, 1), (3, -1, 1, 2)), fill=99),
    ),
    Case(
        "rearrange",
        "joined",
        "operands side by side along an axis, each with its own width",
        [COUNTING, given((2, 1), (-6, 0), -5, -6)],
        rearrange((2, 4), (2, 4), ((2, 0, 1, 1), (4, 0, 1, 1)), axis=1),
    ),
    Case(
        "rearrange",
        "all_at_once",
        "joined, permuted, reversed, repeated, filled and reshaped",
        [COUNTING, given((1, 3), I16, -1, -2, -3)],
        rearrange((12,), (3, 3), ((3, 2, -1, 1), (4, 1, 1, 2)), permutation=(1, 0), fill=55),
    ),
]

REQUANTISATIONS = {
    "floor_below_zero": ("-1 >> 1 is -1: no division that truncates", [-1, -2, -3, 1, 2, 3], Form(shift=1, low=-128, high=127)),
    "rounds_half_up": (
        "offset 2^(shift-1) rounds halves up, also below zero",
        [-3, -1, 1, 3],
        Form(offset=(1,), shift=1, low=-128, high=127),
    ),
    "saturates": ("clip last, low <= y <= high", [-(2**40), -1, 0, 255, 256, 2**40], Form()),
    "shift_62": ("only the sign is left of what is not close to 2^62", [-1, 0, 2**46], Form((32767,), (0,), 62, -128, 127)),
    "just_below_2_62": ("the widest scaled accumulator that is proved", [1, 0, -1], Form((1,), (2**62 - 2,), 0, *I64)),
    "shift_62_of_2_61": ("0, where a shift cut to 61 gives 1", [1, 0, -1], Form((1,), (2**62 - 2,), 62, -128, 127)),
    "multiplier_0": ("a dead channel keeps its offset", [-5, 0, 5], Form((0,), (42,), 0, 0, 255)),
    "zero_point": (
        "offset = multiplier * bias + half + (zero << shift)",
        [-1000, 0, 1000],
        Form((77,), (77 * 3 + 512 + (128 << 10),), 10, 0, 255),
    ),
}
