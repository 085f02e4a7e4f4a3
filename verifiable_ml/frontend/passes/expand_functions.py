# SPDX-License-Identifier: MIT OR Apache-2.0
"""An operator that would be refused, and that ONNX itself defines as a function of others, becomes the body of that function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx
import onnx.inliner
from onnx import helper

from verifiable_ml.frontend.graph import Index, Rewrite, title
from verifiable_ml.frontend.operators import refusal
from verifiable_ml.frontend.passes import normalise_opset

NAME = "expand_functions"
DOMAIN = "verifiable_ml.inlined"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which what is refused has no definition in simpler operators. Source: ONNX operator specification, functions."""
    return expand(model, lambda node, index: refusal(node, index) is not None)


def expand(model: onnx.ModelProto, wanted: Callable[[onnx.NodeProto, Index], bool]) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """Put definitions in the place of the standard nodes that are wanted, where they have one."""
    index, opset = Index(model), normalise_opset.version(model)
    log = []
    for number, node in enumerate(model.graph.node):
        body = _body(node, index, opset) if node.domain in ("", "ai.onnx") and wanted(node, index) else None
        if body is None:
            continue
        log.append(Rewrite(NAME, title(node), node.op_type, f"its definition, {len(body.node)} nodes"))
        body.name, body.domain = f"{node.op_type}_{number}", DOMAIN
        model.functions.append(body)
        node.op_type, node.domain = body.name, DOMAIN
    if not log:
        return model, []
    model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    inlined = onnx.inliner.inline_local_functions(model)
    kept = [entry for entry in inlined.opset_import if entry.domain != DOMAIN]
    del inlined.opset_import[:], inlined.graph.value_info[:]
    inlined.opset_import.extend(kept)
    return inlined, log


def _body(node: onnx.NodeProto, index: Index, opset: int) -> onnx.FunctionProto | None:
    """The newest definition that the model's opset has, at that opset, or None."""
    try:
        schema: Any = onnx.defs.get_schema(node.op_type, opset)  # its stubs lack what has a version
    except onnx.defs.SchemaError:
        return None
    body = onnx.FunctionProto()
    for versions, get in (
        (schema.function_opset_versions, schema.get_function_with_opset_version),
        (
            schema.context_dependent_function_opset_versions,
            lambda v: schema.get_context_dependent_function_with_opset_version(v, node.SerializeToString(), _types(node, index)),
        ),
    ):
        known = [version for version in versions if version <= opset]
        if known:
            found: Any = get(max(known))
            body.ParseFromString(found if isinstance(found, bytes) else found.SerializeToString())
            break
    if not body.node:
        return None
    del body.opset_import[:]
    body.opset_import.append(helper.make_opsetid("", opset))
    return body


def _types(node: onnx.NodeProto, index: Index) -> list[bytes]:
    types = []
    for name in node.input:
        proto: Any = onnx.TypeProto()
        if name:
            proto.tensor_type.elem_type = index.element_type(name)
            for size in index.shape(name) or ():
                dimension = proto.tensor_type.shape.dim.add()
                if size is not None:
                    dimension.dim_value = size
            if index.shape(name) == ():
                proto.tensor_type.shape.SetInParent()
        types.append(proto.SerializeToString())
    return types
