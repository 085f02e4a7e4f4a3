# SPDX-License-Identifier: MIT OR Apache-2.0
"""An If whose condition is constant becomes the nodes of the branch that it takes."""

from __future__ import annotations

import onnx
from onnx import numpy_helper

from verifiable_ml.frontend.graph import Index, Rewrite, rename, subgraphs, title

NAME = "inline_branches"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without an If whose condition is known."""
    log: list[Rewrite] = []
    while True:
        index = Index(model)
        node = next((n for n in model.graph.node if n.op_type == "If" and not n.domain and _taken(n, index) is not None), None)
        if node is None:
            return model, log
        log.append(Rewrite(NAME, title(node), "If", _put_branch(model.graph, node, index)))


def _taken(node: onnx.NodeProto, index: Index) -> onnx.GraphProto | None:
    condition = index.operand(node, 0)
    if condition is None or condition.size != 1:
        return None
    wanted = "then_branch" if condition.any() else "else_branch"
    return next((a.g for a in node.attribute if a.name == wanted), None)


def _put_branch(graph: onnx.GraphProto, node: onnx.NodeProto, index: Index) -> str:
    """The branch's own tensors get names that start with the node's output: each name is made once in a graph."""
    branch = onnx.GraphProto()
    taken = _taken(node, index)
    assert taken is not None
    branch.CopyFrom(taken)
    own = [name for inner in branch.node for name in inner.output if name] + [tensor.name for tensor in branch.initializer]
    names = {name: f"{node.output[0]}/{name}" for name in own}
    rename(branch, names)
    made = list(branch.node)
    for value, output in zip(branch.output, node.output, strict=False):
        made.append(onnx.helper.make_node("Identity", [names.get(value.name, value.name)], [output]))
    place = next(i for i, other in enumerate(graph.node) if other is node or other.output[:] == node.output[:])
    nodes = [*graph.node[:place], *made, *graph.node[place + 1 :]]
    graph.initializer.extend(
        numpy_helper.from_array(numpy_helper.to_array(tensor), names[tensor.name]) for tensor in branch.initializer
    )
    copies = [onnx.NodeProto.FromString(each.SerializeToString()) for each in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return f"its branch of {len(branch.node)} nodes" + (", with branches inside" if any(map(subgraphs, branch.node)) else "")
