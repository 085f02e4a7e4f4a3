# SPDX-License-Identifier: MIT OR Apache-2.0
"""max: pairwise by 2 max(a, b) = a + b + |a - b|, exact with nothing divided until the next shift; or by steps.

On open sums (conv before it) what is doubled goes into the shift: floor(2^r max / 2^(s + r)) = floor(max / 2^s).
"""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.program import Interval, Operator
from verifiable_ml.proving.ezkl.requantise import finish
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """The greatest over innermost axes or windows."""
    source = operator.operands[0].index
    taps = _taps(context, operator, context.open_sums.get(source))
    if source in context.open_sums:
        return _requantised(context, operator, taps)
    interval = context.interval(operator.operands[0])
    difference = Interval(interval.low - interval.high, interval.high - interval.low)
    while len(taps) > 1:
        pairs = [_greater(context, a, b, difference) for a, b in zip(taps[::2], taps[1::2], strict=False)]
        taps = pairs + taps[len(pairs) * 2 :]
    return context.graph.reshape(taps[0], operator.output.shape)


def _greater(context: Context, a: str, b: str, difference: Interval) -> str:
    """The greater of two, as b + (a - b) * step(a - b)."""
    graph = context.graph
    d = graph.op("Sub", a, b)
    return graph.op("Add", b, graph.op("Mul", d, graph.step(d, difference)))


def _taps(context: Context, operator: Operator, open_sum: str | None) -> list[str]:
    """What each window reads at each place of the kernel, one flat tensor a place."""
    x, a, graph = operator.operands[0], operator.attributes, context.graph
    shape = context.shape(x)
    places = np.arange(prod(shape), dtype=np.int64).reshape(shape)
    if a.axes:
        read = list(places.reshape(-1, prod(shape[-a.axes :])).T)
    else:
        read = [tap.ravel() for tap in a.windows.taps(places, fill=-1)]
        own = np.max(read, axis=0)  # a tap in the padding repeats one that is not: it is no candidate of its own
        read = [np.where(tap < 0, own, tap) for tap in read]
    source = graph.reshape(open_sum or context.tensor(x), (prod(shape),))
    return [graph.op("Gather", source, graph.integers(tap), axis=0) for tap in read]


def _requantised(context: Context, operator: Operator, taps: list[str]) -> str:
    """The maximum of open sums, doubled once a round, then what is left of the conv's requantisation."""
    graph, program, source = context.graph, context.program, operator.operands[0].index
    before = program.operators[source - len(program.inputs)]
    form, doublings = before.requantise, int(source in context.doubled)
    assert form is not None
    widest = 2 * program.accumulator(before).magnitude * int(abs(form.multiplier).max())
    while len(taps) > 1:
        if len(taps) % 2:
            taps = [*taps, taps[-1]]
        taps = [
            graph.op("Add", graph.op("Add", a, b), graph.absolute(graph.op("Sub", a, b), widest << doublings))
            for a, b in zip(taps[::2], taps[1::2], strict=True)
        ]
        doublings += 1
    channels = operator.output.shape[-1]
    greatest = graph.reshape(taps[0], (prod(operator.output.shape) // channels, channels))
    rest = -np.broadcast_to(form.offset, channels) * (1 << doublings) - 1
    negated = graph.plus(graph.op("Neg", greatest), rest)
    return graph.reshape(finish(graph, program, before, negated, doublings), operator.output.shape)
