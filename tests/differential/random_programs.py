# SPDX-License-Identifier: MIT OR Apache-2.0
"""Random programs that are legal: one operator with ugly operands, or a chain as image models have it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from verifiable_ml.errors import QuantisationError
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens, TraceRef
from verifiable_ml.program.ops.windows import Windows

Rng = np.random.Generator
RANGES = [(0, 255), (3, 200), (0, 1), (-128, 127), (-32768, 32767), (-5, 300), (0, 65535), (-(1 << 20), 1 << 20)]
WIDE = [*RANGES, (-(1 << 40), 1 << 40), (0, (1 << 52) - 1), (-(1 << 61), 1 << 61)]


def interval(rng: Rng, ranges: list[tuple[int, int]] = RANGES) -> Interval:
    return Interval(*ranges[rng.integers(2 if rng.random() < 0.3 else len(ranges))])


def shape(rng: Rng, least: int, most: int, size: int = 5) -> tuple[int, ...]:
    return tuple(int(n) for n in rng.integers(1, size, rng.integers(least, most + 1)))


def drawn(rng: Rng, within: Interval, of: tuple[int, ...]) -> np.ndarray:
    """Uniform, with both ends often."""
    values = rng.integers(within.low, within.high, of, endpoint=True)
    ends = rng.choice([within.low, within.high], of)
    return np.where(rng.random(of) < 0.3, ends, values)


def operand(b: Builder, rng: Rng, within: Interval, of: tuple[int, ...], name: str) -> TraceRef:
    return b.input(name, of, within, Tokens())


def either(b: Builder, rng: Rng, within: Interval, of: tuple[int, ...], name: str, *, constant: bool):
    return b.constant(drawn(rng, within, of)) if constant else operand(b, rng, within, of, name)


def zero(rng: Rng, within: Interval) -> int:
    """Mostly within the interval, sometimes where no byte can be."""
    if rng.random() < 0.5:
        return int(rng.integers(within.low, within.high + 1))
    return int(rng.choice([0, 128, within.low, within.high, -7, 300]))


def requantise(rng: Rng, channels: int) -> Requantise | None:
    if rng.random() < 0.2:
        return None
    shift = int(rng.choice([0, 1, 7, 12, 20, 40]))
    count = int(rng.choice([1, channels]))
    low, high = [(0, 255), (-32768, 32767), (-128, 127), (-(1 << 31), (1 << 31) - 1), (-(1 << 50), 1 << 50)][rng.integers(5)]
    multiplier = rng.integers(0, 1 << int(rng.integers(1, 16)), count)
    bias = 1 << int(rng.choice([8, 20, 44]))  # the last leaves what float64 holds
    offset = rng.integers(-bias, bias, count) * multiplier + (1 << shift >> 1)
    return Requantise(multiplier, offset, shift, low, high)


def broadcastable(rng: Rng, of: tuple[int, ...]) -> tuple[int, ...]:
    """`of` with some axes 1, and perhaps fewer axes."""
    thin = tuple(1 if rng.random() < 0.3 else n for n in of)
    return thin[int(rng.integers(0, len(thin) + 1)) if rng.random() < 0.3 else 0 :]


def matmul(b: Builder, rng: Rng) -> TraceRef:
    batch, (m, n, k) = shape(rng, 0, 2), rng.integers(1, 20, 3).tolist()
    xs, ws = interval(rng), interval(rng)
    batched, constant = rng.random() < 0.4, rng.random() < 0.6
    x_shape = (*batch, m, k) if batched or rng.random() < 0.8 else (k,)
    x = operand(b, rng, xs, x_shape, "x")
    w = either(b, rng, ws, (*batch, n, k) if batched else (n, k), "w", constant=constant)
    return b.apply("matmul", x, w, requantise=requantise(rng, n), x_zero=zero(rng, xs), w_zero=zero(rng, ws))


def windows(rng: Rng, rank: int, *, dilated: bool) -> dict[str, tuple[int, ...]]:
    kernel = rng.integers(1, 4, rank)
    pads = [int(rng.integers(0, n)) for n in (*kernel, *kernel)]
    return {
        "strides": tuple(rng.integers(1, 3, rank).tolist()),
        "pads": tuple([0] * (2 * rank) if dilated else pads),
        "dilations": tuple(rng.integers(1, 3, rank).tolist() if dilated else [1] * rank),
        "kernel": tuple(kernel.tolist()),
    }


def extent(spatial: tuple[int, ...], over: dict[str, tuple[int, ...]]) -> int:
    return min(Windows(over["kernel"], over["strides"], over["pads"], over["dilations"]).extent(spatial))


def spatial_input(
    b: Builder, rng: Rng, channels: int, over: dict[str, tuple[int, ...]], ranges: list[tuple[int, int]]
) -> TraceRef:
    while True:
        spatial = tuple(rng.integers(1, 9, len(over["kernel"])).tolist())
        if extent(spatial, over) >= 1:
            return operand(b, rng, interval(rng, ranges), (int(rng.integers(1, 3)), *spatial, channels), "x")


def conv(b: Builder, rng: Rng) -> TraceRef:
    groups = int(rng.choice([1, 1, 2, 3]))
    inner, outer = rng.integers(1, 4, 2).tolist()
    over = windows(rng, int(rng.integers(1, 4)), dilated=rng.random() < 0.3)
    x = spatial_input(b, rng, groups * inner, over, RANGES)
    w = b.constant(drawn(rng, interval(rng), (groups * outer, *over["kernel"], inner)))
    zeros = {"x_zero": zero(rng, b.spec(x).interval), "w_zero": zero(rng, b.spec(w).interval)}
    rest = {name: value for name, value in over.items() if name != "kernel"}
    return b.apply("conv", x, w, requantise=requantise(rng, groups * outer), groups=groups, **zeros, **rest)


def add(b: Builder, rng: Rng) -> TraceRef:
    of = shape(rng, 0, 4)
    shapes = [of, *(broadcastable(rng, of) for _ in range(rng.integers(0, 3)))]
    refs = [operand(b, rng, interval(rng), shapes[0], "x0")]
    refs += [either(b, rng, interval(rng), s, f"x{i}", constant=rng.random() < 0.4) for i, s in enumerate(shapes[1:], 1)]
    channels = of[-1] if of else 1
    counts = [int(rng.choice([1, channels])) for _ in refs]
    coefficients = tuple(tuple(rng.integers(-(1 << 15) + 1, 1 << 15, n).tolist()) for n in counts)
    return b.apply("add", *refs, coefficients=coefficients, requantise=requantise(rng, channels))


def mul(b: Builder, rng: Rng) -> TraceRef:
    of, xs, ys = shape(rng, 0, 4), interval(rng), interval(rng)
    x = operand(b, rng, xs, of, "x")
    y = either(b, rng, ys, broadcastable(rng, of), "y", constant=rng.random() < 0.5)
    return b.apply("mul", x, y, requantise=requantise(rng, (of or (1,))[-1]), x_zero=zero(rng, xs), y_zero=zero(rng, ys))


def sum_(b: Builder, rng: Rng) -> TraceRef:
    x = operand(b, rng, interval(rng, [*RANGES, (-(1 << 40), 1 << 40)]), shape(rng, 1, 4), "x")
    axes = int(rng.integers(1, len(b.spec(x).shape) + 1))
    kept = b.spec(x).shape[:-axes]
    return b.apply("sum", x, axes=axes, requantise=requantise(rng, (kept or (1,))[-1]))


def max_(b: Builder, rng: Rng) -> TraceRef:
    if rng.random() < 0.5:
        x = operand(b, rng, interval(rng, WIDE), shape(rng, 1, 4), "x")
        return b.apply("max", x, axes=int(rng.integers(1, len(b.spec(x).shape) + 1)))
    over = windows(rng, int(rng.integers(1, 4)), dilated=rng.random() < 0.3)
    return b.apply("max", spatial_input(b, rng, int(rng.integers(1, 5)), over, WIDE[:-1]), **over)


def lookup(b: Builder, rng: Rng) -> TraceRef:
    of, entries = shape(rng, 0, 3), interval(rng, WIDE)
    if rng.random() < 0.5:
        low = int(rng.choice([0, -5, -(1 << 40), 1 << 35]))
        size = int(rng.integers(1, 600))
        x = operand(b, rng, Interval(low, low + size - 1), of, "x")
        return b.apply("lookup", x, b.constant(drawn(rng, entries, (size + 3,))), base=low)
    bits, mantissa = int(rng.choice([1, 3, 9, 20, 40, 62])), int(rng.integers(1, 9))
    x = operand(b, rng, Interval(0, (1 << bits) - 1), (*of, 40), "x")
    return b.apply("lookup", x, b.constant(drawn(rng, entries, ((64 - mantissa) << mantissa,))), base=0, mantissa=mantissa)


def divide(b: Builder, rng: Rng) -> TraceRef:
    of = shape(rng, 0, 3)
    a = operand(b, rng, interval(rng, WIDE[:-1]), of, "a")
    divisor = Interval(1, int(rng.choice([1, 3, 255, 70000, 1 << 30, 1 << 50])))
    refs = either(b, rng, divisor, broadcastable(rng, of), "b", constant=rng.random() < 0.3)
    return b.apply("divide", a, refs, scale=int(rng.choice([1, 7, 8192, 1 << 20])))


def isqrt(b: Builder, rng: Rng) -> TraceRef:
    high = int(rng.choice([0, 3, 255, 1 << 23, 1 << 30, (1 << 50) - 1, (1 << 53) - 1]))
    return b.apply("isqrt", operand(b, rng, Interval(0, high), (*shape(rng, 0, 2), 30), "x"))


def compare(b: Builder, rng: Rng) -> TraceRef:
    of, within = shape(rng, 0, 4, 4), interval(rng, WIDE)
    x = operand(b, rng, within, of, "x")
    near = Interval(within.low, min(within.high, within.low + 3)) if rng.random() < 0.5 else within
    return b.apply("compare", x, either(b, rng, near, broadcastable(rng, of), "y", constant=rng.random() < 0.5))


def argmax(b: Builder, rng: Rng) -> TraceRef:
    within = interval(rng, WIDE)
    ties = Interval(within.high - 2, within.high) if rng.random() < 0.5 and within.high > within.low + 2 else within
    return b.apply("argmax", operand(b, rng, ties, (*shape(rng, 0, 3), int(rng.integers(1, 9))), "x"))


def gather(b: Builder, rng: Rng) -> TraceRef:
    rows = int(rng.integers(1, 9))
    data = (rows, *shape(rng, 0, 2))
    indices = operand(b, rng, Interval(0, rows - 1), shape(rng, 0, 2), "indices")
    # the data comes second, since inputs do not mind and constants are allowed
    return b.apply("gather", either(b, rng, interval(rng, WIDE), data, "data", constant=rng.random() < 0.5), indices)


def rearrange(b: Builder, rng: Rng) -> TraceRef:
    view, count = shape(rng, 1, 4), int(rng.integers(1, 4))
    axis = int(rng.integers(len(view)))
    pieces = rng.integers(1, 4, count).tolist()
    view = (*view[:axis], sum(pieces), *view[axis + 1 :])
    refs = [operand(b, rng, interval(rng, WIDE), (*view[:axis], n, *view[axis + 1 :]), f"x{i}") for i, n in enumerate(pieces)]
    permutation = tuple(rng.permutation(len(view)).tolist())
    maps = tuple(mapped(rng, view[a]) for a in permutation)
    counts = tuple(m[0] for m in maps)
    out = counts if rng.random() < 0.5 else (int(np.prod(counts)),)
    fill = int(rng.choice([0, -3, 255, 1 << 40]))
    return b.apply("rearrange", *refs, shape=out, view=view, permutation=permutation, maps=maps, axis=axis, fill=fill)


def mapped(rng: Rng, size: int) -> tuple[int, int, int, int]:
    if rng.random() < 0.5:
        return (size, 0, 1, 1)
    if rng.random() < 0.4:
        start = int(rng.integers(0, size))
        return (int(rng.integers(1, size - start + 1)), start, 1, 1)
    return tuple(int(n) for n in (rng.integers(1, 7), rng.integers(-3, size + 2), rng.integers(-2, 3), rng.integers(1, 4)))


KINDS: dict[str, Callable[[Builder, Rng], TraceRef]] = {
    "matmul": matmul, "conv": conv, "add": add, "mul": mul, "sum": sum_, "max": max_, "lookup": lookup,
    "divide": divide, "isqrt": isqrt, "compare": compare, "argmax": argmax, "gather": gather, "rearrange": rearrange,
}  # fmt: skip


def random_program(kind: str, rng: Rng) -> Program | None:
    """A program of one operator; None if these draws break a bound."""
    b = Builder()
    try:
        b.output("y", KINDS[kind](b, rng), Tokens())
        return b.build()
    except QuantisationError:
        return None


def random_inputs(program: Program, rng: Rng) -> dict[str, np.ndarray]:
    return {given.name: drawn(rng, given.spec.interval, given.spec.shape) for given in program.inputs}


def bytes_again(b: Builder, rng: Rng, kind: str, *refs: TraceRef, **attributes: object) -> TraceRef:
    """The operator, requantised so that the output is spread over a byte."""
    limits = Interval(-(1 << 46), 1 << 46)
    spread = b.spec(b.apply(kind, *refs, requantise=Requantise.clip(limits), **attributes)).interval
    shift = max(spread.magnitude.bit_length() - 7, 0)
    channels = b.spec(refs[0]).shape[-1] if kind == "add" else 1
    multiplier = rng.integers(1, 8, channels)
    return b.apply(kind, *refs, requantise=Requantise(multiplier, multiplier * 0 + (64 << shift), shift, 0, 255), **attributes)


def grow(b: Builder, rng: Rng, x: TraceRef) -> TraceRef:
    """One more operator after x [N, H, W, C], with the kinds of neighbours that image models have."""
    n, h, w, c = b.spec(x).shape
    choice = rng.integers(8)
    if choice <= 1:
        outer = int(rng.integers(1, 7))
        weights = b.constant(drawn(rng, Interval(0, 255), (outer, 3, 3, c)))
        windows_of = {"strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}
        return bytes_again(b, rng, "conv", x, weights, x_zero=0, w_zero=128, **windows_of)
    if choice == 2 and min(h, w) > 1:
        return b.apply("max", x, kernel=(2, 2), strides=(2, 2), pads=(0, 0, 0, 0), dilations=(1, 1))
    if choice == 3:
        return bytes_again(b, rng, "add", x, x, b.constant(drawn(rng, Interval(-9, 9), (c,))), coefficients=((3,), (-1,), (5,)))
    if choice == 4:
        pooled = rearranged(b, x, (n, h * w, c), (0, 2, 1), (n, c, h * w))
        gates = rearranged(b, bytes_again(b, rng, "sum", pooled, axes=1), (n, c), (0, 1), (n, 1, 1, c))
        return bytes_again(b, rng, "mul", gates, x, x_zero=0, y_zero=10)
    if choice == 5:
        y = b.apply("lookup", x, b.constant(drawn(rng, Interval(0, 255), (256,))), base=0)
        view = (n, h, w, 2 * c)
        maps = tuple((size, 0, 1, 1) for size in view)
        return b.apply("rearrange", x, y, shape=view, view=view, permutation=(0, 1, 2, 3), maps=maps, axis=3)
    if choice == 6:
        maps = ((n, 0, 1, 1), (h + 1, -1, 1, 1), (2 * w, 0, 1, 2), (c, 0, 1, 1))
        counts = tuple(m[0] for m in maps)
        return b.apply("rearrange", x, shape=counts, view=(n, h, w, c), permutation=(0, 1, 2, 3), maps=maps, fill=7)
    return rearranged(b, x, (n, h, w, c), (0, 2, 3, 1), (n, w, c, h))


def rearranged(b: Builder, x: TraceRef, view: tuple[int, ...], permutation: tuple[int, ...], out: tuple[int, ...]) -> TraceRef:
    maps = tuple((view[axis], 0, 1, 1) for axis in permutation)
    return b.apply("rearrange", x, shape=out, view=view, permutation=permutation, maps=maps)


def image_program(rng: Rng) -> Program:
    """A chain of operators as image models have them, and two outputs, the input one of them."""
    b = Builder()
    x = b.input("x", (*rng.integers(1, 4, 1).tolist(), *rng.integers(1, 7, 3).tolist()), Interval(0, 255), Tokens())
    for _ in range(rng.integers(2, 12)):
        if b.spec(x).size < 2000:
            x = grow(b, rng, x)
    flat = rearranged(b, x, b.spec(x).shape, (0, 3, 1, 2), (b.spec(x).shape[0], b.spec(x).size // b.spec(x).shape[0]))
    weights = b.constant(drawn(rng, Interval(0, 255), (5, b.spec(flat).shape[1])))
    b.output("y", b.apply("matmul", flat, weights, w_zero=128), Tokens())
    b.output("x", TraceRef(0), Tokens())
    return b.build()
