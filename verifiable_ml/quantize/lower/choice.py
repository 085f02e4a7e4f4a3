# SPDX-License-Identifier: MIT OR Apache-2.0
"""Comparisons, truth values and Where. A truth value is the integer 0 or 1, so that all of this is exact."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import Interval, Operand, Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.value import FloatArray, Grid, Quantised

TRUTH = Interval(0, 1)
NOISE = 3
"""Steps by which two equal numbers can differ that were rounded to grids of their own, and then to a common one."""


def _layout(lowering: Lowering, node: Node) -> Shape:
    """The order in which the first operand of full rank is stored."""
    rank = len(lowering.shapes[node.output])
    for name in node.inputs:
        if name not in lowering.constants and len(lowering.shapes[name]) == rank:
            return lowering.affine(name).layout
    raise node.refuse("none of its operands has the rank of its result", "reshape them to one number of axes")


def _finest(lowering: Lowering, names: tuple[str, ...], name: str) -> Quantised:
    """All bits of a tensor that is compared with a constant."""
    value = lowering.exact(name) if any(each in lowering.constants for each in names) else lowering.plain(name)
    return value if value.plain else lowering.plain(name)


def _compared(lowering: Lowering, names: tuple[str, str], place: int, layout: Shape, grid: Grid) -> Operand:
    """One side of a comparison as integers of a grid; the one at place 0 is to be the lesser."""
    constant = lowering.constant(names[place])
    if constant is None:
        return _on_grid(lowering, _finest(lowering, names, names[place]), names[place], layout, grid)
    rounded = np.rint if grid.scale != 1.0 else np.ceil if place else np.floor  # whole numbers are not rounded themselves
    return lowering.builder.constant(_integers(constant, layout, grid, rounded))


def _operand(lowering: Lowering, name: str, layout: Shape, grid: Grid) -> Operand:
    """A tensor or a constant as integers of a grid, stored in a layout."""
    constant = lowering.constant(name)
    if constant is not None:
        return lowering.builder.constant(_integers(constant, layout, grid))
    return _on_grid(lowering, lowering.plain(name), name, layout, grid)


def _on_grid(lowering: Lowering, value: Quantised, name: str, layout: Shape, grid: Grid) -> Operand:
    value = lowering.laid_out(value, layout, name)
    if value.scale[0] == grid.scale and value.zero == grid.zero:
        return value.ref
    return lowering.rescaled(value, name, grid).ref


def _integers(constant: FloatArray, layout: Shape, grid: Grid, rounded: Callable[[FloatArray], FloatArray] = np.rint) -> IntArray:
    """One beyond the grid on either side, so that what lies outside of it compares as it should."""
    extents = constant.reshape(*[1] * (len(layout) - constant.ndim), *constant.shape).transpose(layout)
    low, high = grid.interval.low - 1, grid.interval.high + 1
    steps = rounded(np.clip(extents / grid.scale, -(2.0**40), 2.0**40)) + grid.zero
    return np.asarray(np.clip(steps, low, high), np.int64)


def _common(lowering: Lowering, names: tuple[str, ...]) -> Grid:
    """One grid for all: their own if it is the same, else that of their joint range."""
    open_names = [name for name in names if name not in lowering.constants]
    values = [_finest(lowering, names, name) for name in open_names]
    first = values[0]
    if all(value.scale[0] == first.scale[0] and value.zero == first.zero for value in values):
        intervals = [lowering.builder.spec(value.ref).interval for value in values]
        return Grid(float(first.scale[0]), first.zero, Interval.hull(intervals))
    ranges = [lowering.calibration.ranges[name] for name in open_names]
    return Grid.of(min(r.low for r in ranges), max(r.high for r in ranges), lowering.widths.bits, lowering.spec.headroom)


def _less(lowering: Lowering, node: Node, pairs: tuple[tuple[int, int], ...]) -> tuple[list[TraceRef], Shape]:
    """For each pair of operands (by place) whether the first is less: by more than NOISE, where grids had to be joined."""
    layout, grid = _layout(lowering, node), _common(lowering, node.inputs[:2])
    names = node.inputs[:2]
    values = [_finest(lowering, names, name) for name in names if name not in lowering.constants]
    rounded = len({float(value.scale[0]) for value in values}) > 1
    refs = []
    for pair in pairs:
        x, y = (_compared(lowering, (names[pair[0]], names[pair[1]]), place, layout, grid) for place in (0, 1))
        x = _with_noise(lowering, node, x) if rounded else x
        refs.append(lowering.builder.apply("compare", x, y, label=node.name))
    return refs, layout


def _with_noise(lowering: Lowering, node: Node, x: Operand) -> TraceRef:
    form = Requantise.bias(np.array([NOISE]), lowering.builder.spec(x).interval.shifted(NOISE))
    return lowering.builder.apply("add", x, requantise=form, label=f"{node.name} noise", coefficients=((1,),))


def _truth(lowering: Lowering, node: Node, layout: Shape, offset: int, *terms: tuple[Operand, int]) -> Quantised:
    """Offset + sum of coefficient * truth value, held in 0 to 1."""
    form = Requantise(np.ones(1, np.int64), np.array([offset]), 0, 0, 1)
    coefficients = tuple((factor,) for _, factor in terms)
    operands = tuple(ref for ref, _ in terms)
    ref = lowering.builder.apply("add", *operands, requantise=form, label=node.name, coefficients=coefficients)
    return Quantised(ref, np.ones(1), 0, layout)


def less(lowering: Lowering, node: Node) -> Quantised:
    """Less, or Greater with its operands swapped."""
    (ref,), layout = _less(lowering, node, ((1, 0),) if node.kind == "Greater" else ((0, 1),))
    return Quantised(ref, np.ones(1), 0, layout)


def less_or_equal(lowering: Lowering, node: Node) -> Quantised:
    """Not y < x."""
    (ref,), layout = _less(lowering, node, ((1, 0),) if node.kind == "LessOrEqual" else ((0, 1),))
    return _truth(lowering, node, layout, 1, (ref, -1))


def equal(lowering: Lowering, node: Node) -> Quantised:
    """Neither x < y nor y < x."""
    (below, above), layout = _less(lowering, node, ((0, 1), (1, 0)))
    return _truth(lowering, node, layout, 1, (below, -1), (above, -1))


def _both(lowering: Lowering, node: Node) -> tuple[Operand, Operand, Shape]:
    layout, grid = _layout(lowering, node), Grid(1.0, 0, TRUTH)
    x, y = (_operand(lowering, name, layout, grid) for name in node.inputs[:2])
    return x, y, layout


def and_(lowering: Lowering, node: Node) -> Quantised:
    """The product."""
    x, y, layout = _both(lowering, node)
    return Quantised(lowering.builder.apply("mul", x, y, label=node.name, x_zero=0, y_zero=0), np.ones(1), 0, layout)


def or_(lowering: Lowering, node: Node) -> Quantised:
    """The sum, at most 1."""
    x, y, layout = _both(lowering, node)
    return _truth(lowering, node, layout, 0, (x, 1), (y, 1))


def xor(lowering: Lowering, node: Node) -> Quantised:
    """X + y - 2 x y."""
    x, y, layout = _both(lowering, node)
    product = lowering.builder.apply("mul", x, y, label=f"{node.name} both", x_zero=0, y_zero=0)
    return _truth(lowering, node, layout, 0, (x, 1), (y, 1), (product, -2))


def not_(lowering: Lowering, node: Node) -> Quantised:
    """1 - x."""
    x = lowering.affine(node.inputs[0])
    return _truth(lowering, node, x.layout, 1, (x.ref, -1))


def where(lowering: Lowering, node: Node) -> Quantised:
    """The sum of c x and (1 - c) y, in integers of one grid: nothing is rounded twice."""
    condition, layout, grid = node.inputs[0], _layout(lowering, node), lowering.grid(node.output)
    chosen = _operand(lowering, condition, layout, Grid(1.0, 0, TRUTH))
    x, y = (_operand(lowering, name, layout, grid) for name in node.inputs[1:3])
    builder = lowering.builder
    taken, left = (builder.apply("mul", chosen, each, label=node.name, x_zero=0, y_zero=0) for each in (x, y))
    form = Requantise.clip(grid.interval)
    ref = builder.apply("add", taken, y, left, requantise=form, label=node.name, coefficients=((1,), (1,), (-1,)))
    return Quantised(ref, np.array([grid.scale]), grid.zero, layout)


LOWERINGS: dict[str, Lower] = {
    "Less": less,
    "Greater": less,
    "LessOrEqual": less_or_equal,
    "GreaterOrEqual": less_or_equal,
    "Equal": equal,
    "And": and_,
    "Or": or_,
    "Xor": xor,
    "Not": not_,
    "Where": where,
}
