# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Loop of a known number of steps, and a Scan, become their body, once a step.

A Loop is taken if its trip count is constant and its condition always true: others need not end, and no trace of a fixed length
could hold them. Source: ONNX Loop-21, Scan-21.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from verifiable_ml.frontend.graph import Index, Rewrite, attributes, rename, subgraphs, title

NAME = "unroll_loops"
MOST_NODES = 20_000
"""That one loop may become: beyond it a model is better exported without."""


@dataclass(frozen=True)
class Repeated:
    """A body, how often, and what it reads and writes beside its states: entries of tensors along an axis, perhaps backwards."""

    node: onnx.NodeProto
    body: onnx.GraphProto
    count: int
    states: tuple[str, ...]
    counts: bool
    """Whether the body reads the number of the step and a condition, and writes a condition: a Loop."""
    read: tuple[tuple[str, int, bool], ...] = ()
    written: tuple[tuple[int, bool], ...] = ()


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without scans, and without loops of a known number of steps."""
    log: list[Rewrite] = []
    while (found := next(_repeated(model), None)) is not None:
        version = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
        log.append(Rewrite(NAME, title(found.node), found.node.op_type, f"{found.count} times its {len(found.body.node)} nodes"))
        _put(model.graph, found, _unrolled(found, version))
    return model, log


def _repeated(model: onnx.ModelProto) -> Iterator[Repeated]:
    index = Index(model)
    for node in model.graph.node:
        kind = None if node.domain else {"Loop": _loop, "Scan": _scan}.get(node.op_type)
        found = kind(node, index) if kind else None
        if found is not None and 0 < found.count * _size(found.body) <= MOST_NODES:
            yield found


def _size(body: onnx.GraphProto) -> int:
    """Nodes, those of graphs inside too; an empty body is one, since it costs an Identity."""
    return 1 + sum(1 + sum(map(_size, subgraphs(node))) for node in body.node)


def _loop(node: onnx.NodeProto, index: Index) -> Repeated | None:
    count, first = index.operand(node, 0), index.operand(node, 1)
    body = attributes(node)["body"]
    begins = first is not None and bool(first.all()) if len(node.input) > 1 and node.input[1] else True
    tensors = all(each.type.HasField("tensor_type") for each in (*body.input, *body.output))
    if count is None or count.size != 1 or not begins or not tensors or not _goes_on(body, index):
        return None
    states = tuple(node.input[2:])
    return Repeated(
        node, body, int(count.reshape(())), states, True, written=((0, False),) * (len(body.output) - 1 - len(states))
    )


def _goes_on(body: onnx.GraphProto, index: Index) -> bool:
    """Whether the condition after a step is the one before it, or constant and true."""
    makers, name = {inner.output[0]: inner for inner in body.node}, body.output[0].name
    while name in makers and makers[name].op_type == "Identity":
        name = makers[name].input[0]
    if name == body.input[1].name:
        return True
    inside = {tensor.name: numpy_helper.to_array(tensor) for tensor in body.initializer}
    if name in makers and makers[name].op_type == "Constant" and "value" in attributes(makers[name]):
        inside[name] = numpy_helper.to_array(attributes(makers[name])["value"])
    value = inside.get(name) if name in makers or name in inside else index.constant(name)
    return value is not None and bool(value.all())


def _scan(node: onnx.NodeProto, index: Index) -> Repeated | None:
    options = attributes(node)
    body, count = options["body"], options["num_scan_inputs"]
    states, given = tuple(node.input[: len(node.input) - count]), node.input[len(node.input) - count :]
    made = len(body.output) - len(states)
    axes, backwards = (options.get(f"scan_input_{part}", [0] * count) for part in ("axes", "directions"))
    out_axes, out_backwards = (options.get(f"scan_output_{part}", [0] * made) for part in ("axes", "directions"))
    shape = index.shape(given[0])
    steps = shape[axes[0]] if shape is not None and -len(shape) <= axes[0] < len(shape) else None
    if steps is None:
        return None
    read = tuple(zip(given, axes, map(bool, backwards), strict=True))
    return Repeated(node, body, steps, states, False, read, tuple(zip(out_axes, map(bool, out_backwards), strict=True)))


def _unrolled(found: Repeated, version: int) -> onnx.GraphProto:
    """Nodes and constants that stand for the loop. Names of a step start with the loop's and the step's."""
    made, prefix, states = onnx.GraphProto(), next(filter(None, found.node.output)), list(found.states)
    written: list[list[str]] = [[] for _ in found.written]
    first = 1 if found.counts else 0
    _hold(made, f"{prefix}/true", np.array(True))
    for step in range(found.count):
        names = _names(found, f"{prefix}/{step}", states)
        if found.counts:
            _hold(made, names[found.body.input[0].name], np.array(step, np.int64))
        for given, (name, axis, backwards) in zip(found.body.input[len(states) :] if found.read else (), found.read, strict=True):
            place = f"{names[given.name]}/place"
            _hold(made, place, np.array(found.count - 1 - step if backwards else step, np.int64))
            made.node.append(helper.make_node("Gather", [name, place], [names[given.name]], axis=axis))
        body = onnx.GraphProto()
        body.CopyFrom(found.body)
        rename(body, names)
        made.node.extend(body.node)
        for tensor in body.initializer:
            _hold(made, names[tensor.name], numpy_helper.to_array(tensor))
        results = [names.get(output.name, output.name) for output in found.body.output][first:]
        states = results[: len(states)]
        for column, result in zip(written, results[len(states) :], strict=True):
            column.append(result)
    _finish(made, found, states, written, version)
    return made


def _names(found: Repeated, prefix: str, states: list[str]) -> dict[str, str]:
    """Of the body's own tensors in one step."""
    own = [*(name for inner in found.body.node for name in inner.output if name), *(each.name for each in found.body.initializer)]
    names = {name: f"{prefix}/{name}" for name in (*own, *(given.name for given in found.body.input))}
    if found.counts:
        names[found.body.input[1].name] = f"{prefix.rsplit('/', 1)[0]}/true"
    place = 2 if found.counts else 0
    return names | {given.name: state for given, state in zip(found.body.input[place:], states, strict=False)}


def _finish(made: onnx.GraphProto, found: Repeated, states: list[str], written: list[list[str]], version: int) -> None:
    """The loop's outputs: the last states, and what the steps wrote, side by side."""
    outputs = list(found.node.output)
    for state, output in zip(states, outputs, strict=False):
        if output:
            made.node.append(helper.make_node("Identity", [state], [output]))
    for column, (axis, backwards), output in zip(written, found.written, outputs[len(states) :], strict=False):
        rows = []
        for place, name in enumerate(column):
            rows.append(f"{output}/row{place}")
            axes = f"{rows[-1]}/axes"
            if version >= 13:
                _hold(made, axes, np.array([axis], np.int64))
                made.node.append(helper.make_node("Unsqueeze", [name, axes], [rows[-1]]))
            else:
                made.node.append(helper.make_node("Unsqueeze", [name], [rows[-1]], axes=[axis]))
        if output:
            made.node.append(helper.make_node("Concat", rows[::-1] if backwards else rows, [output], axis=axis))


def _hold(made: onnx.GraphProto, name: str, value: np.ndarray) -> None:
    made.initializer.append(numpy_helper.from_array(value, name))


def _put(graph: onnx.GraphProto, found: Repeated, made: onnx.GraphProto) -> None:
    place = next(i for i, other in enumerate(graph.node) if other.output[:] == found.node.output[:])
    nodes = [*graph.node[:place], *made.node, *graph.node[place + 1 :]]
    copies = [onnx.NodeProto.FromString(each.SerializeToString()) for each in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    graph.initializer.extend(made.initializer)
