# SPDX-License-Identifier: MIT OR Apache-2.0
"""Fewer kinds of arithmetic: a subtracted constant is added, a dividing one multiplies, small powers are products."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, make, rewrite_each

NAME = "plain_arithmetic"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without Pow by a small constant, Sum and Mean of tensors, and with fewer Sub and Div."""
    return rewrite_each(model, NAME, _subtraction, _division, _power, _power_of_number, _sum_of_many)


def _subtraction(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """X - c = x + (-c)"""
    value = index.operand(node, 1) if node.op_type == "Sub" else None
    if value is None or value.dtype.kind != "f":
        return None
    name = f"{node.output[0]}/negated"
    return Replacement(nodes=(make("Add", (node.input[0], name), (node.output[0],), node),), constants={name: -value})


def _division(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """X / c = x * (1 / c);  c / x = (1 / x) * c"""
    if node.op_type != "Div" or index.element_type(node.input[0]) != onnx.TensorProto.FLOAT:
        return None
    above, below, out = index.operand(node, 0), index.operand(node, 1), node.output[0]
    if below is not None and np.all(below != 0):
        name = f"{out}/reciprocal"
        inverse = (1.0 / below.astype(np.float64)).astype(below.dtype)
        return Replacement(nodes=(make("Mul", (node.input[0], name), (out,), node),), constants={name: inverse})
    if above is None:
        return None
    inverted = make("Reciprocal", (node.input[1],), (f"{out}/reciprocal",), node)
    if above.size == 1 and float(above.reshape(())) == 1.0 and index.shape(node.input[1]) == index.shape(out):
        inverted.output[0] = out
        return Replacement(nodes=(inverted,))
    return Replacement(nodes=(inverted, make("Mul", (f"{out}/reciprocal", node.input[0]), (out,), node)))


def _power(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """x^2 = x * x;  x^3 = x * x * x;  x^(1/2) = sqrt(x);  x^-1 = 1 / x;  x^(-1/2) = 1 / sqrt(x);  x^1 = x"""
    value = index.operand(node, 1) if node.op_type == "Pow" else None
    if value is None or value.size != 1 or index.shape(node.input[0]) != index.shape(node.output[0]):
        return None
    x, out, middle = node.input[0], node.output[0], f"{node.output[0]}/part"
    forms = {
        1.0: (make("Identity", (x,), (out,), node),),
        2.0: (make("Mul", (x, x), (out,), node),),
        3.0: (make("Mul", (x, x), (middle,), node), make("Mul", (middle, x), (out,), node)),
        0.5: (make("Sqrt", (x,), (out,), node),),
        -1.0: (make("Reciprocal", (x,), (out,), node),),
        -0.5: (make("Sqrt", (x,), (middle,), node), make("Reciprocal", (middle,), (out,), node)),
    }
    nodes = forms.get(float(value.reshape(())))
    return None if nodes is None else Replacement(nodes=nodes)


def _power_of_number(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """c^x = exp(x ln c), for c > 0"""
    value = index.operand(node, 0) if node.op_type == "Pow" and index.operand(node, 1) is None else None
    if value is None or value.size != 1 or not value > 0 or index.shape(node.input[1]) != index.shape(node.output[0]):
        return None
    name, middle = f"{node.output[0]}/logarithm", f"{node.output[0]}/exponent"
    nodes = make("Mul", (node.input[1], name), (middle,), node), make("Exp", (middle,), (node.output[0],), node)
    return Replacement(nodes=nodes, constants={name: np.log(value.astype(np.float32)).reshape(())})


def _sum_of_many(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Sum(a, b, c) = (a + b) + c;  Mean is that, times 1 / n."""
    if node.op_type not in ("Sum", "Mean") or node.domain or len(node.input) < 2:
        return None
    out, count, is_mean = node.output[0], len(node.input), node.op_type == "Mean"
    names = [node.input[0], *[f"{out}/sum{i}" for i in range(1, count - 1)], f"{out}/sum" if is_mean else out]
    nodes = [make("Add", (names[i - 1], node.input[i]), (names[i],), node) for i in range(1, count)]
    if not is_mean:
        return Replacement(nodes=tuple(nodes))
    nodes.append(make("Mul", (names[-1], f"{out}/share"), (out,), node))
    return Replacement(nodes=tuple(nodes), constants={f"{out}/share": np.array(1 / count, np.float32)})
