# SPDX-License-Identifier: MIT OR Apache-2.0
"""A small program with a bit of everything: what the vectors pin, and what attackers tamper with."""

from __future__ import annotations

import numpy as np

from verifiable_ml.program import Builder, Interval, Linear, Program, Requantise, Tokens


def example_program(salt: bytes = bytes(32)) -> Program:
    """Two inputs, eleven operators of ten kinds, per-channel and shared requantisation, two outputs."""
    b = Builder(salt)
    picture = b.input("picture", (1, 4, 4, 2), Interval(0, 255), Linear((0.5,), (128,)))
    token = b.input("token", (1,), Interval(0, 2), Tokens())
    kernel = b.constant((np.arange(3 * 2 * 2 * 2).reshape(3, 2, 2, 2) * 7) % 31 - 15)
    to_u8 = Requantise(np.array([300, 200, 100]), np.array([1 << 19, (1 << 19) + 12_800, 64]), 12, 0, 255)
    window = {"strides": (2, 2), "pads": (0, 0, 1, 1), "dilations": (1, 1)}
    y = b.apply("conv", picture, kernel, requantise=to_u8, label="conv", x_zero=128, w_zero=0, groups=1, **window)
    y = b.apply("max", y, kernel=(1, 2), strides=(1, 1), pads=(0, 0, 0, 1), dilations=(1, 1), label="pool")
    y = b.apply("rearrange", y, shape=(4, 3), view=(1, 2, 2, 3), permutation=(0, 2, 1, 3),
                maps=((1, 0, 1, 1), (2, 0, 1, 1), (2, 0, 1, 1), (3, 2, -1, 1)), label="transposed")  # fmt: skip
    y = b.apply("lookup", y, b.constant(np.arange(256)[::-1] * 3 - 200), base=0, label="curve")
    rows = b.apply("gather", b.constant(np.array([[1, -2, 3], [40, 50, -60], [0, 0, 700]])), token, label="embedding")
    y = b.apply("add", y, rows, coefficients=((1, 2, 3), (-1,)), label="shifted")
    y = b.apply("matmul", y, b.constant(np.array([[1, 2, 3], [-4, 5, -6]])), label="logits",
                requantise=Requantise(np.array([1]), np.array([10, -10]), 0, -(2**31), 2**31 - 1))  # fmt: skip
    square = b.apply("mul", y, y, requantise=Requantise(np.array([1]), np.array([8]), 4, 0, 2**31 - 1), label="square")
    root = b.apply("isqrt", b.apply("sum", square, axes=1), label="norm")
    b.output("norm", root, Linear((0.25,), (0,)))
    b.output("label", b.apply("argmax", y, label="label"), Tokens())
    return b.build()


def example_inputs() -> dict[str, np.ndarray]:
    """Integers for both inputs, the ends of their intervals among them."""
    return {"picture": (np.arange(32).reshape(1, 4, 4, 2) * 37 + 255) % 256, "token": np.array([2])}
