# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs of one operator whose tensors have many leaves, many axes or many operands: what a step finds hard."""

from __future__ import annotations

from collections.abc import Callable

from differential.random_programs import RANGES, Rng, drawn, interval, operand, requantise, zero
from verifiable_ml.errors import QuantisationError
from verifiable_ml.program import Builder, Interval, Program, Tokens, TraceRef

NARROW = RANGES[:4]
LONG = [*RANGES, (-(1 << 40), 1 << 40), (-(1 << 61), 1 << 61)]


def matmul(b: Builder, rng: Rng) -> TraceRef:
    """A dot product of several pieces, one of them short; every pair of dtypes."""
    m, n, k = (*rng.integers(1, 4, 2).tolist(), int(rng.choice([255, 256, 1023, 1025, 2048, 3001])))
    xs, ws = interval(rng, [*RANGES[:7], (0, 1 << 31)]), interval(rng, RANGES)
    x = operand(b, rng, xs, (m, k), "x")
    return b.apply("matmul", x, b.constant(drawn(rng, ws, (n, k))), x_zero=zero(rng, xs), w_zero=zero(rng, ws))


def conv(b: Builder, rng: Rng) -> TraceRef:
    """Rows of a window in leaves of their own; depthwise and dilated windows of several pieces; kernels of one axis, of three."""
    rank = int(rng.integers(1, 4))
    depthwise, dilated = rng.random() < 0.4, rng.random() < 0.3
    channels = int(rng.choice([1, 3, 24, 130]))
    groups, inner = (channels, 1) if depthwise else (1, channels)
    kernel = tuple(rng.integers(1, 6 if rank < 3 else 4, rank).tolist())
    dilations = tuple(rng.integers(1, 3, rank).tolist()) if dilated else (1,) * rank
    spatial = tuple(int(d * (k - 1) + rng.integers(1, 6)) for k, d in zip(kernel, dilations, strict=True))
    pads = tuple(rng.integers(0, 3, 2 * rank).tolist())
    xs, ws = interval(rng, NARROW), interval(rng, NARROW)
    x = operand(b, rng, xs, (int(rng.integers(1, 3)), *spatial, channels), "x")
    w = b.constant(drawn(rng, ws, (groups * int(rng.integers(1, 3)), *kernel, inner)))
    strides = tuple(rng.integers(1, 3, rank).tolist())
    rest = {"strides": strides, "pads": pads, "dilations": dilations, "groups": groups}
    form = requantise(rng, b.spec(w).shape[0])
    return b.apply("conv", x, w, requantise=form, x_zero=zero(rng, xs), w_zero=zero(rng, ws), **rest)


def add(b: Builder, rng: Rng) -> TraceRef:
    """Eight operands, eight axes, records of several leaves."""
    channels = int(rng.choice([7, 8, 9, 33, 200]))
    shape = (1, 2, 1, 1, 3, 1, 2, channels)
    refs = [operand(b, rng, interval(rng), shape[int(rng.integers(0, 8)) :], f"x{i}") for i in range(7)]
    refs.append(operand(b, rng, interval(rng), shape, "x7"))
    counts = [int(rng.choice([1, channels])) for _ in refs]
    coefficients = tuple(tuple(rng.integers(-(1 << 15) + 1, 1 << 15, n).tolist()) for n in counts)
    return b.apply("add", *refs, coefficients=coefficients, requantise=requantise(rng, channels))


def mul(b: Builder, rng: Rng) -> TraceRef:
    """Records of several leaves, the last of them with a single one."""
    channels, xs, ys = int(rng.choice([16, 17, 65])), interval(rng), interval(rng)
    x, y = operand(b, rng, xs, (40, channels), "x"), operand(b, rng, ys, (channels,), "y")
    return b.apply("mul", x, y, requantise=requantise(rng, channels), x_zero=zero(rng, xs), y_zero=zero(rng, ys))


def sum_(b: Builder, rng: Rng) -> TraceRef:
    """Several pieces over several axes."""
    shape = (2, int(rng.integers(1, 40)), int(rng.integers(1, 90)))
    return b.apply("sum", operand(b, rng, interval(rng, [*RANGES, (0, 1 << 33)]), shape, "x"), axes=int(rng.integers(1, 3)))


def max_(b: Builder, rng: Rng) -> TraceRef:
    """Several pieces, of a row or of windows whose taps lie in leaves of their own."""
    within = interval(rng, LONG)
    if rng.random() < 0.5:
        return b.apply("max", operand(b, rng, within, (2, int(rng.integers(1, 3000))), "x"), axes=1)
    kernel = tuple(rng.integers(2, 8, 2).tolist())
    pads = tuple(int(rng.integers(0, k)) for k in (*kernel, *kernel))
    x = operand(b, rng, within, (1, *(k + 2 for k in kernel), int(rng.choice([1, 40]))), "x")
    return b.apply("max", x, kernel=kernel, strides=(2, 1), pads=pads, dilations=(1, 1))


def argmax(b: Builder, rng: Rng) -> TraceRef:
    """Several pieces, ties over their bounds."""
    within = interval(rng, LONG)
    ties = Interval(within.high - 1, within.high) if rng.random() < 0.6 and within.high > within.low else within
    return b.apply("argmax", operand(b, rng, ties, (2, int(rng.integers(1, 4000))), "x"))


def lookup(b: Builder, rng: Rng) -> TraceRef:
    """The largest table."""
    table = b.constant(drawn(rng, interval(rng, LONG), (1 << 16,)))
    return b.apply("lookup", operand(b, rng, Interval(-(1 << 15), (1 << 15) - 1), (50,), "x"), table, base=-(1 << 15))


def gather(b: Builder, rng: Rng) -> TraceRef:
    """Rows of several leaves, out of hundreds."""
    rows = int(rng.integers(1, 300))
    table = b.constant(drawn(rng, interval(rng, LONG), (rows, 3, 100)))
    return b.apply("gather", table, operand(b, rng, Interval(0, rows - 1), (2, 2), "indices"))


def rearrange(b: Builder, rng: Rng) -> TraceRef:
    """Many operands of many leaves, joined and turned."""
    widths = rng.integers(1, 9, 12).tolist()
    refs = [operand(b, rng, interval(rng, LONG), (20, n, 7), f"x{i}") for i, n in enumerate(widths)]
    view = (20, sum(widths), 7)
    maps = ((sum(widths) + 2, -1, 1, 1), (7, 6, -1, 1), (40, 0, 1, 2))
    shape = tuple(m[0] for m in maps)
    return b.apply("rearrange", *refs, shape=shape, view=view, permutation=(1, 2, 0), maps=maps, axis=1, fill=-1)


WIDE: dict[str, Callable[[Builder, Rng], TraceRef]] = {
    "matmul": matmul, "conv": conv, "add": add, "mul": mul, "sum": sum_, "max": max_, "argmax": argmax,
    "lookup": lookup, "gather": gather, "rearrange": rearrange,
}  # fmt: skip


def wide_program(kind: str, rng: Rng) -> Program | None:
    """A program of one operator; None if these draws break a bound."""
    b = Builder()
    try:
        b.output("y", WIDE[kind](b, rng), Tokens())
        return b.build()
    except QuantisationError:
        return None
