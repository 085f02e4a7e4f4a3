# SPDX-License-Identifier: MIT OR Apache-2.0
"""Requantisation inside the circuit, exact for every choice that a prover has.

ezkl constrains a division by a constant n only by |u - d*n| < n: a prover may choose d = floor(u/n) or d = ceil(u/n). Both
give the same result here. With u = -t - 1, so that floor(t/n) = -floor(u/n) - 1: if d is the floor, u - d*n lies in [0, n)
and its step is 1, so the result is -d - 1; if d is the ceiling of no multiple, u - d*n lies in (-n, 0), its step is 0, and
the result is -d. Both are floor(t/n). `tests/attacks` tries either choice over every residue.
"""

from __future__ import annotations

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.program import Interval, Operator, Program
from verifiable_ml.proving.ezkl.graph import Graph


def unclipped(program: Program, operator: Operator) -> Interval:
    """What the requantisation can reach before it saturates."""
    form, reached = operator.requantise, program.accumulator(operator)
    if form is None:
        return reached.interval
    count = max(len(reached.lows), form.channels)
    multiplier = np.broadcast_to(form.multiplier, count).tolist()
    offset = np.broadcast_to(form.offset, count).tolist()
    ends = [
        (acc * m + o) >> form.shift
        for values in (reached.lows, reached.highs)
        for acc, m, o in zip(values * (count // len(values)), multiplier, offset, strict=True)
    ]
    return Interval(min(ends), max(ends))


def floor_shift(graph: Graph, u: str, shift: int, reached: Interval) -> str:
    """floor(t / 2^shift), within `reached`, from u = -t - 1, whichever way the division was rounded."""
    n = 1 << shift
    divided = graph.divided(u, n, reached.magnitude + 1)
    q = graph.op("Neg", divided)  # the Neg makes ezkl rebase the quotient to scale 0, which is where the choice is made
    remainder = graph.op("Add", u, graph.times(q, [n]))
    return graph.op("Sub", q, graph.step(remainder, Interval(-n, n)))


def saturate(graph: Graph, y: str, reached: Interval, to: Interval) -> str:
    """clip(y, to.low, to.high) by steps; no cell for an end that is not reached."""
    if reached.low < to.low:
        z = graph.plus(y, [-to.low])
        z = graph.op("Mul", z, graph.step(z, reached.shifted(-to.low)))
        y = graph.plus(z, [to.low])
    if reached.high > to.high:
        v = graph.plus(y, [-to.high])
        over = Interval(max(reached.low, to.low), reached.high).shifted(-to.high)
        y = graph.op("Sub", y, graph.op("Mul", v, graph.step(v, over)))
    return y


def finish(graph: Graph, program: Program, operator: Operator, negated: str, doublings: int = 0) -> str:
    """From u = -t - 1, where t is acc * multiplier + offset, so many times doubled, to the stored value."""
    form = operator.requantise
    assert form is not None
    reached = unclipped(program, operator)
    y = floor_shift(graph, negated, form.shift + doublings, reached)
    return saturate(graph, y, reached, Interval(form.low, form.high))


def requantise(graph: Graph, program: Program, operator: Operator, accumulator: str) -> str:
    """The whole of it, from a plain accumulator."""
    form = operator.requantise
    if form is None:
        return accumulator
    if form.shift == 0:
        y = graph.plus(graph.times(accumulator, form.multiplier), form.offset)
        return saturate(graph, y, unclipped(program, operator), Interval(form.low, form.high))
    negated = graph.plus(graph.times(accumulator, -form.multiplier), -form.offset - 1)
    return finish(graph, program, operator, negated)


def folded(operator: Operator, weights: IntArray) -> tuple[IntArray, IntArray] | None:
    """(weights * -multiplier, -offset - 1) a channel, so that the products come out as u; None where it does not apply.

    Rows of `weights` are channels. Only below 2^24, which float32 holds exactly.
    """
    form = operator.requantise
    if form is None or form.shift == 0:
        return None
    scaled = weights * -np.broadcast_to(form.multiplier, len(weights)).reshape(-1, *[1] * (weights.ndim - 1))
    return (scaled, -form.offset - 1) if np.abs(scaled).max() < 1 << 24 else None
