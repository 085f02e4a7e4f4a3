# SPDX-License-Identifier: MIT OR Apache-2.0
"""rearrange: a Gather by constant indices, which costs no cell; a Reshape where nothing moves."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from verifiable_ml.program import Operator
from verifiable_ml.program.ops import rearrange
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """The joined operands, read at static places; the fill value is one more entry behind them."""
    graph, sizes = context.graph, [prod(context.shape(x)) for x in operator.operands]
    places, start = [], 0
    for operand, size in zip(operator.operands, sizes, strict=True):
        places.append(np.arange(start, start + size, dtype=np.int64).reshape(context.shape(operand)))
        start += size
    attributes: rearrange.Attributes = replace(operator.attributes, fill=start)
    read = rearrange.accumulate(attributes, tuple(places)).ravel()
    flat = [graph.reshape(context.tensor(x), (size,)) for x, size in zip(operator.operands, sizes, strict=True)]
    if (read == start).any():
        flat.append(graph.constant([operator.attributes.fill]))
    source = flat[0] if len(flat) == 1 else graph.op("Concat", *flat, axis=0)
    if not np.array_equal(read, np.arange(start)):
        source = graph.op("Gather", source, graph.integers(read), axis=0)
    return graph.reshape(source, operator.output.shape)
