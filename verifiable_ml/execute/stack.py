# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many inputs as one: a program whose tensors hold `count` runs one after the other, so that one walk computes them all.

Nothing is proved anew: every operator treats its runs apart, so that intervals are what they were. It has an id that
nobody has committed to; a trace is cut out of it, run by run, and belongs to the program that was stacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import OPERATORS, ConstantRef, Interval, Operand, Operator, Program, TraceRef
from verifiable_ml.program.ops import add, rearrange
from verifiable_ml.program.tensor import Shape, TensorSpec


@dataclass(frozen=True, eq=False)
class Stacked:
    """`places[i]` is the index in `program` of tensor i of the trace, its runs outermost."""

    program: Program
    places: tuple[int, ...]


def stacked(program: Program, count: int) -> Stacked:
    """The program on `count` inputs at once. Every input has a leading axis of that length in front of its own."""
    stack = _Stack(program, count)
    for operator in program.operators:
        shared = all(isinstance(operand, ConstantRef) for operand in operator.operands)
        rule = _shared if shared else RULES.get(operator.kind, _along)
        stack.places.append(rule(stack, operator))
    outputs = tuple(replace(output, index=stack.places[output.index].index) for output in program.outputs)
    made = Program(stack.inputs, tuple(stack.constants), tuple(stack.operators), outputs, program.salt)
    return Stacked(made, tuple(place.index for place in stack.places))


class _Stack:
    """The stacked program under construction."""

    def __init__(self, program: Program, count: int) -> None:
        self.source, self.count = program, count
        self.inputs = tuple(replace(given, spec=given.spec.stacked(count)) for given in program.inputs)
        self.constants, self.operators = list(program.constants), list[Operator]()
        self.places = [TraceRef(index) for index in range(len(program.inputs))]

    def shape(self, operand: Operand) -> Shape:
        """Of one run."""
        return self.source.known(operand).shape

    def spec(self, ref: TraceRef) -> TensorSpec:
        """In the stack."""
        count = len(self.inputs)
        return self.inputs[ref.index].spec if ref.index < count else self.operators[ref.index - count].output

    def constant(self, values: IntArray) -> ConstantRef:
        """A constant more."""
        self.constants.append(values)
        return ConstantRef(len(self.constants) - 1)

    def seen(self, operand: Operand, shape: Shape) -> TraceRef | ConstantRef:
        """All runs, the whole seen as `shape`; a constant is repeated."""
        if isinstance(operand, ConstantRef):
            values = self.constants[operand.index]
            return self.constant(np.ascontiguousarray(np.broadcast_to(values, (self.count, *values.shape))).reshape(shape))
        ref = self.places[operand.index]
        spec = self.spec(ref)
        return ref if spec.shape == shape else self.moved(ref, (spec.size,), (0,), shape)

    def moved(self, ref: TraceRef, view: Shape, permutation: Shape, shape: Shape) -> TraceRef:
        """Seen as `view`, its axes permuted, seen as `shape`."""
        maps = tuple(rearrange.identity(view[axis]) for axis in permutation)
        attributes = rearrange.Attributes(shape, view, permutation, maps)
        return self.push(Operator("rearrange", (ref,), attributes, None, TensorSpec(shape, self.spec(ref).interval)))

    def push(self, operator: Operator) -> TraceRef:
        """An operator more."""
        self.operators.append(operator)
        return TraceRef(len(self.inputs) + len(self.operators) - 1)

    def step(self, operator: Operator, *operands: Operand, attributes: Any = None) -> TraceRef:
        """The operator over the whole stack; with its own attributes unless there are others."""
        attributes = operator.attributes if attributes is None else attributes
        shapes = tuple(self.constants[o.index].shape if isinstance(o, ConstantRef) else self.spec(o).shape for o in operands)
        shape = OPERATORS[operator.kind].output_shape(attributes, shapes)
        return self.push(
            replace(operator, attributes=attributes, operands=operands, output=TensorSpec(shape, operator.output.interval))
        )


def _shared(stack: _Stack, operator: Operator) -> TraceRef:
    """Of constants alone: once, then repeated by adding zeros."""
    once, spec = stack.push(operator), operator.output
    zeros = stack.constant(np.zeros((stack.count, *[1] * len(spec.shape)), np.uint8))
    return stack.push(Operator("add", (once, zeros), add.Attributes(((1,), (1,))), None, spec.stacked(stack.count)))


def _along(stack: _Stack, operator: Operator) -> TraceRef:
    """Operators that look at the innermost axes of their first operand; a second is a constant that all runs share."""
    first, *rest = operator.operands
    return stack.step(operator, stack.seen(first, (stack.count, *stack.shape(first))), *rest)


def _folded(stack: _Stack, operator: Operator) -> TraceRef:
    """Windows go over the axes between the first and the last: the first takes the runs."""
    first, *rest = operator.operands
    if operator.kind == "max" and operator.attributes.axes:
        return _along(stack, operator)
    head, *tail = stack.shape(first)
    return stack.step(operator, stack.seen(first, (stack.count * head, *tail)), *rest)


def _broadcast(stack: _Stack, operator: Operator) -> TraceRef:
    """Axes of one entry between the runs and an operand of lower rank; constants broadcast by themselves."""
    rank, operands = len(operator.output.shape), list[Operand]()
    for operand in operator.operands:
        shape = stack.shape(operand)
        padded = (stack.count, *[1] * (rank - len(shape)), *shape)
        operands.append(operand if isinstance(operand, ConstantRef) else stack.seen(operand, padded))
    return stack.step(operator, *operands)


def _matmul(stack: _Stack, operator: Operator) -> TraceRef:
    """Weights [N, K] serve all runs; of weights one a batch each serves the rows of all runs; computed ones are one a run."""
    x, w = operator.operands
    inner, weights = stack.shape(x), stack.shape(w)
    if isinstance(w, ConstantRef) and len(weights) == 2:
        return stack.step(operator, stack.seen(x, (stack.count, *inner)), w)
    if not isinstance(w, ConstantRef):
        rows = inner if len(weights) > 2 else (prod(inner[:-1]), inner[-1])
        return stack.step(operator, stack.seen(x, (stack.count, *rows)), stack.seen(w, (stack.count, *weights)))
    batches, m, terms = prod(weights[:-2]), inner[-2], inner[-1]
    flat = stack.constant(stack.constants[w.index].reshape(batches, *weights[-2:]))
    assert isinstance(x, TraceRef)
    together = stack.moved(
        stack.places[x.index], (stack.count, batches, m, terms), (1, 0, 2, 3), (batches, stack.count * m, terms)
    )
    made = stack.step(operator, together, flat)
    return stack.moved(made, (batches, stack.count, m, weights[-2]), (1, 0, 2, 3), (stack.count, *operator.output.shape))


def _gather(stack: _Stack, operator: Operator) -> TraceRef:
    """Of a table that all runs share, as it is; of a computed one, from all tables as one, each run's index moved to its own."""
    data, indices = operator.operands
    of, rows = stack.shape(indices), stack.shape(data)
    picked = stack.seen(indices, (stack.count, *of))
    if isinstance(data, ConstantRef):
        return stack.step(operator, data, picked)
    first = (np.arange(stack.count, dtype=np.int64) * rows[0]).reshape(stack.count, *[1] * len(of))
    within = stack.source.known(indices).interval
    spec = TensorSpec((stack.count, *of), Interval(within.low, within.high + int(first.max())))
    moved = Operator("add", (picked, stack.constant(first)), add.Attributes(((1,), (1,))), None, spec)
    return stack.step(operator, stack.seen(data, (stack.count * rows[0], *rows[1:])), stack.push(moved))


def _rearrange(stack: _Stack, operator: Operator) -> TraceRef:
    """One more axis in front, which stays where it is."""
    a, count = operator.attributes, stack.count
    joins = len(operator.operands) > 1
    attributes = rearrange.Attributes(
        (count, *a.shape),
        (count, *a.view),
        (0, *(axis + 1 for axis in a.permutation)),
        (rearrange.identity(count), *a.maps),
        a.axis + 1 if joins else 0,
        a.fill,
    )
    operands = (stack.seen(operand, (count, *stack.shape(operand))) for operand in operator.operands)
    return stack.step(operator, *operands, attributes=attributes)


Rule = Callable[[_Stack, Operator], TraceRef]
RULES: dict[str, Rule] = {
    "conv": _folded,
    "max": _folded,
    "matmul": _matmul,
    "add": _broadcast,
    "mul": _broadcast,
    "divide": _broadcast,
    "compare": _broadcast,
    "gather": _gather,
    "rearrange": _rearrange,
}
"""How an operator's operands are stacked, where it is not along their leading axis."""
