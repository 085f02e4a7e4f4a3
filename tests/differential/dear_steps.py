# SPDX-License-Identifier: MIT OR Apache-2.0
"""The dearest piece of layers as models have them, and of the widest shapes: what a step costs (rules 37, 39)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from differential.step_cases import Step, steps
from verifiable_ml.execute import Trace
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens, TraceRef

TENSORS = 155
"""Of a trace: MobileNetV2's operators."""
U8, I16, I32, I64 = (Interval(-(1 << bits - 1) if bits > 8 else 0, (1 << bits - (bits > 8)) - 1) for bits in (8, 16, 32, 64))


@dataclass(frozen=True)
class Layer:
    """An operator on inputs x0, x1, …; weights are drawn. element: coordinates of the output, whose window is the dearest of
    150 random ones."""

    name: str
    build: Callable[[Builder, np.random.Generator], TraceRef]
    element: tuple[int, ...]
    piece: int = 0


def form(channels: int) -> Requantise:
    return Requantise(np.arange(1, channels + 1) % 32768, np.zeros(channels, np.int64), 20, 0, 255)


def wide_conv(b: Builder, rng: np.random.Generator) -> TraceRef:
    """Taps that do not join, of numbers that are multiplied one by one."""
    x = b.input("x0", (1, 56, 56, 64), Interval(-(1 << 20), 1 << 20), Tokens())
    w = b.constant(rng.integers(-(1 << 16), 1 << 16, (8, 3, 3, 64)))
    return b.apply("conv", x, w, x_zero=3, w_zero=128, strides=(1, 1), pads=(0,) * 4, dilations=(2, 2), groups=1)


def conv(side: int, channels: int, out: int, kernel: int = 3, stride: int = 1, groups: int = 1):
    def build(b: Builder, rng: np.random.Generator) -> TraceRef:
        x = b.input("x0", (1, side, side, channels), U8, Tokens())
        w = b.constant(rng.integers(1, 256, (out, kernel, kernel, channels // groups)))
        pads = (kernel // 2,) * 4
        windows = {"strides": (stride, stride), "pads": pads, "dilations": (1, 1), "groups": groups}
        return b.apply("conv", x, w, requantise=form(out), x_zero=3, w_zero=128, **windows)

    return build


def matmul(k: int, xs: Interval, ws: tuple[int, int], n: int = 1000):
    def build(b: Builder, rng: np.random.Generator) -> TraceRef:
        x = b.input("x0", (1, k), xs, Tokens())
        w = b.constant(rng.integers(*ws, (n, k), endpoint=True))
        return b.apply("matmul", x, w, requantise=None if xs.high > 1 << 20 else form(n))

    return build


def reduce(kind: str, shape: tuple[int, ...], within: Interval, **attributes):
    def build(b: Builder, rng: np.random.Generator) -> TraceRef:
        return b.apply(kind, b.input("x0", shape, within, Tokens()), **attributes)

    return build


def add(b: Builder, rng: np.random.Generator) -> TraceRef:
    shape = (1, 1, 1, 1, 112, 112, 1, 96)
    refs = [b.input(f"x{i}", shape, U8, Tokens()) for i in range(8)]
    return b.apply("add", *refs, coefficients=tuple(tuple(range(1, 97)) for _ in refs), requantise=form(96))


def pointwise(kind: str, operands: int, within: Interval, last: int | None = None, **attributes):
    """On tensors of eight axes, the last operand within [1, last] if that is given."""
    shape = (1, 1, 1, 1, 112, 112, 1, 96)

    def build(b: Builder, rng: np.random.Generator) -> TraceRef:
        intervals = [within] * (operands - 1) + [Interval(1, last) if last else within]
        refs = [b.input(f"x{i}", shape, interval, Tokens()) for i, interval in enumerate(intervals)]
        return b.apply(kind, *refs, **attributes)

    return build


def lookup(b: Builder, rng: np.random.Generator) -> TraceRef:
    x = b.input("x0", (1, 112, 112, 96), I16, Tokens())
    return b.apply("lookup", x, b.constant(rng.integers(-(1 << 40), 1 << 40, 1 << 16)), base=-(1 << 15))


def gather(b: Builder, rng: np.random.Generator) -> TraceRef:
    table = b.constant(rng.integers(0, 256, (20_000, 128)))
    return b.apply("gather", table, b.input("x0", (1, 512), Interval(0, 19_999), Tokens()))


def rearrange(b: Builder, rng: np.random.Generator) -> TraceRef:
    refs = [b.input(f"x{i}", (2, 2, 2, 2, 2, 2, 2, 256), U8, Tokens()) for i in range(2)]
    view = (2, 2, 2, 2, 2, 2, 2, 512)
    maps = tuple((size, size - 1, -1, 1) for size in reversed(view))
    return b.apply("rearrange", *refs, shape=(512, 128), view=view, permutation=tuple(range(7, -1, -1)), maps=maps, axis=7)


POOL = {"kernel": (4, 4), "strides": (2, 2), "pads": (0,) * 4, "dilations": (1, 1)}
PLACE = (0, 0, 0, 0, 60, 60, 0, 95)
LAYERS = [
    Layer("conv 3x3, C=3, 224", conv(224, 3, 32), (0, 44, 10, 18)),
    Layer("conv 3x3, C=16, 112", conv(112, 16, 96), (0, 69, 64, 65)),
    Layer("conv 3x3, C=64, 56, K=576", conv(56, 64, 64), (0, 5, 40, 56)),
    Layer("conv 3x3, C=512, 14, 1,024 of 4,608", conv(14, 512, 512), (0, 4, 5, 277), 1),
    Layer("conv 7x7, C=3, 224, stride 2", conv(224, 3, 64, 7, 2), (0, 53, 15, 55)),
    Layer("depthwise 3x3, C=960, 14", conv(14, 960, 960, groups=960), (0, 3, 4, 398)),
    Layer("depthwise 3x3, C=96, 112", conv(112, 96, 96, groups=96), (0, 69, 64, 65)),
    Layer("depthwise 3x3, C=512, 128", conv(128, 512, 512, groups=512), (0, 63, 64, 411)),
    Layer("depthwise 5x5, C=672, 28", conv(28, 672, 672, 5, groups=672), (0, 13, 14, 398)),
    Layer("conv 3x3 dilated, i32 by i32", wide_conv, (0, 25, 25, 7)),
    Layer("conv 1x1, C=960, 7", conv(7, 960, 320, 1), (0, 3, 4, 102)),
    Layer("matmul K=1,024, u8 by u8", matmul(4096, U8, (0, 255)), (0, 999), 1),
    Layer("matmul K=1,024, i16 by i16", matmul(4096, Interval(-2000, 2000), (-2000, 2000)), (0, 999), 1),
    Layer("matmul K=512, i32 by u8", matmul(4096, Interval(-(1 << 26), 1 << 26), (0, 255)), (0, 999), 1),
    Layer("matmul K=256, i64 by u8", matmul(4096, Interval(-(1 << 33), 1 << 33), (0, 3)), (0, 999), 1),
    Layer("sum K=1,024, i16", reduce("sum", (100, 3000), Interval(-30000, 30000), axes=1), (87,), 1),
    Layer("max K=256, i64", reduce("max", (100, 3000), I64, axes=1), (65,), 6),
    Layer("argmax K=1,024, u8", reduce("argmax", (100, 4000), U8), (65,), 2),
    Layer("argmax K=256, i64", reduce("argmax", (100, 4000), I64), (65,), 8),
    Layer("max 4x4, C=960, 14", reduce("max", (1, 14, 14, 960), U8, **POOL), (0, 3, 3, 959)),
    Layer("max 4x4, C=512, 128", reduce("max", (1, 256, 128, 512), U8, **POOL), (0, 63, 31, 255)),
    Layer("max 4x4, C=64, 112, i16", reduce("max", (1, 112, 112, 64), I16, **POOL), (0, 28, 23, 8), 1),
    Layer("add of 8, 112, C=96, rank 8", add, PLACE),
    Layer("mul, 112, C=96, rank 8, i32", pointwise("mul", 2, Interval(-(1 << 22), 1 << 22)), PLACE),
    Layer("compare, 112, C=96, rank 8, i64", pointwise("compare", 2, I64), PLACE),
    Layer("divide, 112, C=96, rank 8, i64", pointwise("divide", 2, Interval(-(1 << 40), 1 << 40), 1 << 40), PLACE),
    Layer("isqrt, 112, C=96, rank 8, i64", pointwise("isqrt", 1, Interval(0, (1 << 53) - 1)), PLACE),
    Layer("lookup of 65,536, i64", lookup, (0, 60, 60, 95)),
    Layer("gather of 20,000 rows", gather, (0, 511, 100)),
    Layer("rearrange of 2, rank 8", rearrange, (511, 100)),
]


def dear_step(layer: Layer) -> Step:
    """One piece in a trace as long as MobileNetV2's. Values are drawn: a step costs the same whether or not it convicts."""
    rng = np.random.default_rng(1)
    trace = drawn_trace(program_of(layer, rng), rng)
    position = int(np.ravel_multi_index(layer.element, trace.tensors[-1].shape))
    return list(steps(trace, len(trace.tensors) - 1, position))[layer.piece]


def program_of(layer: Layer, rng: np.random.Generator) -> Program:
    """The layer behind many other inputs."""
    b = Builder()
    for place in range(TENSORS - 9):
        b.input(f"other{place}", (1,), U8, Tokens())
    b.output("y", layer.build(b, rng), Tokens())
    return b.build()


def drawn_trace(program: Program, rng: np.random.Generator) -> Trace:
    """No byte of an operand is zero where that can be helped: those are the dear ones."""
    specs = [given.spec for given in program.inputs]
    inputs = [rng.integers(1, s.interval.high, s.shape, endpoint=True).astype(s.dtype.numpy) for s in specs]
    output = program.operators[0].output
    return Trace(program, (*inputs, np.zeros(output.shape, output.dtype.numpy)))
