# SPDX-License-Identifier: MIT OR Apache-2.0
"""Compute whatever does not depend on an input: Constant nodes, shapes of tensors, and everything that follows from them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.frontend import judge
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, make, rewrite_each, subgraphs, title

NAME = "fold_constants"
RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"})
MAX_ELEMENTS = 2**26
MAX_ROUNDS = 16  # each round can make more shapes static, and so more of the graph constant


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which no node has constant operands only."""
    log: list[Rewrite] = []
    for _ in range(MAX_ROUNDS):
        model, done = rewrite_each(model, NAME, _shape_of_static)
        folded = _foldable(model)
        if not folded and not done:
            break
        _fold(model, folded)
        log += done + [Rewrite(NAME, title(node), node.op_type, "a constant") for node in folded]
    return model, log


def _shape_of_static(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type not in ("Shape", "Size") or node.domain:
        return None
    shape = index.static_shape(node.input[0])
    if shape is None:
        return None
    options = {a.name: a.i for a in node.attribute}
    value = np.array(shape[options.get("start", 0) : options.get("end", len(shape))], np.int64)
    value = value if node.op_type == "Shape" else np.array(int(np.prod(shape)), np.int64)
    return Replacement(nodes=(make("Constant", (), (node.output[0],), node, value=numpy_helper.from_array(value)),))


def _foldable(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    known = {tensor.name for tensor in model.graph.initializer} | {""}
    index, found = Index(model), list[onnx.NodeProto]()
    for node in model.graph.node:
        if {*node.input} <= known and node.op_type not in RANDOM and not subgraphs(node) and _is_small(node, index):
            found.append(node)
            known |= {*node.output}
    return found


def _is_small(node: onnx.NodeProto, index: Index) -> bool:
    return all(int(np.prod(index.static_shape(name) or (0,), dtype=np.float64)) <= MAX_ELEMENTS for name in node.output if name)


def _fold(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    """Run these nodes in onnxruntime and put initialisers in their place."""
    if not nodes:
        return
    values = _values(model, nodes)
    gone = {id(node) for node in nodes}
    kept = [node for node in model.graph.node if id(node) not in gone]
    outputs = {value.name for value in model.graph.output}
    kept += [helper.make_node("Identity", [f"{n}/constant"], [n]) for n in values if n in outputs]
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(
        numpy_helper.from_array(value, f"{name}/constant" if name in outputs else name) for name, value in values.items()
    )


def _values(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> Mapping[str, np.ndarray]:
    index = Index(model)
    names = [name for node in nodes for name in node.output if name]
    read = {name for node in nodes for name in node.input}
    outputs = [helper.make_tensor_value_info(n, index.element_type(n) or TensorProto.UNDEFINED, None) for n in names]
    graph = helper.make_graph(
        nodes, "constants", [], outputs, [index.initialisers[name] for name in read if name in index.initialisers]
    )
    part = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return dict(zip(names, judge.outputs(part, [{}], "the constant part of the model")[0], strict=True))
