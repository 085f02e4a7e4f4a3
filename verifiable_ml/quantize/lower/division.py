# SPDX-License-Identifier: MIT OR Apache-2.0
"""Div of tensors: an integer division by the magnitude of the divisor, whose sign the numerator takes over."""

from __future__ import annotations

import numpy as np

from verifiable_ml.program import Interval, Operand, Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lower.affine import constant_term, scaled
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.value import Pending, Quantised

MOST = 1 << 46
"""No accumulator reaches 2^47."""


def divide(lowering: Lowering, node: Node) -> Quantised | Pending:
    """A / b; by a constant b a product."""
    constant, rank = lowering.constant(node.inputs[1]), len(lowering.shapes[node.output])
    if constant is not None:
        if not constant.all() or node.inputs[0] in lowering.constants:
            raise node.refuse("it divides by zero, or constants only", "remove the zero from its constant, or fold it")
        return scaled(lowering, node, node.inputs[0], 1 / constant)
    full = [n for n in node.inputs if n not in lowering.constants and len(lowering.shapes[n]) == rank]
    if not full:
        raise node.refuse("none of its operands has the rank of its result", "reshape them to one number of axes")
    layout = lowering.affine(full[0]).layout
    numerator, step = _numerator(lowering, node, layout)
    divisor = lowering.laid_out(lowering.fine(node.inputs[1]), layout, node.inputs[1])
    if lowering.calibration.ranges[node.inputs[1]].low < 0:
        return _signed(lowering, node, numerator, step, divisor)
    return _quotient(lowering, node, numerator, step, _centred(lowering, divisor, node), divisor)


def _numerator(lowering: Lowering, node: Node, layout: Shape) -> tuple[Operand, float]:
    constant = lowering.constant(node.inputs[0])
    if constant is None:
        value = lowering.plain(node.inputs[0], layout)
        return _centred(lowering, value, node), float(value.scale[0])
    ref, steps = constant_term(lowering, constant, layout, 1.0)
    return ref, float(steps[0])


def _centred(lowering: Lowering, value: Quantised, node: Node) -> TraceRef:
    """Integers whose zero is 0."""
    if not value.zero:
        return value.ref
    interval = lowering.builder.spec(value.ref).interval.shifted(-value.zero)
    form = Requantise.bias(np.array([-value.zero]), interval)
    return lowering.builder.apply("add", value.ref, requantise=form, label=f"{node.name} centred", coefficients=((1,),))


def _signed(lowering: Lowering, node: Node, a: Operand, step: float, divisor: Quantised) -> Quantised:
    """Both operands times the divisor's sign."""
    builder, b = lowering.builder, _centred(lowering, divisor, node)
    zero = builder.constant(np.zeros((1,) * len(divisor.layout), np.int64))
    below = builder.apply("compare", b, zero, label=f"{node.name} sign")
    form = Requantise(np.ones(1, np.int64), np.array([1]), 0, -1, 1)
    sign = builder.apply("add", below, requantise=form, label=f"{node.name} sign", coefficients=((-2,),))
    a, b = (builder.apply("mul", each, sign, label=f"{node.name} sign", x_zero=0, y_zero=0) for each in (a, b))
    return _quotient(lowering, node, a, step, b, divisor)


def _quotient(lowering: Lowering, node: Node, a: Operand, step: float, b: Operand, divisor: Quantised) -> Quantised:
    """As fine as the output's grid, or as bounds allow."""
    builder, grid, width = lowering.builder, lowering.grid(node.output), float(divisor.scale[0])
    form = Requantise.clip(Interval(1, max(builder.spec(b).interval.high, 1)))
    positive = builder.apply("add", b, requantise=form, label=f"{node.name} divisor", coefficients=((1,),))
    most = max(MOST // max(builder.spec(a).interval.magnitude, 1), 1)
    scale = int(min(max(np.ceil(step / (width * grid.scale)), 1), most))
    quotient = builder.apply("divide", a, positive, label=node.name, scale=scale)
    unit = step / (width * scale)
    reach = int(min(grid.interval.magnitude * grid.scale / unit + 1, MOST))
    form = Requantise.clip(Interval(-reach, reach))
    held = builder.apply("add", quotient, requantise=form, label=node.name, coefficients=((1,),))
    return lowering.rescaled(Quantised(held, np.array([unit]), 0, divisor.layout), node.output)


LOWERINGS: dict[str, Lower] = {"Div": divide}
