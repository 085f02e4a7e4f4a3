# SPDX-License-Identifier: MIT OR Apache-2.0
"""Softmax: exponentials by a table, below the row's maximum; multiplied into what reads them first, divided last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verifiable_ml.program import Interval, Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import Sum
from verifiable_ml.quantize.value import FloatArray, Grid, Pending, Quantised

TOP = 32767
"""exp(0): 15 bits, so that a row's exponentials are an i16 and keep their mass over long rows."""
ENTRIES, STEP = 1024, 1 / 64
"""The table reaches exp(-16) in steps of about 1/64; what lies lower is 0."""
PROBABILITIES = Grid(1 / TOP, 0, Interval(0, TOP))


@dataclass(frozen=True, eq=False)
class WeightedSum:
    """A softmax that is not divided yet: exponentials [..., n] and their sums [..., 1]."""

    exponentials: TraceRef
    sums: TraceRef
    layout: Shape
    label: str

    def scaled(self, by: FloatArray) -> Pending | None:
        """Not here: divided first."""
        return None

    def shifted(self, by: FloatArray) -> Pending | None:
        """Not here."""
        return None

    def clipped(self, low: float, high: float) -> Pending:
        """Probabilities lie in [0, 1] already."""
        return self

    def settle(self, lowering: Lowering, name: str) -> Quantised:
        """Probabilities in steps of 1/32767."""
        ref = lowering.builder.apply("divide", self.exponentials, self.sums, label=self.label, scale=TOP)
        return Quantised(ref, np.array([1 / TOP]), 0, self.layout)

    def settle_raw(self, lowering: Lowering, name: str) -> Quantised:
        """The same."""
        return self.settle(lowering, name)


def softmax(lowering: Lowering, node: Node) -> Quantised | Pending:
    """exp(x - max x) / sum, along the last axis."""
    shape = lowering.shapes[node.inputs[0]]
    if int(node.get("axis", -1)) % len(shape) != len(shape) - 1:
        raise node.refuse("it runs along another axis than the last", "transpose before and after it")
    x = lowering.plain(node.inputs[0])
    builder, column = lowering.builder, (*shape[:-1], 1)
    greatest = builder.apply("max", x.ref, label=f"{node.name} max", axes=1)
    greatest = lowering.move(greatest, label=f"{node.name} max", view=shape[:-1], shape=column)
    step, nothing = float(x.scale[0]), np.zeros(1)
    below = Sum(((greatest, np.array([step])), (x.ref, np.array([-step]))), nothing, x.layout, f"{node.name} distance")
    grid = below.near(lowering, Grid(STEP, 0, Interval(0, ENTRIES - 1)))
    distance = below.settle_on(lowering, grid)
    entries = np.rint(np.exp(-np.arange(ENTRIES) * grid.scale) * TOP).astype(np.int64)
    exponentials = builder.apply("lookup", distance.ref, builder.constant(entries), label=f"{node.name} exp", base=0)
    # the row's own maximum contributes TOP: the bound below is reached by every row, and the divisor proved positive
    reach = Requantise.clip(Interval(TOP, TOP * shape[-1]))
    sums = builder.apply("sum", exponentials, requantise=reach, label=f"{node.name} sum", axes=1)
    sums = lowering.move(sums, label=f"{node.name} sum", view=shape[:-1], shape=column)
    return WeightedSum(exponentials, sums, x.layout, node.name)


def weighted_sum(lowering: Lowering, node: Node, weights: WeightedSum) -> Quantised:
    """softmax(x) V: the sum of exp * v, then one division an output."""
    rank = len(weights.layout)
    v = lowering.plain(node.inputs[1], (*range(rank - 2), rank - 1, rank - 2))
    total = lowering.builder.apply("matmul", weights.exponentials, v.ref, label=f"{node.name} sum", w_zero=v.zero)
    reach = lowering.builder.spec(v.ref).interval.shifted(-v.zero).magnitude
    finer = max(1, 32767 // max(reach, 1) // 2)
    ref = lowering.builder.apply("divide", total, weights.sums, label=node.name, scale=finer)
    return lowering.rescaled(Quantised(ref, v.scale / finer, 0, weights.layout), node.output)


LOWERINGS: dict[str, Lower] = {"Softmax": softmax}
