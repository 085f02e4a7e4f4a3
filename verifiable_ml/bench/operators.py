# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which backend proves which operator: each is asked about a program of that operator alone, in each way to hide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verifiable_ml.bench.table import Table
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import UnsupportedModel, VerifiableMlError
from verifiable_ml.program import Builder, Interval, Operand, Program, Requantise, Tokens, TraceRef
from verifiable_ml.proving import BACKENDS, backend
from verifiable_ml.proving.base import Progress, silent

U8, I16, I32 = Interval(0, 255), Interval(-32768, 32767), Interval(-(1 << 31), (1 << 31) - 1)
HIDDEN = {
    "": Privacy(),
    "input hidden": Privacy(input="hashed"),
    "weights hidden": Privacy(weights="committed"),
}
Make = Callable[[Builder], TraceRef]


@dataclass(frozen=True)
class Case:
    """An operator, in one of the ways in which programs use it."""

    kind: str
    way: str
    make: Make


def operators(progress: Progress = silent) -> Table:
    """Which backends can prove which operator, publicly and with something hidden."""
    asked = [(name, hidden) for name in BACKENDS for hidden in HIDDEN]
    rows = []
    for place, case in enumerate(CASES):
        progress(case.kind, place / len(CASES))
        rows.append([refusal(program_of(case), name, hidden) for name, hidden in asked])
    useful = [column for column in range(len(asked)) if not all(row[column] for row in rows)]
    shown = []
    for case, row in zip(CASES, rows, strict=True):
        answers = [row[column] for column in useful]
        why = next(filter(None, answers), "")
        shown.append((case.kind, case.way, *("no" if answer else "yes" for answer in answers), why))
    heads = (", ".join(filter(None, asked[column])) for column in useful)
    notes = (
        "Of a program of this operator alone; a large one can still take more rows or memory than there are (`vml estimate`).",
        "`replay` verifies by running the program again, so it takes every operator and hides nothing.",
    )
    return Table("operators", "Which backend proves which operator", ("operator", "use", *heads, "why not"), tuple(shown), notes)


def refusal(program: Program, name: str, hidden: str) -> str:
    """Why that backend does not prove the program so; empty if it does."""
    try:
        backend(name).supports(program, HIDDEN[hidden])
    except UnsupportedModel as error:
        return error.reason
    except VerifiableMlError as error:
        return f"{error.thing}: {error.reason}"
    return ""


def program_of(case: Case) -> Program:
    """The operator, and nothing else."""
    builder = Builder()
    builder.output("y", case.make(builder), Tokens())
    return builder.build()


def _constant(b: Builder, within: Interval, *shape: int) -> Operand:
    return b.constant(np.random.default_rng(0).integers(within.low, within.high, shape, endpoint=True))


def _x(b: Builder, within: Interval, *shape: int, name: str = "x") -> TraceRef:
    return b.input(name, shape, within, Tokens())


def _to_byte(shift: int) -> Requantise:
    return Requantise(np.array([3]), np.array([1 << shift >> 1]), shift, 0, 255)


def _matmul(x: Interval, w: Interval) -> Make:
    return lambda b: b.apply("matmul", _x(b, x, 2, 8), _constant(b, w, 4, 8), requantise=_to_byte(14), w_zero=0)


def _conv(spatial: tuple[int, ...], *, inner: int = 4, groups: int = 1, dilation: int = 1) -> Make:
    def make(b: Builder) -> TraceRef:
        rank = len(spatial)
        over: dict[str, Any] = {"strides": (1,) * rank, "pads": (1,) * (2 * rank), "dilations": (dilation,) * rank}
        x, w = _x(b, U8, 1, *spatial, inner), _constant(b, U8, 4, *(3,) * rank, inner // groups)
        return b.apply("conv", x, w, x_zero=0, w_zero=128, groups=groups, requantise=_to_byte(12), **over)

    return make


def _lookup(x: Interval, entries: int, mantissa: int = 0) -> Make:
    return lambda b: b.apply("lookup", _x(b, x, 4), _constant(b, U8, entries), base=0, mantissa=mantissa)


def _rearrange(maps: tuple[tuple[int, int, int, int], ...], shape: tuple[int, ...]) -> Make:
    return lambda b: b.apply("rearrange", _x(b, U8, 2, 3), shape=shape, view=(2, 3), permutation=(1, 0), maps=maps)


def _pair(kind: str, x: Interval, z: Interval, **attributes: Any) -> Make:
    """Two computed operands of four elements."""
    return lambda b: b.apply(kind, _x(b, x, 4), _x(b, z, 4, name="z"), **attributes)


def _windows(b: Builder) -> TraceRef:
    return b.apply("max", _x(b, U8, 1, 4, 4, 2), kernel=(2, 2), strides=(2, 2), pads=(0,) * 4, dilations=(1, 1))


def _join(b: Builder) -> TraceRef:
    whole = ((4, 0, 1, 1),)
    return b.apply("rearrange", _x(b, U8, 2), _x(b, U8, 2, name="z"), shape=(4,), view=(4,), permutation=(0,), maps=whole)


CASES = (
    Case("matmul", "weights of 8 bits", _matmul(U8, U8)),
    Case("matmul", "inputs and weights of 16 bits", _matmul(I16, I16)),
    Case("matmul", "two computed operands", lambda b: b.apply("matmul", _x(b, U8, 1, 2, 3), _x(b, U8, 1, 4, 3, name="z"))),
    Case("conv", "one axis", _conv((8,))),
    Case("conv", "two axes", _conv((6, 6))),
    Case("conv", "three axes", _conv((4, 4, 4))),
    Case("conv", "depthwise", _conv((6, 6), groups=4)),
    Case("conv", "dilated", _conv((6, 6), dilation=2)),
    Case("add", "two computed operands", _pair("add", I16, I16, coefficients=((3,), (-5,)))),
    Case("add", "one a channel", lambda b: b.apply("add", _x(b, I16, 2, 3), coefficients=((3, 2, -7),), requantise=_to_byte(8))),
    Case("mul", "two computed operands", _pair("mul", I16, I16)),
    Case("sum", "innermost axes", lambda b: b.apply("sum", _x(b, I16, 2, 8), axes=1)),
    Case("max", "innermost axes", lambda b: b.apply("max", _x(b, U8, 2, 8), axes=1)),
    Case("max", "windows", _windows),
    Case("lookup", "256 entries", _lookup(U8, 256)),
    Case("lookup", "65,536 entries", _lookup(Interval(0, 65_535), 65_536)),
    Case("lookup", "by mantissa", _lookup(Interval(0, (1 << 30) - 1), 28 << 8, mantissa=8)),
    Case("divide", "tensor by tensor", _pair("divide", U8, Interval(1, 255), scale=255)),
    Case("isqrt", "32 bits", lambda b: b.apply("isqrt", _x(b, Interval(0, I32.high), 4))),
    Case("compare", "with a constant", lambda b: b.apply("compare", _x(b, I16, 4), _constant(b, I16, 4))),
    Case("compare", "tensor with tensor", _pair("compare", I16, I16)),
    Case("argmax", "innermost axis", lambda b: b.apply("argmax", _x(b, I32, 2, 10))),
    Case("gather", "rows of a table", lambda b: b.apply("gather", _constant(b, U8, 10, 4), _x(b, Interval(0, 9), 3))),
    Case("gather", "rows of a tensor", lambda b: b.apply("gather", _x(b, U8, 10, 4), _x(b, Interval(0, 9), 3, name="z"))),
    Case("rearrange", "transpose, reshape", _rearrange(((3, 0, 1, 1), (2, 0, 1, 1)), (6,))),
    Case("rearrange", "slice", _rearrange(((2, 1, 1, 1), (2, 0, 1, 1)), (2, 2))),
    Case("rearrange", "pad", _rearrange(((5, -1, 1, 1), (2, 0, 1, 1)), (5, 2))),
    Case("rearrange", "join", _join),
)
