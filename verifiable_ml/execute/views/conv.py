# SPDX-License-Identifier: MIT OR Apache-2.0
"""conv: ConvInteger on bytes, channels first; small sums in float32; what is wider as planes of bytes."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.graph import Graph, Step, Value, arithmetic, centred, centred_bound
from verifiable_ml.execute.layout import channel_first
from verifiable_ml.execute.planes import MAX_TERMS, Plane, byte_product_fits, planes


def view(graph: Graph, step: Step, operands: tuple[Value, ...]) -> Value:
    """Operands x [N, *spatial, C] and w [O, *kernel, C/groups] as [N, C, *spatial] and [O, C/groups, *kernel]."""
    a = step.attributes
    zeros, terms = (a.x_zero, a.w_zero), prod(step.operands[1].shape[1:])
    order = channel_first(len(step.output.shape))
    attributes = {"strides": a.strides, "pads": a.pads, "dilations": a.dilations, "group": a.groups}
    widest = max(centred_bound(k.interval, zero) for k, zero in zip(step.operands, zeros, strict=True))
    if not byte_product_fits(step, zeros, terms) and arithmetic(max(step.bound, widest)) == "float32":
        pair = [centred(graph, value, zero, "float32") for value, zero in zip(operands, zeros, strict=True)]
        name = graph.node("Conv", *(graph.laid(value, order) for value in pair), **attributes)
        return graph.value(name, "float32", step.output.shape, order)
    _check(terms, step)
    cut = [planes(graph, v, k.interval, zero) for v, k, zero in zip(operands, step.operands, zeros, strict=True)]
    products = {(x.place + w.place, i): _product(graph, x, w, order, attributes) for i, (x, w) in enumerate(product(*cut))}
    if len(products) == 1:
        return graph.value(products[0, 0], "int32", step.output.shape, order)
    name, dtype = _joined(graph, products, terms)
    return graph.value(name, dtype, step.output.shape, order)


def _product(graph: Graph, x: Plane, w: Plane, order: tuple[int, ...], attributes: dict[str, Any]) -> str:
    names = [graph.laid(plane.value, order) for plane in (x, w)]
    return graph.node("ConvInteger", *names, *(graph.constant(plane.zero, "uint8") for plane in (x, w)), **attributes)


def _joined(graph: Graph, products: dict[tuple[int, int], str], terms: int) -> tuple[str, str]:
    """The sum of 2^(8 place) * product, in the type that holds every partial sum."""
    bound = sum(terms * 255 * 255 << (8 * place) for place, _ in products)
    if bound >= 1 << 62:
        raise UnsupportedModel(
            thing="a convolution", reason="its operands are wider than onnxruntime can multiply exactly", hint="narrow them"
        )
    dtype, total = arithmetic(bound), ""
    for (place, _), name in products.items():
        term = graph.cast(graph.value(name, "int32", ()), dtype).name
        term = graph.node("Mul", term, graph.constant(1 << (8 * place), dtype)) if place else term
        total = graph.node("Add", total, term) if total else term
    return total, dtype


def _check(terms: int, step: Step) -> None:
    if terms > MAX_TERMS:
        raise UnsupportedModel(
            thing=f"a convolution with a kernel of {terms:,} terms",
            reason=f"an int32 accumulator holds {MAX_TERMS:,} of them for sure",
            hint="split its input channels into two convolutions and add them",
        )
    if len(step.output.shape) > 5:
        raise UnsupportedModel(
            thing=f"a convolution over {len(step.output.shape) - 2} axes", reason="onnxruntime has at most 3", hint="merge axes"
        )
