# SPDX-License-Identifier: MIT OR Apache-2.0
"""The thirteen operators once more, in plain Python integers and loops, written from design.md and not from program/ops.

It shares no code with the package, imports no NumPy, and knows no width: what it says is the mathematical meaning.
A tensor is `Grid`: a shape and a flat list of Python integers in C order. Attributes come as a plain dict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import prod


@dataclass(frozen=True)
class Grid:
    """A shape, and as many integers in C order."""

    shape: tuple[int, ...]
    flat: list[int]

    def __post_init__(self) -> None:
        assert len(self.flat) == prod(self.shape)

    def __getitem__(self, place: tuple[int, ...]) -> int:
        offset = 0
        for size, index in zip(self.shape, place, strict=True):
            assert 0 <= index < size
            offset = offset * size + index
        return self.flat[offset]


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every index of a shape, in C order."""
    return product(*map(range, shape))


def grid(shape: tuple[int, ...], value: Callable[[tuple[int, ...]], int]) -> Grid:
    """A tensor from what stands at each place."""
    return Grid(tuple(shape), [value(place) for place in places(tuple(shape))])


def broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    rank = max(map(len, shapes))
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))


def stretched(x: Grid, place: tuple[int, ...]) -> int:
    """What a broadcast tensor reads at a place of the output."""
    own = place[len(place) - len(x.shape) :]
    return x[tuple(0 if size == 1 else index for size, index in zip(x.shape, own, strict=True))]


def matmul(a: dict, x: Grid, w: Grid) -> Grid:
    terms = range(x.shape[-1])

    def at(place):
        row, channel = place[:-1], place[-1]
        batch = row[:-1] if len(w.shape) > 2 else ()
        return sum((x[(*row, k)] - a["x_zero"]) * (w[(*batch, channel, k)] - a["w_zero"]) for k in terms)

    return grid((*x.shape[:-1], w.shape[-2]), at)


def _window_shape(spatial, kernel, a) -> tuple[int, ...]:
    shape = []
    for axis, size in enumerate(spatial):
        padded = size + a["pads"][axis] + a["pads"][axis + len(kernel)]
        reach = (kernel[axis] - 1) * a["dilations"][axis]
        shape.append(len(range(0, padded - reach, a["strides"][axis])))
    return tuple(shape)


def _taps(spatial, kernel, a, window) -> Iterator[tuple[tuple[int, ...], tuple[int, ...] | None]]:
    """Each position in the kernel, and the place of x it reads, None in the padding."""
    for tap in places(kernel):
        read = tuple(window[i] * a["strides"][i] + tap[i] * a["dilations"][i] - a["pads"][i] for i in range(len(kernel)))
        inside = all(0 <= index < size for index, size in zip(read, spatial, strict=True))
        yield tap, read if inside else None


def conv(a: dict, x: Grid, w: Grid) -> Grid:
    spatial, kernel = x.shape[1:-1], w.shape[1:-1]
    inner, outer = x.shape[-1] // a["groups"], w.shape[0] // a["groups"]

    def at(place):
        n, *window, channel = place
        first = channel // outer * inner
        total = 0
        for tap, read in _taps(spatial, kernel, a, window):
            for c in range(inner):
                value = a["x_zero"] if read is None else x[(n, *read, first + c)]
                total += (value - a["x_zero"]) * (w[(channel, *tap, c)] - a["w_zero"])
        return total

    return grid((x.shape[0], *_window_shape(spatial, kernel, a), w.shape[0]), at)


def add(a: dict, *operands: Grid) -> Grid:
    def at(place):
        channel = place[-1] if place else 0
        total = 0
        for coefficients, x in zip(a["coefficients"], operands, strict=True):
            total += coefficients[channel if len(coefficients) > 1 else 0] * stretched(x, place)
        return total

    return grid(broadcast_shape(*(x.shape for x in operands)), at)


def mul(a: dict, x: Grid, y: Grid) -> Grid:
    def at(place):
        return (stretched(x, place) - a["x_zero"]) * (stretched(y, place) - a["y_zero"])

    return grid(broadcast_shape(x.shape, y.shape), at)


def sum_(a: dict, x: Grid) -> Grid:
    kept, reduced = x.shape[: len(x.shape) - a["axes"]], x.shape[len(x.shape) - a["axes"] :]
    return grid(kept, lambda place: sum(x[(*place, *inner)] for inner in places(reduced)))


def max_(a: dict, x: Grid) -> Grid:
    if a["axes"]:
        kept, reduced = x.shape[: len(x.shape) - a["axes"]], x.shape[len(x.shape) - a["axes"] :]
        return grid(kept, lambda place: max(x[(*place, *inner)] for inner in places(reduced)))
    spatial = x.shape[1:-1]

    def at(place):
        n, *window, channel = place
        reads = (read for _, read in _taps(spatial, a["kernel"], a, window))
        return max(x[(n, *read, channel)] for read in reads if read is not None)

    return grid((x.shape[0], *_window_shape(spatial, a["kernel"], a), x.shape[-1]), at)


def lookup(a: dict, x: Grid, table: Grid) -> Grid:
    def entry(value):
        if not a["mantissa"]:
            return value - a["base"]
        bits = a["mantissa"]
        if value < 2**bits:
            return value
        digits = bin(value)[2:]  # the leading one, then `bits` of mantissa, then what is dropped
        octave = len(digits) - 1 - bits + 1
        return octave * 2**bits + int(digits[1 : 1 + bits], 2)

    return grid(x.shape, lambda place: table[(entry(x[place]),)])


def divide(a: dict, x: Grid, y: Grid) -> Grid:
    def at(place):
        top, bottom = stretched(x, place) * a["scale"] + stretched(y, place) // 2, stretched(y, place)
        quotient = abs(top) // bottom
        return quotient if top >= 0 else -quotient - (1 if abs(top) % bottom else 0)  # floor, spelt out

    return grid(broadcast_shape(x.shape, y.shape), at)


def isqrt(a: dict, x: Grid) -> Grid:
    def at(place):
        low, high = 0, x[place] + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle * middle <= x[place] else (low, middle)
        return low

    return grid(x.shape, at)


def compare(a: dict, x: Grid, y: Grid) -> Grid:
    shape = broadcast_shape(x.shape, y.shape)
    return grid(shape, lambda place: 1 if stretched(x, place) < stretched(y, place) else 0)


def argmax(a: dict, x: Grid) -> Grid:
    def at(place):
        row = [x[(*place, k)] for k in range(x.shape[-1])]
        return row.index(max(row))

    return grid(x.shape[:-1], at)


def gather(a: dict, data: Grid, indices: Grid) -> Grid:
    rank = len(indices.shape)
    shape = (*indices.shape, *data.shape[1:])
    return grid(shape, lambda place: data[(indices[place[:rank]], *place[rank:])])


def rearrange(a: dict, *operands: Grid) -> Grid:
    view, axis = tuple(a["view"]), a["axis"]
    before, others = view[:axis], prod(view[:axis]) * prod(view[axis + 1 :])
    parts = [Grid((*before, len(x.flat) // others, *view[axis + 1 :]), x.flat) if view else Grid((), x.flat) for x in operands]

    def joined(place):
        if not view:
            return parts[0][()]
        index = place[axis]
        for part in parts:
            if index < part.shape[axis]:
                return part[(*place[:axis], index, *place[axis + 1 :])]
            index -= part.shape[axis]
        raise AssertionError("beyond the joined operands")

    def at(place):
        source = [0] * len(view)
        for position, (index, (_, start, step, divisor)) in enumerate(zip(place, a["maps"], strict=True)):
            target = a["permutation"][position]
            source[target] = (start + index * step) // divisor
            if not 0 <= source[target] < view[target]:
                return a["fill"]
        return joined(tuple(source))

    mapped = grid(tuple(count for count, *_ in a["maps"]), at)
    return Grid(tuple(a["shape"]), mapped.flat)


MEANINGS: dict[str, Callable[..., Grid]] = {
    "matmul": matmul,
    "conv": conv,
    "add": add,
    "mul": mul,
    "sum": sum_,
    "max": max_,
    "lookup": lookup,
    "divide": divide,
    "isqrt": isqrt,
    "compare": compare,
    "argmax": argmax,
    "gather": gather,
    "rearrange": rearrange,
}


def requantise(x: Grid, multiplier: list[int], offset: list[int], shift: int, low: int, high: int) -> Grid:
    """clip((acc * multiplier + offset) / 2^shift rounded down, low, high), a channel of the last axis each."""

    def at(place):
        channel = place[-1] if place and len(multiplier) > 1 else 0
        scaled = x[place] * multiplier[channel] + offset[channel]
        floored = (scaled - scaled % 2**shift) // 2**shift  # % of a positive is never negative: exact
        return low if floored < low else high if floored > high else floored

    return grid(x.shape, at)
