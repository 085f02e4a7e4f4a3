# SPDX-License-Identifier: MIT OR Apache-2.0
"""Reading and rewriting an ONNX graph, one node at a time.

A rule looks at one node through an Index and answers with a Replacement or None; `rewrite_each` puts the answers in place
until no rule has one. Rules never touch the graph themselves.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = tuple[int | None, ...]
MAX_SWEEPS = 32
FAMILY, STATE = "verifiable_ml.family", "verifiable_ml.state"
"""Keys of a node's metadata: its output has one range with others of the family; it adds up over steps, and needs more bits."""
SMALL = 64  # elements: what shape inference may need the values of


@dataclass(frozen=True)
class Rewrite:
    """One change that a pass made: which node, what it was, what it became. For people."""

    name: str
    node: str
    before: str
    after: str


@dataclass(frozen=True)
class Replacement:
    """What stands in for one node. `alias`: its outputs are renamed to these existing tensors, instead of new nodes."""

    nodes: tuple[onnx.NodeProto, ...] = ()
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)
    alias: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


class Index:
    """A snapshot of a graph that answers: who makes this tensor, who reads it, is it constant, which shape and type has it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        graph = model.graph
        self.initialisers: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = tuple(graph.node)  # held: a node that nobody holds is another object each time it is asked for
        self.place = {id(node): number for number, node in enumerate(self._nodes)}
        self.producer: dict[str, onnx.NodeProto] = {name: node for node in graph.node for name in node.output if name}
        self.inputs = tuple(value.name for value in graph.input if value.name not in self.initialisers)
        self.outputs = tuple(value.name for value in graph.output)
        self.readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in {*names_read(node)}:
                self.readers[name].append(node)
        self._values: dict[str, np.ndarray] = {}
        self._shapes: dict[str, Shape | None] = {}

    def constant(self, name: str) -> np.ndarray | None:
        """The value of an initialiser, or None."""
        if name not in self.initialisers:
            return None
        if name not in self._values:
            self._values[name] = numpy_helper.to_array(self.initialisers[name])
        return self._values[name]

    def operand(self, node: onnx.NodeProto, position: int) -> np.ndarray | None:
        """The constant at that input of a node, or None where it is absent or not constant."""
        return self.constant(node.input[position]) if len(node.input) > position and node.input[position] else None

    def is_read_once(self, name: str) -> bool:
        """Exactly one node reads it, and it is no output of the graph."""
        return len(self.readers[name]) == 1 and name not in self.outputs

    @cached_property
    def _typed(self) -> dict[str, onnx.TypeProto.Tensor]:
        inferred = onnx.shape_inference.infer_shapes(_without_weights(self.model), data_prop=True).graph
        values = (*inferred.value_info, *inferred.input, *inferred.output)
        return {value.name: value.type.tensor_type for value in values if value.type.HasField("tensor_type")}

    def shape(self, name: str) -> Shape | None:
        """Dimensions, None where one is not known; None for an unknown rank."""
        if name not in self._shapes:
            self._shapes[name] = self._read_shape(name)
        return self._shapes[name]

    def _read_shape(self, name: str) -> Shape | None:
        if name in self.initialisers:
            return tuple(self.initialisers[name].dims)
        typed = self._typed.get(name)
        if typed is None or not typed.HasField("shape"):
            return None
        return tuple(d.dim_value if d.HasField("dim_value") else None for d in typed.shape.dim)

    def static_shape(self, name: str) -> tuple[int, ...] | None:
        """Dimensions, or None if any is not known."""
        shape = self.shape(name)
        return None if shape is None or None in shape else tuple(d for d in shape if d is not None)

    def element_type(self, name: str) -> int:
        """The onnx.TensorProto data type, 0 if unknown."""
        if name in self.initialisers:
            return self.initialisers[name].data_type
        return self._typed[name].elem_type if name in self._typed else 0


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """Attributes by name, as Python values; bytes are text."""
    pairs = ((a.name, helper.get_attribute_value(a)) for a in node.attribute)
    return {name: value.decode(errors="replace") if isinstance(value, bytes) else value for name, value in pairs}


def names_read(node: onnx.NodeProto) -> Iterator[str]:
    """Every tensor a node reads, what its subgraphs capture included."""
    yield from (name for name in node.input if name)
    for sub in subgraphs(node):
        yield from (name for inner in sub.node for name in names_read(inner))
        yield from (output.name for output in sub.output)


def subgraphs(node: onnx.NodeProto) -> tuple[onnx.GraphProto, ...]:
    """The bodies of an If, a Loop or a Scan."""
    return tuple(g for a in node.attribute for g in (*([a.g] if a.HasField("g") else []), *a.graphs))


def title(node: onnx.NodeProto) -> str:
    """How a person finds a node: its name, else its first output."""
    return node.name or next((name for name in node.output if name), node.op_type)


def origin(node: onnx.NodeProto) -> str:
    """Where a node came from in the torch module, if the exporter recorded it: `encoder.attention.query`, else empty."""
    recorded = next((p.value for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"), "")
    try:
        scopes = [s for s in ast.literal_eval(recorded) if isinstance(s, str)] if recorded else []
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ""
    return scopes[-2] if len(scopes) > 1 else ""


def make(kind: str, operands: tuple[str, ...], outputs: tuple[str, ...], like: onnx.NodeProto, **options: Any) -> onnx.NodeProto:
    """A node that stands where `like` stood: its name and its origin are kept."""
    node = helper.make_node(kind, list(operands), list(outputs), name=like.name, **options)
    node.metadata_props.extend(like.metadata_props)
    return node


Rule = Callable[[onnx.NodeProto, Index], Replacement | None]


def rewrite_each(model: onnx.ModelProto, name: str, *rules: Rule) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """Apply rules to every node until none has an answer; changes the model it is given.

    All answers of a sweep are put in place together. That is sound because a tensor's name means the same value before and
    after: a replacement computes the same outputs, and an alias names an equal tensor.
    """
    log: list[Rewrite] = []
    for _ in range(MAX_SWEEPS):
        index = Index(model)
        answers = ((node, rule(node, index)) for node in model.graph.node for rule in rules)
        found: dict[int, Replacement] = {}
        aliases: dict[str, str] = {}
        for node, answer in answers:
            if answer is None or id(node) in found or {*answer.alias, *answer.alias.values()} & {*aliases, *aliases.values()}:
                continue
            found[id(node)] = answer
            aliases |= answer.alias
            log.append(Rewrite(name, title(node), node.op_type, answer.note or " + ".join(n.op_type for n in answer.nodes)))
        if not found:
            break
        _put(model.graph, found, aliases)
    return model, log


def _put(graph: onnx.GraphProto, found: Mapping[int, Replacement], aliases: Mapping[str, str]) -> None:
    nodes = [new for node in graph.node for new in (found[id(node)].nodes if id(node) in found else (node,))]
    constants = {name: value for answer in found.values() for name, value in answer.constants.items()}
    del graph.node[:]
    graph.node.extend(nodes)
    distinguish(graph)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(v, order="C"), name) for name, v in constants.items())
    rename(graph, aliases)


def distinguish(graph: onnx.GraphProto) -> None:
    """Onnxruntime wants names of nodes to differ: of several with one name the last keeps it, it has the original's output."""
    taken: set[str] = set()
    for node in reversed(graph.node):
        if node.name and node.name in taken:
            base, number = f"{node.name}/{node.op_type}", 2
            node.name = base
            while node.name in taken:
                node.name, number = f"{base}{number}", number + 1
        taken.add(node.name)


def rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give tensors other names wherever a node reads or makes them, in subgraphs too."""
    if not names:
        return
    for node in graph.node:
        for field_ in (node.input, node.output):
            for i, name in enumerate(field_):
                if name in names:
                    field_[i] = names[name]
        for sub in subgraphs(node):
            rename(sub, names)


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with large initialisers as inputs: shape inference needs their types, not their megabytes."""
    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph, known = light.graph, {value.name for value in model.graph.input}
    graph.name = model.graph.name
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    graph.value_info.extend(model.graph.value_info)
    for tensor in model.graph.initializer:
        if int(np.prod(tensor.dims, dtype=np.int64)) <= SMALL:
            graph.initializer.append(tensor)
        elif tensor.name not in known:
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return light
