# SPDX-License-Identifier: MIT OR Apache-2.0
"""isqrt: the floating root, then at most one up or down in exact arithmetic, so that its rounding does not matter."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """The r = floor(sqrt(x)) with r * r <= x < (r + 1)^2."""
    (x,) = operands
    high = step.operands[0].interval.high
    dtype = arithmetic((isqrt(high) + 2) ** 2)
    rooted = graph.cast(x, "float64" if dtype == "int64" else dtype)
    root = replace(rooted, name=graph.node("Floor", graph.node("Sqrt", rooted.name)))
    x, root = graph.cast(x, dtype), graph.cast(root, dtype)
    over = graph.node("Greater", graph.node("Mul", root.name, root.name), x.name)
    name = graph.node("Sub", root.name, graph.cast(replace(root, name=over, dtype="bool"), dtype).name)
    following = graph.node("Add", name, graph.constant(1, dtype))
    under = graph.node("LessOrEqual", graph.node("Mul", following, following), x.name)
    return replace(root, name=graph.node("Add", name, graph.cast(replace(root, name=under, dtype="bool"), dtype).name))
