# SPDX-License-Identifier: MIT OR Apache-2.0
"""matmul: MatMulInteger on bytes; what is wider in floating arithmetic, which the bound of 2^47 keeps exact."""

from __future__ import annotations

from math import prod

from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic, centred, centred_bound
from verifiable_ml.execute.planes import byte_product_fits


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [..., m, K] and w [..., N, K]: one product if w is [N, K], one a batch otherwise."""
    x, w = operands
    shape, terms = step.output.shape, x.shape[-1]
    if len(w.shape) == 2:
        x = graph.reshaped(x, (prod(x.shape[:-1]), terms))
    swapped = (*range(len(w.shape) - 2), len(w.shape) - 1, len(w.shape) - 2)
    zeros = (step.attributes.x_zero, step.attributes.w_zero)
    if byte_product_fits(step, zeros, terms):
        names = [graph.laid(graph.cast(x, "uint8")), graph.laid(graph.cast(w, "uint8"), swapped)]
        product = graph.node("MatMulInteger", *names, *(graph.constant(zero, "uint8") for zero in zeros))
        dtype = "int32"
    else:
        widest = max(centred_bound(k.interval, zero) for k, zero in zip(step.operands, zeros, strict=True))
        dtype = arithmetic(max(step.bound, widest))
        x, w = (centred(graph, value, zero, dtype) for value, zero in zip((x, w), zeros, strict=True))
        product = graph.node("MatMul", graph.laid(x), graph.laid(w, swapped))
    return graph.reshaped(graph.value(product, dtype, (*x.shape[:-1], w.shape[-2])), shape)
