# SPDX-License-Identifier: MIT OR Apache-2.0
"""MatMul and Conv: with constant weights a Linear, between two tensors a Product."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifiable_ml.program import ConstantRef, Operand, Requantise, TraceRef
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.lower.softmax import WeightedSum, weighted_sum
from verifiable_ml.quantize.lowering import Lower, Lowering, Node
from verifiable_ml.quantize.pending import STEPS, Linear, Product
from verifiable_ml.quantize.value import Pending, Quantised


def matmul(lowering: Lowering, node: Node) -> Quantised | Pending:
    """X [..., K] times w [K, N]."""
    x_name, w_name = node.inputs[:2]
    weights = lowering.constant(w_name)
    if weights is None:
        left = lowering.open(x_name) if x_name not in lowering.constants else None
        return weighted_sum(lowering, node, left) if isinstance(left, WeightedSum) else _between_tensors(lowering, node)
    if weights.ndim != 2 or lowering.is_whole(node.output):
        return _between_tensors(lowering, node)
    x, weights = _stored_last(lowering, x_name), weights.T
    bias = (weights * x.extra).sum(axis=1)  # not by BLAS, whose order of sums differs between processors

    def emit(ref: ConstantRef, w_zero: int, form: Requantise) -> TraceRef:
        return lowering.builder.apply("matmul", x.ref, ref, requantise=form, label=node.name, x_zero=x.zero, w_zero=w_zero)

    return Linear(weights * x.scale, bias, emit, x.layout, lowering.magnitude(x))


def _stored_last(lowering: Lowering, name: str) -> Quantised:
    """A layout whose last stored axis is the last one: what a sum over it needs; scales by entry are welcome."""
    value = lowering.narrow(name, lowering.affine(name))
    last = len(value.layout) - 1
    return value if value.layout[-1] == last else lowering.laid_out(value, tuple(range(last + 1)), name)


def _between_tensors(lowering: Lowering, node: Node) -> Product:
    """Both of one rank and one batch; one of them may be constant, on one scale."""
    rank = len(lowering.shapes[node.inputs[1]])
    if rank < 2 or len(lowering.shapes[node.inputs[0]]) != rank:
        raise node.refuse("its operands have different ranks", "reshape both to the same number of axes")
    x, x_scale, x_zero = _operand(lowering, node, 0, tuple(range(rank)))
    w, w_scale, w_zero = _operand(lowering, node, 1, (*range(rank - 2), rank - 1, rank - 2))

    def emit(form: Requantise) -> TraceRef:
        return lowering.builder.apply("matmul", x, w, requantise=form, label=node.name, x_zero=x_zero, w_zero=w_zero)

    return Product(x_scale * w_scale, emit, tuple(range(rank)))


def _operand(lowering: Lowering, node: Node, place: int, layout: Shape) -> tuple[Operand, float, int]:
    name = node.inputs[place]
    constant = lowering.constant(name)
    if constant is None:
        value = lowering.narrow(name, lowering.plain(name, layout))
        return value.ref, float(value.scale[0]), value.zero
    if lowering.constants[name].dtype.kind in "biu":
        return lowering.builder.constant(constant.transpose(layout).astype(np.int64)), 1.0, 0
    steps, zero = STEPS[lowering.weight_bits(node.output)]
    scale = max(float(np.abs(constant).max()), 1e-30) / steps
    return lowering.builder.constant(np.rint(constant.transpose(layout) / scale).astype(np.int64) + zero), scale, zero


def conv(lowering: Lowering, node: Node) -> Linear:
    """X [N, C, *spatial], w [O, C/groups, *kernel]; stored with channels last."""
    weights = lowering.constant(node.inputs[1])
    if weights is None:
        raise node.refuse("its weights are no constant", "fold what makes them into a constant")
    if node.get("auto_pad", b"NOTSET") != b"NOTSET":
        raise node.refuse("its padding depends on the shape (auto_pad)", "give explicit pads")
    rank, groups = weights.ndim - 2, int(node.get("group", 1))
    pads = tuple(map(int, node.get("pads", [0] * 2 * rank)))
    layout = (0, *range(2, rank + 2), 1)
    x = lowering.narrow(node.inputs[0], lowering.affine(node.inputs[0]))
    if groups > 1 or x.layout != layout or (any(pads) and x.extra.any()):
        x = lowering.narrow(node.inputs[0], lowering.plain(node.inputs[0], layout))
    kernel = np.moveaxis(weights, 1, -1)
    extra = np.broadcast_to(x.extra, kernel.shape[-1])
    given = lowering.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(len(weights))
    if given is None:
        raise node.refuse("its bias is no constant", "fold what makes it into a constant")
    bias = given + (kernel * extra).reshape(len(kernel), -1).sum(axis=1)
    windows: dict[str, Any] = {
        "strides": tuple(map(int, node.get("strides", [1] * rank))),
        "pads": pads,
        "dilations": tuple(map(int, node.get("dilations", [1] * rank))),
        "groups": groups,
    }

    def emit(ref: ConstantRef, w_zero: int, form: Requantise) -> TraceRef:
        return lowering.builder.apply(
            "conv", x.ref, ref, requantise=form, label=node.name, x_zero=x.zero, w_zero=w_zero, **windows
        )

    return Linear(kernel * x.scale, bias, emit, layout, lowering.magnitude(x))


LOWERINGS: dict[str, Lower] = {"MatMul": matmul, "Conv": conv}
