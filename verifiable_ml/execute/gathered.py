# SPDX-License-Identifier: MIT OR Apache-2.0
"""Windows as rows of a matrix, channels last as programs have them: what a convolution multiplies by its weights."""

from __future__ import annotations

from math import prod

import numpy as np

from verifiable_ml.execute.graph import Graph, Value
from verifiable_ml.program.ops.windows import Windows
from verifiable_ml.program.tensor import Shape


def gathered(graph: Graph, x: Value, over: Windows, fill: int) -> Value:
    """Of x [N, *spatial, C] the matrix [N * windows, taps * C]; what lies in the padding is `fill`."""
    count, *spatial, channels = x.shape
    windows, taps = prod(over.extent(tuple(spatial))), prod(over.kernel)
    if taps == 1 and not any(over.pads) and set(over.strides) == {1}:
        return _matrix(graph, x, (count * windows, channels))
    pixels = prod(spatial)
    name = graph.laid(graph.reshaped(x, (count, pixels, channels)))
    if any(over.pads):
        name = graph.node("Concat", name, graph.constant(np.full((count, 1, channels), fill), x.dtype), axis=1)
    places = np.stack([*over.taps(np.arange(pixels).reshape(1, *spatial, 1), fill=pixels)], axis=-1)
    name = graph.node("Gather", name, graph.constant(places.reshape(-1), "int32"), axis=1)
    return _matrix(graph, graph.value(name, x.dtype, (count, windows * taps, channels)), (count * windows, taps * channels))


def _matrix(graph: Graph, x: Value, shape: Shape) -> Value:
    return graph.value(graph.laid(graph.reshaped(x, shape)), x.dtype, shape)
