# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs small enough that a whole dispute takes seconds, and one whose elements take many pieces."""

from __future__ import annotations

from functools import cache

import numpy as np

import verifiable_ml as vml
from verifiable_ml.execute import Trace, recorder
from verifiable_ml.program import Builder, Interval, Program
from verifiable_ml.program.encoding import Tokens


@cache
def digits(name: str = "digits-cnn", row: int = 3) -> tuple[Program, Trace]:
    """A model of the zoo, and its run on a test sample."""
    entry = vml.zoo.model(name)
    program = vml.compile(entry.path, calibration=entry.calibration())
    return program, program.run(entry.test()[0][row])[1]


@cache
def long_rows(terms: int = 3000) -> tuple[Program, Trace]:
    """x [1, terms] times a matrix with 3 rows: elements of several pieces, which have to be named and summed up."""
    program, rng = _product(terms, 255), np.random.default_rng(6)
    return program, recorder(program)({"x": rng.integers(0, 256, (1, terms), dtype=np.uint8)})


def bad_input(element: int = 20_000) -> tuple[Program, Trace]:
    """A program that takes numbers up to 250, and what somebody might say that it gives on an input with a 255."""
    program = _product(30_000, 250)
    x = np.full((1, 30_000), 7, np.uint8)
    x[0, element] = 255
    return program, Trace(program, (x, np.zeros((1, 3), program.operators[0].output.dtype.numpy)))


def _product(terms: int, most: int) -> Program:
    rng, builder = np.random.default_rng(5), Builder()
    x = builder.input("x", (1, terms), Interval(0, most), Tokens())
    weights = builder.constant(rng.integers(-100, 101, (3, terms)))
    builder.output("y", builder.apply("matmul", x, weights, label="long", x_zero=0, w_zero=0), Tokens())
    return builder.build()
