# SPDX-License-Identifier: MIT OR Apache-2.0
"""The mean of squares less the square of the mean becomes the mean of squared distances: nothing large is subtracted.

Flax writes variances so. They are equal, but of integers the difference of two large numbers keeps few of its bits
(Chan, Golub, LeVeque, 1983).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "centred_variance"


class Mean(NamedTuple):
    """Of which tensor, over which axes (none below 0), and whether they are kept."""

    of: str
    axes: tuple[int, ...]
    kept: int


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose variances are means of squared distances."""
    return rewrite_each(model, NAME, _variance, _once)


def _variance(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Sub(mean of x * x, m * m) with m = mean of x over the same axes."""
    if node.op_type != "Sub" or node.domain:
        return None
    squares, middle = _mean(node.input[0], index), _squared(node.input[1], index)
    mean = _mean(middle, index)
    if squares is None or mean is None or squares != mean._replace(of=squares.of) or _squared(squares.of, index) != mean.of:
        return None
    axes, again, distance, square = (f"{node.output[0]}/{part}" for part in ("axes", "mean", "distance", "square"))
    nodes = (
        *(() if mean.kept else (make("ReduceMean", (mean.of, axes), (again,), node, keepdims=1),)),
        make("Sub", (mean.of, middle if mean.kept else again), (distance,), node),
        make("Mul", (distance, distance), (square,), node),
        make("ReduceMean", (square, axes), (node.output[0],), node, keepdims=mean.kept),
    )
    return Replacement(nodes=nodes, constants={axes: np.array(mean.axes, np.int64)})


def _once(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """A distance from a mean that was computed before is not computed again: the norm around it is recognised by it."""
    if node.op_type != "Sub" or node.domain or node.output[0] in index.outputs or _mean(node.input[1], index) is None:
        return None
    for other in index.readers[node.input[1]]:
        if other.op_type == "Sub" and list(other.input) == list(node.input) and index.place[id(other)] < index.place[id(node)]:
            return Replacement(alias={node.output[0]: other.output[0]}, note="computed before")
    return None


def _squared(name: str, index: Index) -> str:
    """What is multiplied by itself; "" if nothing is."""
    node = index.producer.get(name)
    if node is not None and node.op_type == "Mul" and node.input[0] == node.input[1]:
        return str(node.input[0])
    exponent = index.operand(node, 1) if node is not None and node.op_type == "Pow" else None
    return str(node.input[0]) if node is not None and exponent is not None and (exponent == 2).all() else ""


def _mean(name: str, index: Index) -> Mean | None:
    """A ReduceMean, or a ReduceSum that is then divided by how many it adds."""
    node = index.producer.get(name)
    if node is None or node.op_type == "ReduceMean":
        return _reduced(node, index)
    factors = [index.operand(node, place) for place in range(len(node.input))] if node.op_type in ("Mul", "Div") else []
    constants = [(place, value) for place, value in enumerate(factors) if value is not None and value.size == 1]
    if len(constants) != 1 or (node.op_type == "Div" and constants[0][0] != 1):
        return None
    ((place, value),) = constants
    total = index.producer.get(node.input[1 - place])
    found = _reduced(total, index) if total is not None and total.op_type == "ReduceSum" else None
    shape = index.static_shape(found.of) if found is not None else None
    if found is None or shape is None:
        return None
    share = float(value.reshape(())) if node.op_type == "Mul" else 1 / float(value.reshape(()))
    return found if np.isclose(share * np.prod([shape[axis] for axis in found.axes]), 1, rtol=1e-6) else None


def _reduced(node: onnx.NodeProto | None, index: Index) -> Mean | None:
    if node is None or node.domain:
        return None
    shape, axes = index.static_shape(node.input[0]), index.operand(node, 1) if len(node.input) > 1 else None
    if shape is None or axes is None or not axes.size:
        return None
    kept = int(attributes(node).get("keepdims", 1))
    return Mean(str(node.input[0]), tuple(sorted(int(axis) % len(shape) for axis in axes)), kept)
