# SPDX-License-Identifier: MIT OR Apache-2.0
"""What one node computes on given values: how a pass learns which elements an operator moves, or by which factors it sums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.frontend import judge
from verifiable_ml.frontend.graph import Index


def evaluate(node: onnx.NodeProto, index: Index, values: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The node's first output, with `values` by tensor name and the model's constants for the rest; None if it does not run."""
    named = {name: index.initialisers[name] for name in node.input if name in index.initialisers and name not in values}
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for n, v in values.items()]
    if {name for name in node.input if name} - {*named, *values}:
        return None
    output = helper.make_tensor_value_info(node.output[0], TensorProto.UNDEFINED, None)
    alone = onnx.NodeProto()
    alone.CopyFrom(node)
    del alone.output[1:]
    graph = helper.make_graph([alone], "one node", inputs, [output], list(named.values()))
    part = helper.make_model(graph, opset_imports=index.model.opset_import, ir_version=index.model.ir_version)
    part = onnx.shape_inference.infer_shapes(part)
    try:
        return judge.outputs(part, [values], "a node")[0][0]
    except UnsupportedModel:
        return None
