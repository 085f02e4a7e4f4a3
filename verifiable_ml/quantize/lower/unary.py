# SPDX-License-Identifier: MIT OR Apache-2.0
"""Unary functions: a table over the integers that the operand can be; of wide positive ones, by mantissa."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from verifiable_ml.frontend.unary import BREAKS, POLES, UNARY, Function
from verifiable_ml.program import Interval, Requantise
from verifiable_ml.program.ops.lookup import MAX_ENTRIES, position
from verifiable_ml.program.ops.lookup import Attributes as Mantissa
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import GUARD
from verifiable_ml.quantize.value import FloatArray, Grid, Quantised

STEEP = frozenset({"Log", "Sqrt", "Reciprocal", "Pow"})
"""Functions that are steep at 0: of an operand that is never negative they read all bits."""
WIDEST = 1 << 46
PLACES = 14
"""Bits of a table that is interpolated: between two places a function curves by less than a step of 22 bits."""


def function(lowering: Lowering, node: Node) -> Function:
    """What the node computes of each element. Raises UnsupportedOperator: Pow and Mod need a constant number."""
    if node.kind in UNARY:
        return UNARY[node.kind]
    if node.kind == "Cast":
        return lambda x, _: np.trunc(x)
    constant = lowering.constant(node.inputs[1])
    if constant is None or constant.size != 1:
        raise node.refuse("its second operand is not one constant number", "fold what makes it into a constant")
    number = float(constant.reshape(()))
    if node.kind == "Pow":
        return lambda x, _: np.power(x, number)
    return lambda x, get: np.fmod(x, number) if get("fmod", 0) else np.mod(x, number)


def table(lowering: Lowering, node: Node) -> Quantised:
    """Lookup over the operand's proven interval, at most 2^16 entries."""
    name, computed = node.inputs[0], function(lowering, node)
    _check_poles(lowering, node)
    if node.kind in STEEP and lowering.calibration.ranges[name].low >= 0:
        fine = lowering.fine(name)
        if lowering.builder.spec(fine.ref).interval.high >= MAX_ENTRIES // 2 and fine.zero == 0:
            return _by_mantissa(lowering, node, fine, computed)
    x = lowering.narrow(name, lowering.plain(name, lowering.affine(name).layout))
    interval = lowering.builder.spec(x.ref).interval
    if interval.high - interval.low >= MAX_ENTRIES and node.kind == "Abs" and x.zero == 0:
        return _magnitude(lowering, node, x)
    if interval.high - interval.low >= MAX_ENTRIES and lowering.widths.are_fine and node.kind not in BREAKS:
        return _interpolated(lowering, node, x, computed)
    if interval.high - interval.low >= MAX_ENTRIES:
        found = lowering.calibration.ranges[name]
        x = lowering.rescaled(x, name, Grid.of(found.low, found.high, 16, lowering.spec.headroom))
        interval = lowering.builder.spec(x.ref).interval
    real = _values(computed, np.arange(interval.low, interval.high + 1) - x.zero, x, node)
    return _looked_up(lowering, node, x, real, base=interval.low)


def _check_poles(lowering: Lowering, node: Node) -> None:
    """Raises UnsupportedOperator if a pole lies within what calibration has seen: beside it the result has no bound."""
    found = lowering.calibration.ranges[node.inputs[0]]
    if node.kind not in POLES:
        return
    poles = POLES[node.kind](np.array([found.low, found.high]), node.get)
    inside = [float(pole) for pole in poles if found.low < pole < found.high]
    if inside:
        raise node.refuse(
            f"its operand lies in [{found.low:.3g}, {found.high:.3g}], on both sides of the pole at {inside[0]:.3g}",
            "keep the operand on one side of it: clip, or add to it, before",
        )


def _magnitude(lowering: Lowering, node: Node, x: Quantised) -> Quantised:
    """max(x, 0) + max(-x, 0), of integers that no table holds."""
    reach = lowering.builder.spec(x.ref).interval.magnitude
    form = Requantise.clip(Interval(0, reach))
    above, below = (
        lowering.builder.apply("add", x.ref, requantise=form, label=node.name, coefficients=((sign,),)) for sign in (1, -1)
    )
    return replace(x, ref=lowering.builder.apply("add", above, below, label=node.name, coefficients=((1,), (1,))))


def _values(computed: Function, integers: npt.NDArray[Any], x: Quantised, node: Node) -> FloatArray:
    step = float(x.scale[0])
    real = np.asarray(integers * step, dtype=np.float64)
    if node.kind in BREAKS:
        jump = BREAKS[node.kind](real, node.get)
        real = np.where(np.abs(real - jump) <= 0.5001 * step, jump, real)
    with np.errstate(all="ignore"):
        return _defined(np.asarray(computed(real, node.get), dtype=np.float64))


def _looked_up(lowering: Lowering, node: Node, x: Quantised, real: FloatArray, base: int, mantissa: int = 0) -> Quantised:
    grid = lowering.grid(node.output, float(real.min()), float(real.max()))
    low, high = grid.interval.low, grid.interval.high
    entries = np.clip(np.rint(np.clip(real / grid.scale, -(2.0**40), 2.0**40)) + grid.zero, low, high).astype(np.int64)
    how = {"base": base, "mantissa": mantissa}
    ref = lowering.builder.apply("lookup", x.ref, lowering.builder.constant(entries), label=node.name, requantise=None, **how)
    return Quantised(ref, np.array([grid.scale]), grid.zero, x.layout)


def _interpolated(lowering: Lowering, node: Node, x: Quantised, computed: Function) -> Quantised:
    """Between 2^14 places of a table on a line: f(place) + slope(place) * distance, all of them finer than the result."""
    name, builder = node.inputs[0], lowering.builder
    if builder.spec(x.ref).interval.magnitude >= 1 << 26:
        x = lowering.rescaled(x, name, lowering.real_grid(name))
    reach, grid = builder.spec(x.ref).interval, lowering.grid(node.output)
    low, bits = reach.low, max((reach.high - reach.low).bit_length() - PLACES, 1)
    count = ((reach.high - low) >> bits) + 1
    form = Requantise(np.ones(1, np.int64), np.array([-low]), bits, 0, count - 1)
    place = builder.apply("add", x.ref, requantise=form, label=f"{node.name} place", coefficients=((1,),))
    rest = Requantise.bias(np.array([-low]), Interval(0, (1 << bits) - 1))
    distance = builder.apply(
        "add", x.ref, place, requantise=rest, label=f"{node.name} distance", coefficients=((1,), (-(1 << bits),))
    )
    real = _values(computed, low + (np.arange(count + 1) << bits) - x.zero, x, node) / grid.scale * (1 << GUARD)
    values = np.rint(np.clip(real, -(2.0**40), 2.0**40)).astype(np.int64)
    starts, slopes = (builder.constant(each) for each in (values[:-1], np.diff(values)))
    start, slope = (builder.apply("lookup", place, each, label=node.name, base=0) for each in (starts, slopes))
    half_step = Requantise(np.ones(1, np.int64), np.array([1 << bits >> 1]), bits, -(1 << 40), 1 << 40)
    risen = builder.apply("mul", slope, distance, requantise=half_step, label=node.name, x_zero=0, y_zero=0)
    offset = np.array([(grid.zero << GUARD) + (1 << GUARD >> 1)])
    ends = Requantise(np.ones(1, np.int64), offset, GUARD, grid.interval.low, grid.interval.high)
    ref = builder.apply("add", start, risen, requantise=ends, label=node.name, coefficients=((1,), (1,)))
    return Quantised(ref, np.array([grid.scale]), grid.zero, x.layout)


def _by_mantissa(lowering: Lowering, node: Node, x: Quantised, computed: Function) -> Quantised:
    """As many bits of a mantissa as 2^16 entries hold; an entry stands for the middle of the integers that share it."""
    high = min(lowering.builder.spec(x.ref).interval.high, WIDEST)
    form = Requantise.clip(Interval(0, high))
    positive = lowering.builder.apply("add", x.ref, requantise=form, label=f"{node.name} positive", coefficients=((1,),))
    bits = next(m for m in range(15, 0, -1) if _entries(m, high) <= MAX_ENTRIES)
    places = np.arange(_entries(bits, high))
    octave = np.maximum((places >> bits) - 1, 0)
    first = np.where(places < 2 << bits, places, ((places & ((1 << bits) - 1)) + (1 << bits)) << octave)
    real = _values(computed, first + ((1 << octave) - 1) / 2, x, node)
    return _looked_up(lowering, node, Quantised(positive, x.scale, 0, x.layout), real, base=0, mantissa=bits)


def _entries(mantissa: int, high: int) -> int:
    return int(position(Mantissa(0, mantissa), np.array([high]))[0]) + 1


def _defined(real: FloatArray) -> FloatArray:
    """Places without a finite value take the nearest one that has."""
    finite = np.flatnonzero(np.isfinite(real))
    if not finite.size:
        return np.zeros_like(real)
    middles = (finite[1:] + finite[:-1]) / 2
    return np.asarray(real[finite[np.searchsorted(middles, np.arange(len(real)), side="left")]])


def cast(lowering: Lowering, node: Node) -> Quantised:
    """Whole numbers and truth values stay what they are; a fraction is cut off, towards 0."""
    if lowering.is_whole(node.inputs[0]) or not lowering.is_whole(node.output):
        return lowering.affine(node.inputs[0])
    return table(lowering, node)


LOWERINGS: dict[str, Lower] = {**dict.fromkeys((*UNARY, "Pow", "Mod"), table), "Cast": cast}
