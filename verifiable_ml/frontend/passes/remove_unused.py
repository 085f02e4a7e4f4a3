# SPDX-License-Identifier: MIT OR Apache-2.0
"""Remove nodes and initialisers that no output depends on."""

from __future__ import annotations

import onnx

from verifiable_ml.frontend.graph import Rewrite, names_read, title

NAME = "remove_unused"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which everything is needed. Inputs stay, read or not: they are part of its interface."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if needed & {*node.output}:
            kept.append(node)
            needed |= {*names_read(node)}
    ids = {id(node) for node in kept}
    log = [Rewrite(NAME, title(node), node.op_type, "nothing") for node in graph.node if id(node) not in ids]
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    foreign = {name for node in kept if node.domain for name in node.output}
    shapes = [value for value in graph.value_info if value.name in foreign]  # onnx infers all others
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.value_info.extend(shapes)
    graph.node.extend(reversed(kept))
    graph.initializer.extend(weights)
    return model, log
