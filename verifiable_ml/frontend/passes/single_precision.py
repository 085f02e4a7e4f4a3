# SPDX-License-Identifier: MIT OR Apache-2.0
"""A model in half or double precision becomes one in single precision: what it is quantised from, and compared with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from verifiable_ml.frontend.graph import Rewrite

NAME = "single_precision"
OTHER = frozenset({TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE})
TYPED = frozenset({"to", "dtype", "stash_type", "output_dtype"})


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """float16, bfloat16 and float64 become float32 throughout: inputs, outputs, constants, Casts."""
    if _is_mixed(model):
        onnx.shape_inference.infer_shapes(model, check_type=True)  # after this pass nobody could see a type that does not fit
    changed = _graph(model.graph)
    for function in model.functions:
        changed |= _nodes(function.node)
    if changed:
        del model.graph.value_info[:]
    return model, [Rewrite(NAME, "the model", "half or double precision", "float32")] if changed else []


def _is_mixed(model: onnx.ModelProto) -> bool:
    types = {tensor.data_type for tensor in model.graph.initializer} | {v.type.tensor_type.elem_type for v in model.graph.input}
    return bool(types & OTHER)


def _graph(graph: onnx.GraphProto) -> bool:
    changed = _nodes(graph.node)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.HasField("tensor_type") and value.type.tensor_type.elem_type in OTHER:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
            changed = True
    for tensor in graph.initializer:
        changed |= _tensor(tensor)
    return changed


def _tensor(tensor: onnx.TensorProto) -> bool:
    if tensor.data_type not in OTHER:
        return False
    with np.errstate(over="ignore"):
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
    return True


def _nodes(nodes: Iterable[onnx.NodeProto]) -> bool:
    changed = False
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name in TYPED and attribute.i in OTHER and attribute.type == onnx.AttributeProto.INT:
                attribute.i, changed = TensorProto.FLOAT, True
            if attribute.HasField("t"):
                changed |= _tensor(attribute.t)
            if attribute.HasField("g"):
                changed |= _graph(attribute.g)
    return changed
