# SPDX-License-Identifier: MIT OR Apache-2.0
"""lookup: Gather; a position by mantissa is found by halving, in unsigned shifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from verifiable_ml.execute.graph import Graph, Step, Value, centred, index


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """The table in the output's type: entries beyond the reached interval are never read."""
    (x, _), a, entries = operands, step.attributes, step.operands[1].values
    assert entries is not None
    position = _by_mantissa(graph, x, a.mantissa, step.operands[0].interval.high) if a.mantissa else _linear(graph, step, x)
    dtype = step.output.dtype.numpy.name
    table = graph.constant(np.clip(entries, step.output.interval.low, step.output.interval.high), dtype)
    return replace(x, name=graph.node("Gather", table, index(graph, position)), dtype=dtype)


def _linear(graph: Graph, step: Step, x: Value) -> Value:
    base, interval = step.attributes.base, step.operands[0].interval
    narrow = max(interval.magnitude, abs(base)) < 1 << 30
    return centred(graph, x, base, "int32" if narrow else "int64") if base else x


def _by_mantissa(graph: Graph, x: Value, bits: int, high: int) -> Value:
    """Where x >> (bits + 1) is 0, x itself; above, each further bit shifts once more and adds 2^bits positions."""
    if high < 1 << (bits + 1):
        return x  # below 2^(bits + 1) the position is x
    x = graph.cast(graph.cast(x, "int64"), "uint64")
    shift = ""
    rest = graph.node("BitShift", x.name, graph.constant(bits + 1, "uint64"), direction="RIGHT")
    for step in (32, 16, 8, 4, 2, 1):  # shift: how many bits `rest` has
        if high >> (bits + step) == 0:
            continue
        tried = graph.node("BitShift", rest, graph.constant(step - 1, "uint64"), direction="RIGHT")
        found = graph.cast(graph.cast(replace(x, name=tried), "bool"), "uint64").name  # 1 where a bit is left
        found = graph.node("Mul", found, graph.constant(step, "uint64"))
        rest = graph.node("BitShift", rest, found, direction="RIGHT")
        shift = graph.node("Add", shift, found) if shift else found
    leading = graph.node("BitShift", x.name, shift, direction="RIGHT")
    skipped = graph.node("Mul", shift, graph.constant(1 << bits, "uint64"))
    return replace(x, name=graph.node("Add", leading, skipped))
