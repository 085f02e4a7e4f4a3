# SPDX-License-Identifier: MIT OR Apache-2.0
"""Infinite constants become large finite ones, and no value that depends on an input is infinite or NaN."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, rewrite_each

NAME = "finite_values"
LARGEST = 1e9
"""What a mask holds instead of infinity: a million times any logit, and two of them still add up."""
BEYOND = 1e30
MAY_STAY = frozenset({"Clip", "Pad"})


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model whose constants are finite, and without IsNaN and IsInf: inputs are finite by the rules of their encoding."""
    index, log = Index(model), list[Rewrite]()
    for tensor in model.graph.initializer:
        readers = index.readers[tensor.name]
        if tensor.data_type != onnx.TensorProto.FLOAT or all(node.op_type in MAY_STAY for node in readers):
            continue
        value = numpy_helper.to_array(tensor)
        if value.size and (np.abs(value) > BEYOND).any():
            bounded = np.where(np.abs(value) > BEYOND, np.copysign(np.float32(LARGEST), value), value)
            tensor.CopyFrom(numpy_helper.from_array(bounded.astype(np.float32), tensor.name))
            log.append(Rewrite(NAME, tensor.name, "infinite values", f"{LARGEST:g}"))
    model, more = rewrite_each(model, NAME, _never)
    return model, log + more


def _never(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.output[0]) if node.op_type in ("IsNaN", "IsInf") and not node.domain else None
    if shape is None or index.constant(node.input[0]) is not None:
        return None
    value = numpy_helper.from_array(np.zeros(shape, np.bool_))
    return Replacement(nodes=(onnx.helper.make_node("Constant", [], [node.output[0]], value=value),), note="never")
