# SPDX-License-Identifier: MIT OR Apache-2.0
"""The three forms of an open accumulation: with weights, a product of tensors, a sum of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from verifiable_ml.program import ConstantRef, Interval, Operand, Requantise, TraceRef
from verifiable_ml.program.requantise import MAX_ACCUMULATOR, MAX_MULTIPLIER
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lattice import lattice
from verifiable_ml.quantize.value import NOTHING, FloatArray, Grid, Quantised

if TYPE_CHECKING:
    from verifiable_ml.quantize.lowering import Lowering

Emit = Callable[[ConstantRef, int, Requantise], TraceRef]
EmitAlone = Callable[[Requantise], TraceRef]
ENOUGH = 8
"""The least multiplier aimed at: rounding a weight's scale up to a multiple of 1/8 of itself costs a sixth of a bit."""
QUARTER = 0.25
"""Of an output's step: what the rounding of weights may add to its error."""
LEAST = 2
"""Above the shift that the caller allows, the multiplier of the largest channel that is still asked for."""
FINE = {8: 64, 16: 1 << 13, 32: 1 << 14}
"""The least that a sum's largest coefficient is asked to be, by bits of the sum: its own rounding costs half a step at most."""
COARSE = 16
"""A coefficient below it, beside one near 2^15, loses percents of its term."""
MAX_SHIFT = 40
MAX_SCALING = 60
STEPS = {8: (127, 128), 16: (32767, 0)}
"""By bits of a weight: the integer of the largest, and the zero point."""
FINEST = 1 << 21
"""The integer of the largest weight in a fine program, where the accumulator's bound allows it."""
ROOM = 1 << 45
GUARD = 3
"""Bits below a fine grid that terms keep until they are added."""
WIDE = (1 << 31) - 1
"""Integers beyond it leave no room for a coefficient below an accumulator's bound."""
ROOMY = Interval(-(1 << 30), (1 << 30) - 1)
KEEN = 2048
"""The least multiplier aimed at where it cannot be made exact."""
WIDEST = Interval(-(1 << 62), (1 << 62) - 1)


def half(shift: int) -> int:
    """What turns a floor into rounding: 2^(shift - 1), and 0 at shift 0."""
    return 1 << shift >> 1


@dataclass(frozen=True, eq=False)
class Linear:
    """sum over k of w x + bias, w real [N, K…] for integers x - zero (their scale is folded in), bias real [N].

    `magnitude` is the greatest |x - zero|.
    """

    weights: FloatArray
    bias: FloatArray
    emit: Emit
    layout: Shape
    magnitude: int
    low: float = -inf
    high: float = inf

    def scaled(self, by: FloatArray) -> Linear | None:
        """Folded into the weights."""
        if self._clips:
            return None
        rows = by.reshape(-1, *[1] * (self.weights.ndim - 1))
        return replace(self, weights=self.weights * rows, bias=self.bias * by)

    def shifted(self, by: FloatArray) -> Linear | None:
        """Folded into the bias."""
        return None if self._clips else replace(self, bias=self.bias + by)

    def clipped(self, low: float, high: float) -> Linear:
        """Folded into the saturation."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    @property
    def _clips(self) -> bool:
        return self.low > -inf or self.high < inf

    def settle(self, lowering: Lowering, name: str) -> Quantised:
        """Weights' scales are rounded up, so that scale * 2^shift / output scale is an integer: no rescaling error at all."""
        grid = lowering.grid(name, self.low, self.high)
        exact = None if lowering.widths.are_fine else lattice(self.weights)
        if exact is not None:
            return self._settle_exact(lowering, grid, *exact)
        steps, zero = self._steps(lowering, name)
        ideal = self._largest() / steps
        shift = self._shift(ideal / grid.scale, lowering.spec.max_shift)
        unit = grid.scale / (1 << shift)
        multiplier = np.maximum(np.ceil(ideal / unit), 1)
        offset = np.rint(self.bias / (multiplier * unit)) * multiplier + (half(shift) + (grid.zero << shift))
        bounds = grid.clipped(self.low, self.high)
        form = Requantise(multiplier.astype(np.int64), offset.astype(np.int64), shift, bounds.low, bounds.high)
        ref = self._emit(lowering, multiplier * unit, zero, form)
        return Quantised(ref, np.array([grid.scale]), grid.zero, self.layout)

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """One scale for all weights; the bias is the whole requantisation."""
        if self._clips:
            return self.settle(lowering, name)
        exact = None if lowering.widths.are_fine else lattice(self.weights)
        if exact is not None and np.ptp(exact[1]) <= 1e-6 * exact[1][0]:
            form = Requantise.bias(np.rint(self.bias / exact[1][0]).astype(np.int64), WIDEST)
            return Quantised(self._emit_exact(lowering, exact[0], form), exact[1][:1], 0, self.layout)
        steps, zero = self._steps(lowering, name)
        scale = max(float(self._largest().max()), 1e-30) / steps
        form = Requantise.bias(np.rint(self.bias / scale).astype(np.int64), WIDEST)
        return Quantised(self._emit(lowering, np.array([scale]), zero, form), np.array([scale]), 0, self.layout)

    def _settle_exact(self, lowering: Lowering, grid: Grid, integers: FloatArray, units: FloatArray) -> Quantised:
        """Weights that are integers already stay what they are; a channel's multiplier has up to 15 bits."""
        ratio, shift = units / grid.scale, 0
        while ratio.max() * (2 << shift) < MAX_MULTIPLIER - 1 and shift < MAX_SHIFT and ratio.min() * (1 << shift) < KEEN:
            shift += 1
        multiplier = np.minimum(np.rint(ratio * (1 << shift)), MAX_MULTIPLIER - 1)
        offset = np.rint(self.bias / units) * multiplier + (half(shift) + (grid.zero << shift))
        bounds = grid.clipped(self.low, self.high)
        form = Requantise(multiplier.astype(np.int64), offset.astype(np.int64), shift, bounds.low, bounds.high)
        return Quantised(self._emit_exact(lowering, integers, form), np.array([grid.scale]), grid.zero, self.layout)

    def _emit_exact(self, lowering: Lowering, integers: FloatArray, form: Requantise) -> TraceRef:
        zero = 128 if integers.min() >= -128 and integers.max() <= 127 else 0
        return self.emit(lowering.builder.constant(integers.astype(np.int64) + zero), zero, form)

    def _steps(self, lowering: Lowering, name: str) -> tuple[int, int]:
        """The integer of the largest weight, and the zero point; in a fine program as large as the accumulator's bound allows."""
        if not lowering.widths.are_fine:
            return STEPS[lowering.weight_bits(name)]
        rows = np.abs(self.weights).reshape(len(self.weights), -1)
        terms = float((rows.sum(axis=1) / np.maximum(rows.max(axis=1), 1e-300)).max())
        room = ROOM / (max(self.magnitude, 1) * max(terms, 1.0))
        return int(min(max(room, STEPS[8][0]), FINEST)), 0

    def _largest(self) -> FloatArray:
        largest: FloatArray = np.abs(self.weights).reshape(len(self.weights), -1).max(axis=1)
        return largest

    def _shift(self, ratio: FloatArray, most: int) -> int:
        """The least shift that is fine enough, for every channel's multiplier or for the output's own steps.

        A weight is off by at most half of output scale / 2^shift, so a sum of K of them, times inputs of about half
        their magnitude, by about sqrt(K) * magnitude / 2^(shift + 2) steps of the output.
        """
        used = ratio[ratio > 0]
        reach = np.sqrt(self.weights[0].size) * self.magnitude / 4
        for shift in range(MAX_SHIFT if used.size else 0):
            fine = used.min() * (1 << shift) >= ENOUGH or reach <= QUARTER * (1 << shift)
            dear = shift >= most and used.max() * (1 << shift) >= LEAST
            if fine or dear or used.max() * (2 << shift) >= MAX_MULTIPLIER - 1:
                return shift
        return 0

    def _emit(self, lowering: Lowering, scales: FloatArray, zero: int, form: Requantise) -> TraceRef:
        rows = scales.reshape(-1, *[1] * (self.weights.ndim - 1))
        integers = np.rint(self.weights / rows).astype(np.int64) + zero
        return self.emit(lowering.builder.constant(integers), zero, form)


@dataclass(frozen=True, eq=False)
class Product:
    """An accumulator of one positive real scale plus a bias: products and sums of tensors."""

    scale: float
    emit: EmitAlone
    layout: Shape
    bias: FloatArray = field(default_factory=lambda: NOTHING)
    low: float = -inf
    high: float = inf

    def scaled(self, by: FloatArray) -> Product | None:
        """Only by one positive number."""
        if self._clips or len(by) != 1 or by[0] <= 0:
            return None
        return replace(self, scale=self.scale * float(by[0]), bias=self.bias * by)

    def shifted(self, by: FloatArray) -> Product | None:
        """Folded into the offset."""
        return None if self._clips else replace(self, bias=self.bias + by)

    def clipped(self, low: float, high: float) -> Product:
        """Folded into the saturation."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    @property
    def _clips(self) -> bool:
        return self.low > -inf or self.high < inf

    def settle(self, lowering: Lowering, name: str) -> Quantised:
        """The output's scale is rounded up, so that scale * 2^shift / output scale is an integer."""
        grid = lowering.grid(name, self.low, self.high)
        shift, ratio = 0, self.scale / grid.scale
        while ratio * (2 << shift) < MAX_MULTIPLIER and (shift < lowering.spec.max_shift or ratio * (1 << shift) < ENOUGH):
            shift += 1
        multiplier = max(1, int(self.scale * (1 << shift) / grid.scale))
        if name in lowering.squares or grid.fixed:  # their grids are shared: a part in 2^15 is nothing to a root or a logarithm
            multiplier = max(1, round(self.scale * (1 << shift) / grid.scale))
        elif multiplier < MAX_MULTIPLIER:
            grid = replace(grid, scale=self.scale * (1 << shift) / multiplier)
        multiplier = min(multiplier, MAX_MULTIPLIER - 1)
        offset = np.rint(self.bias / self.scale) * multiplier + (half(shift) + (grid.zero << shift))
        bounds = grid.clipped(self.low, self.high)
        form = Requantise(np.array([multiplier]), offset.astype(np.int64), shift, bounds.low, bounds.high)
        return Quantised(self.emit(form), np.array([grid.scale]), grid.zero, self.layout)

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """The accumulator itself, plus the bias."""
        if self._clips:
            return self.settle(lowering, name)
        form = Requantise.bias(np.rint(self.bias / self.scale).astype(np.int64), WIDEST)
        return Quantised(self.emit(form), np.array([self.scale]), 0, self.layout)


@dataclass(frozen=True, eq=False)
class Sum:
    """Real terms x_i (each with a scale of its own) times factors, added: residuals, constants, changes of scale."""

    terms: tuple[tuple[Operand, FloatArray], ...]
    """Each operand with the real value of one step of it, [1] or one a stored last entry; may be negative."""
    bias: FloatArray
    """What constants come to."""
    layout: Shape
    label: str
    low: float = -inf
    high: float = inf
    zeros: tuple[int, ...] = ()
    """The integer that stands for 0 in each term; () where it is 0 in all."""

    def scaled(self, by: FloatArray) -> Sum | None:
        """Folded into every term."""
        if self.low > -inf or self.high < inf:
            return None
        return replace(self, terms=tuple((ref, step * by) for ref, step in self.terms), bias=self.bias * by)

    def shifted(self, by: FloatArray) -> Sum | None:
        """Folded into the offset."""
        return None if self.low > -inf or self.high < inf else replace(self, bias=self.bias + by)

    def clipped(self, low: float, high: float) -> Sum:
        """Folded into the saturation."""
        return replace(self, low=max(self.low, low), high=min(self.high, high))

    def settle(self, lowering: Lowering, name: str) -> Quantised:
        """Coefficients carry the precision, 15 bits of it; the multiplier is 1."""
        return self.settle_on(lowering, self.near(lowering, lowering.grid(name, self.low, self.high)))

    def settle_on(self, lowering: Lowering, grid: Grid) -> Quantised:
        """To a grid that the caller chooses."""
        if any(lowering.builder.spec(ref).interval.magnitude > WIDE for ref, _ in self.terms):
            return self._narrowed(lowering).settle_on(lowering, grid)
        if self._is_inexact(lowering, grid):
            return self._exact(lowering, grid).settle_on(lowering, grid)
        if self._is_uneven(lowering, grid):
            return self._evened(lowering, grid).settle_on(lowering, grid)
        shift = self._shift(lowering, grid)
        unit = grid.scale / (1 << shift)
        coefficients = tuple(tuple(int(a) for a in np.rint(step / unit)) for _, step in self.terms)
        # a zero point times the coefficient that was rounded: then 0 stays 0
        zeros = sum(zero * np.array(a) for zero, a in zip(self.zeros, coefficients, strict=False))
        offset = np.rint(self.bias / unit).astype(np.int64) - zeros + half(shift) + (grid.zero << shift)
        bounds = grid.clipped(self.low, self.high)
        form = Requantise(np.ones(1, np.int64), offset, shift, bounds.low, bounds.high)
        refs = tuple(ref for ref, _ in self.terms)
        ref = lowering.builder.apply("add", *refs, requantise=form, label=self.label, coefficients=coefficients)
        return Quantised(ref, np.array([grid.scale]), grid.zero, self.layout)

    def _narrowed(self, lowering: Lowering) -> Sum:
        """Terms of more than 32 bits, accumulators as they are, without the bits below."""
        terms, zeros = list[tuple[Operand, FloatArray]](), list[int]()
        for (ref, step), zero in zip(self.terms, self.zeros or (0,) * len(self.terms), strict=True):
            reach = lowering.builder.spec(ref).interval.magnitude
            if reach > WIDE:
                shift = reach.bit_length() - WIDE.bit_length()
                form = Requantise(np.ones(1, np.int64), np.array([half(shift) - zero]), shift, ROOMY.low * 2, ROOMY.high * 2)
                ref = lowering.builder.apply("add", ref, requantise=form, label=self.label, coefficients=((1,),))
                step, zero = step * 2.0**shift, 0
            terms.append((ref, step))
            zeros.append(zero)
        return replace(self, terms=tuple(terms), zeros=tuple(zeros))

    def _is_inexact(self, lowering: Lowering, grid: Grid) -> bool:
        """Whether the rounding of a coefficient to 15 bits moves a sum by more than an eighth of a step."""
        unit = grid.scale / (1 << self._shift(lowering, grid))
        largest, moved = max(float(np.abs(step).max()) for _, step in self.terms), 0.0
        if largest >= (MAX_MULTIPLIER - 1) * unit or not lowering.widths.are_fine:
            return largest >= (MAX_MULTIPLIER - 1) * unit  # it would not even fit
        for ref, step in self.terms:
            reach = min(
                lowering.builder.spec(ref).interval.magnitude, 2 * grid.interval.magnitude * grid.scale / np.abs(step).min()
            )
            moved += float(np.abs(np.rint(step / unit) * unit - step).max()) * reach
        return moved > grid.scale / 8

    def _exact(self, lowering: Lowering, grid: Grid) -> Sum:
        """Each term multiplied by a constant of more than 15 bits, to an eighth of the grid's step."""
        unit, terms = grid.scale / (1 << GUARD), list[tuple[Operand, FloatArray]]()
        for (ref, step), zero in zip(self.terms, self.zeros or (0,) * len(self.terms), strict=True):
            ratio, reach = step / unit, lowering.builder.spec(ref).interval.shifted(-zero).magnitude
            bits = min(21, 46 - reach.bit_length())
            shift = min(max(bits - int(np.ceil(np.log2(np.abs(ratio).max()))), 0), MAX_SCALING)
            factors = lowering.builder.constant(np.rint(ratio * 2.0**shift).astype(np.int64))
            form = Requantise(np.ones(1, np.int64), np.array([half(shift)]), shift, ROOMY.low, ROOMY.high)
            scaled = lowering.builder.apply("mul", ref, factors, requantise=form, label=self.label, x_zero=zero, y_zero=0)
            terms.append((scaled, np.array([unit])))
        return replace(self, terms=tuple(terms), zeros=())

    def _is_uneven(self, lowering: Lowering, grid: Grid) -> bool:
        """Whether beside a term of large steps another's coefficient would be too small to be told apart from its neighbours."""
        unit = grid.scale / (1 << self._shift(lowering, grid))
        largest = [float(np.abs(step).max()) for _, step in self.terms]
        return min(largest) < COARSE * unit and max(largest) > 2 * grid.scale and len(largest) > 1

    def _evened(self, lowering: Lowering, grid: Grid) -> Sum:
        """Terms of larger steps than the grid's are brought to its steps, with room for what cancels later."""
        wide = Grid(grid.scale, 0, ROOMY)
        terms, zeros = [], []
        for (ref, step), zero in zip(self.terms, self.zeros or (0,) * len(self.terms), strict=True):
            if float(np.abs(step).max()) > grid.scale:
                ref = Sum(((ref, step),), NOTHING, self.layout, self.label, zeros=(zero,)).settle_on(lowering, wide).ref
                step, zero = np.array([grid.scale]), 0
            terms.append((ref, step))
            zeros.append(zero)
        return replace(self, terms=tuple(terms), zeros=tuple(zeros))

    def near(self, lowering: Lowering, grid: Grid) -> Grid:
        """The grid at most a little coarser on which one term of one scale has an exact coefficient; else the same grid."""
        if grid.fixed or len({abs(float(s)) for _, step in self.terms for s in step}) > 1:
            return grid
        step, shift = abs(float(self.terms[0][1][0])), self._shift(lowering, grid)
        if not step:
            return grid
        coefficient = max(1, int(step * (1 << shift) / grid.scale))
        return replace(grid, scale=step * (1 << shift) / coefficient)

    def _shift(self, lowering: Lowering, grid: Grid) -> int:
        """As large as coefficients below 2^15 allow, up to the cap; beyond it until the largest has FINE steps."""
        ratio, shift = max(float(np.abs(step).max()) for _, step in self.terms) / grid.scale, 0
        widest = sum(lowering.builder.spec(ref).interval.magnitude for ref, _ in self.terms)
        fine = FINE[8 if grid.interval.high <= 255 and grid.interval.low >= 0 else 16 if grid.interval.high < 1 << 16 else 32]
        least = min(lowering.spec.max_shift, MAX_SCALING)
        while ratio * (2 << shift) < MAX_MULTIPLIER - 1 and (
            shift < least or (ratio * (1 << shift) < fine and shift < MAX_SCALING)
        ):
            if ratio * (2 << shift) * widest >= MAX_ACCUMULATOR // 2:
                break  # steps of a power of two are told apart by few bits, and others have no room for more
            shift += 1
        return shift

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """A sum of different scales has no raw form: 16 bits, or those of a tensor of which a logarithm is taken."""
        if name in lowering.deep:
            return self.settle(lowering, name)
        found = lowering.calibration.ranges[name]
        return self.settle_on(lowering, Grid.of(found.low, found.high, lowering.widths.bits, lowering.spec.headroom))
