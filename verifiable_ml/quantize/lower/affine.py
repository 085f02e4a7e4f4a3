# SPDX-License-Identifier: MIT OR Apache-2.0
"""Add, Sub, Mul, Neg, Relu, Clip: constants fold into a scale or a requantisation, tensors become add or mul."""

from __future__ import annotations

from math import inf

import numpy as np

from verifiable_ml.program import Operand, Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Product, Sum
from verifiable_ml.quantize.value import NOTHING, FloatArray, Pending, Quantised

MASK = 1e6
"""A constant beyond it is a mask: what it is added to lies at the end of the range."""


def add(lowering: Lowering, node: Node, sign: float = 1.0) -> Quantised | Pending:
    """A + b, or a - b."""
    a, b = (lowering.constant(name) for name in node.inputs)
    if a is not None and b is not None:
        raise node.refuse("both operands are constants", "run the constant folding pass")
    for constant, name, of_constant, of_value in ((b, node.inputs[0], sign, 1.0), (a, node.inputs[1], 1.0, sign)):
        if constant is not None:
            value = _times(lowering, name, np.array([of_value]))
            entries = _entries(lowering, node, name, constant, value.layout)
            if entries is not None:
                return _plus(lowering, node, name, value, entries * of_constant)
    return _sum(lowering, node, sign)


def subtract(lowering: Lowering, node: Node) -> Quantised | Pending:
    """A - b."""
    return add(lowering, node, sign=-1.0)


def by_entry(constant: FloatArray, layout: Shape, shape: Shape) -> FloatArray | None:
    """A constant as [1] or one an entry of the stored last axis; None if it varies along others, or widens the tensor."""
    if constant.size == 1:
        return constant.reshape(1) if len(layout) == len(shape) else None
    last, rank = layout[-1], len(shape)
    extents = (*[1] * (rank - constant.ndim), *constant.shape)
    if len(layout) != rank or len(extents) != rank or constant.size != extents[last] or extents[last] != shape[last]:
        return None
    return constant.reshape(-1)


def _entries(lowering: Lowering, node: Node, name: str, constant: FloatArray, layout: Shape) -> FloatArray | None:
    """`by_entry` of a constant that does not widen the tensor of that name."""
    made = lowering.shapes[node.output]
    return by_entry(constant, layout, made) if lowering.shapes[name] == made else None


def _times(lowering: Lowering, name: str, by: FloatArray) -> Quantised | Pending:
    value = lowering.open(name)
    return (value.scaled(by) if (by != 1).any() else value) or lowering.affine(name).scaled(by)


def _plus(lowering: Lowering, node: Node, name: str, value: Quantised | Pending, by: FloatArray) -> Quantised | Pending:
    return value.shifted(by) or lowering.affine(name).shifted(by)


def _sum(lowering: Lowering, node: Node, sign: float) -> Sum:
    """Of tensors, or of a tensor and a constant that varies along several axes."""
    layout = next(lowering.affine(name).layout for name in node.inputs if name not in lowering.constants)
    rank = len(lowering.shapes[node.output])
    layout = layout if len(layout) == rank else tuple(range(rank))
    terms: list[tuple[Operand, FloatArray]] = []
    zeros: list[int] = []
    for name, factor in zip(node.inputs, (1.0, sign), strict=True):
        constant = lowering.constant(name)
        if constant is not None:
            held, whole = _within_reach(lowering, node, constant), lowering.is_whole(node.output)
            terms.append(constant_term(lowering, held, layout, factor, whole=whole))
            zeros.append(0)
            continue
        if len(lowering.shapes[name]) != rank:
            raise node.refuse("its operands have different ranks", "reshape both to the same number of axes")
        value = lowering.plain(name, layout)
        terms.append((value.ref, value.scale * factor))
        zeros.append(value.zero)
    return Sum(tuple(terms), NOTHING, layout, node.name, zeros=tuple(zeros))


def _within_reach(lowering: Lowering, node: Node, constant: FloatArray) -> FloatArray:
    """A mask is cut to what brings every value beyond the end of the output's range: its other entries keep their bits."""
    if np.abs(constant).max() <= MASK:
        return constant
    grid = lowering.grid(node.output)
    others = max(lowering.magnitude_of(name) for name in node.inputs if name not in lowering.constants)
    reach = 2 * grid.interval.magnitude * grid.scale + others
    return np.clip(constant, -reach, reach)


def constant_term(
    lowering: Lowering, constant: FloatArray, layout: Shape, factor: float, *, whole: bool = False
) -> tuple[Operand, FloatArray]:
    """A constant in 2^15 steps or more (whole numbers: as it is), stored in a layout, and the real value of a step times the
    factor.
    """
    extents = constant.reshape(*[1] * (len(layout) - constant.ndim), *constant.shape)
    steps = (1 << (lowering.widths.bits - 1)) - 1
    scale = 1.0 if whole else max(float(np.abs(constant).max()), 1e-30) / steps
    ref = lowering.builder.constant(np.rint(extents.transpose(layout) / scale).astype(np.int64))
    return ref, np.array([scale * factor])


def multiply(lowering: Lowering, node: Node) -> Quantised | Pending:
    """A * b."""
    a, b = (lowering.constant(name) for name in node.inputs)
    if a is None and b is None:
        return _product(lowering, node)
    constant, name = (b, node.inputs[0]) if b is not None else (a, node.inputs[1])
    assert constant is not None
    return scaled(lowering, node, name, constant)


def scaled(lowering: Lowering, node: Node, name: str, constant: FloatArray) -> Quantised | Pending:
    """The tensor of that name times a constant: folded into a scale if it varies along the channels at most."""
    value = lowering.open(name)
    entries = _entries(lowering, node, name, constant, value.layout)
    if entries is None:
        return _by_constant(lowering, node, name, constant)
    return value.scaled(entries) or lowering.affine(name).scaled(entries)


def _by_constant(lowering: Lowering, node: Node, name: str, constant: FloatArray) -> Product:
    """Times a constant that varies along several axes, or widens the tensor."""
    rank = len(lowering.shapes[node.output])
    layout = lowering.affine(name).layout if len(lowering.shapes[name]) == rank else tuple(range(rank))
    x = lowering.plain(name, layout)
    factors, step = constant_term(lowering, constant, layout, 1.0, whole=lowering.is_whole(node.output))

    def emit(form: Requantise) -> TraceRef:
        return lowering.builder.apply("mul", x.ref, factors, requantise=form, label=node.name, x_zero=x.zero, y_zero=0)

    return Product(float(x.scale[0] * step[0]), emit, layout)


def _product(lowering: Lowering, node: Node) -> Product:
    layout = lowering.affine(node.inputs[0]).layout
    x, y = (lowering.plain(name, layout if len(lowering.shapes[name]) == len(layout) else None) for name in node.inputs)
    if len(x.layout) != len(y.layout):
        raise node.refuse("its operands have different ranks", "reshape both to the same number of axes")

    def emit(form: Requantise) -> TraceRef:
        return lowering.builder.apply("mul", x.ref, y.ref, requantise=form, label=node.name, x_zero=x.zero, y_zero=y.zero)

    return Product(float(x.scale[0] * y.scale[0]), emit, layout)


def negate(lowering: Lowering, node: Node) -> Quantised | Pending:
    """-x."""
    return _times(lowering, node.inputs[0], np.array([-1.0]))


def relu(lowering: Lowering, node: Node) -> Quantised | Pending:
    """max(x, 0)."""
    return _clipped(lowering, node, 0.0, inf)


def clip(lowering: Lowering, node: Node) -> Quantised | Pending:
    """min(max(x, low), high), both constants."""
    ends = []
    for place, default in ((1, -inf), (2, inf)):
        name = node.inputs[place] if len(node.inputs) > place else ""
        constant = lowering.constant(name) if name else np.array([default])
        if constant is None:
            raise node.refuse("a bound is no constant", "fold what makes it into a constant")
        ends.append(float(constant.reshape(-1)[0]))
    if ends[0] > 0 or ends[1] < 0:
        raise node.refuse(f"its bounds [{ends[0]}, {ends[1]}] leave out 0", "shift the tensor before and after it")
    return _clipped(lowering, node, ends[0], ends[1])


def _clipped(lowering: Lowering, node: Node, low: float, high: float) -> Pending:
    value = lowering.open(node.inputs[0])
    if isinstance(value, Quantised):
        value = Sum(((value.ref, value.scale),), value.extra, value.layout, node.name, zeros=(value.zero,))
    return value.clipped(low, high)


LOWERINGS: dict[str, Lower] = {
    "Add": add,
    "Sub": subtract,
    "Mul": multiply,
    "Neg": negate,
    "Relu": relu,
    "Clip": clip,
}
