# SPDX-License-Identifier: MIT OR Apache-2.0
"""Hidden weights, tied to what they are used for.

ezkl 23.0.5 hashes or commits to the weights in cells of their own, and lays out a constant that one operator alone uses a
second time, tied to nothing: whoever proves could commit to the weights of the program and compute with any other. A
constant with two uses is laid out once. So each gets a second one here: it joins a Concat of which nothing of it is kept,
which costs no cell. `tests/attacks/test_ezkl_untied.py` proves with other weights where this is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from verifiable_ml.program.tensor import Shape

BROADCAST = frozenset({"Add", "Sub", "Mul", "MatMul"})
"""Operators whose constants get the rank of the other operand: ezkl would make a copy of that rank, used once again."""
ABSORBED = frozenset({"Div"})
"""Operators whose constant becomes part of the circuit's shape, and no weight."""


@dataclass(frozen=True)
class Tied:
    """The model, and how many field elements ezkl has to find among its weights: more would be copies, tied to nothing."""

    model: onnx.ModelProto
    weights: int


def tie(model: onnx.ModelProto) -> Tied:
    """Give every constant a second use. The outputs stay what they are."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    shapes = _shapes(model)
    _raise_ranks(made, shapes)
    weights = _weights(made)
    output = made.graph.output[0]
    size, name = prod(shapes[output.name]), output.name
    flat = _node(made, "Reshape", [name, _indices(made, [size])])
    joined = [flat, *(_joining(made, flat, weight) for weight in weights)]
    every = _node(made, "Concat", joined, axis=0)
    kept = _node(made, "Gather", [every, _indices(made, range(size))], axis=0)
    output.name = _node(made, "Reshape", [kept, _indices(made, shapes[name])])
    return Tied(made, sum(prod(weight.dims) for weight in weights))


def _shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    """Of every tensor by name, as the operators give them: a scalar that a constant is added to has an axis."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for output in bare.graph.output:
        output.type.tensor_type.ClearField("shape")
    graph = shape_inference.infer_shapes(bare, strict_mode=True).graph
    known = {value.name: value for value in (*graph.input, *graph.value_info, *graph.output)}
    shapes = {name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim) for name, value in known.items()}
    return {**shapes, **{constant.name: tuple(constant.dims) for constant in graph.initializer}}


def _raise_ranks(model: onnx.ModelProto, shapes: dict[str, Shape]) -> None:
    """Write constants that are broadcast with the axes of one entry that they lack."""
    constants = {constant.name: numpy_helper.to_array(constant) for constant in model.graph.initializer}
    written = {(values.tobytes(), values.shape, values.dtype.str): name for name, values in constants.items()}
    for node in model.graph.node:
        rank = max(len(shapes[name]) for name in node.input)
        for place, name in enumerate(node.input):
            if node.op_type in BROADCAST and name in constants and len(shapes[name]) < rank:
                values = constants[name].reshape((*[1] * (rank - len(shapes[name])), *shapes[name]))
                raised = written.setdefault((values.tobytes(), values.shape, values.dtype.str), f"{name}_{rank}")
                if raised not in constants:
                    constants[raised] = values
                    model.graph.initializer.append(numpy_helper.from_array(values, raised))
                node.input[place] = raised


def _weights(model: onnx.ModelProto) -> list[TensorProto]:
    used = {name for node in model.graph.node if node.op_type not in ABSORBED for name in node.input}
    return [c for c in model.graph.initializer if c.name in used and c.data_type == TensorProto.FLOAT]


def _joining(model: onnx.ModelProto, flat: str, weight: TensorProto) -> str:
    """The weight, flat, behind a row that no compiler can know: else all of this would be a constant again."""
    row = tuple(weight.dims)[1:]
    first = _node(model, "Gather", [flat, _indices(model, [0] * prod(row))], axis=0)
    above = _node(model, "Reshape", [first, _indices(model, (1, *row))])
    both = _node(model, "Concat", [above, weight.name], axis=0)
    return _node(model, "Reshape", [both, _indices(model, [prod(row) * (weight.dims[0] + 1)])])


def _node(model: onnx.ModelProto, kind: str, inputs: list[str], **attributes: Any) -> str:
    name = f"tie{len(model.graph.node)}"
    model.graph.node.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
    return name


def _indices(model: onnx.ModelProto, values: Iterable[int]) -> str:
    name = f"tie_i{len(model.graph.initializer)}"
    array = np.array(list(values), dtype=np.int64)
    model.graph.initializer.append(numpy_helper.from_array(array, name))
    return name
