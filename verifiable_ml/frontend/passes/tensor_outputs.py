# SPDX-License-Identifier: MIT OR Apache-2.0
"""Outputs that are tensors of numbers: no ZipMap, and the place of a label among the classes instead of its text.

A tensor of scores has them in the order of the classes, which is what a ZipMap only writes down. This runs before onnxruntime is
asked for the first time: dictionaries and texts cannot be compared with the numbers that stand for them. Source: ONNX operator
specification, domain ai.onnx.ml.
"""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.frontend.graph import Rewrite, attributes, title
from verifiable_ml.frontend.trees import DOMAIN

NAME = "tensor_outputs"
LABELS = {
    "TreeEnsembleClassifier": "classlabels_int64s",
    "LinearClassifier": "classlabels_ints",
    "SVMClassifier": "classlabels_ints",
}


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without ZipMap and without labels that are texts; `rewrites` has the list of classes."""
    log: list[Rewrite] = []
    for node in model.graph.node:
        if node.domain == DOMAIN and node.op_type == "ZipMap":
            log.append(_unzipped(model.graph, node))
        elif node.domain == DOMAIN and node.op_type in LABELS:
            log.extend(_numbered(node))
    return model, log + _without_text(model.graph)


def _unzipped(graph: onnx.GraphProto, node: onnx.NodeProto) -> Rewrite:
    classes = [label for name, values in attributes(node).items() if name.startswith("classlabels") for label in values]
    for value in graph.output:
        if value.name == node.output[0]:
            value.type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    note = f"scores in the order of the classes {_listed(classes)}"
    node.op_type, node.domain = "Identity", ""
    del node.attribute[:]
    return Rewrite(NAME, title(node), "ZipMap", note)


def _numbered(node: onnx.NodeProto) -> list[Rewrite]:
    texts = attributes(node).get("classlabels_strings")
    if not texts:
        return []
    kept = [attribute for attribute in node.attribute if not attribute.name.startswith("classlabels")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(LABELS[node.op_type], list(range(len(texts))))])
    return [Rewrite(NAME, title(node), "labels that are texts", f"their places among {_listed(texts)}")]


def _without_text(graph: onnx.GraphProto) -> list[Rewrite]:
    """Tables of labels, and what hands them on to an output."""
    log = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.STRING:
            texts = numpy_helper.to_array(tensor)
            known = {text: number for number, text in enumerate(dict.fromkeys(texts.reshape(-1).tolist()))}
            numbers = [known[text] for text in texts.reshape(-1).tolist()]
            log.append(Rewrite(NAME, tensor.name, "labels that are texts", f"their places among {_listed(list(known))}"))
            tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.INT64, texts.shape, numbers))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.STRING:
                attribute.i = TensorProto.INT64
    for value in (*graph.output, *graph.value_info):
        if value.type.HasField("tensor_type") and value.type.tensor_type.elem_type == TensorProto.STRING:
            value.type.tensor_type.elem_type = TensorProto.INT64
    return log


def _listed(classes: list[object]) -> str:
    return ", ".join(each.decode(errors="replace") if isinstance(each, bytes) else str(each) for each in classes)
