# SPDX-License-Identifier: MIT OR Apache-2.0
"""An onnxruntime graph under construction, and its values. Every value holds integers exactly, whatever its type.

float32 holds every integer up to 2^24, float64 up to 2^53: where bounds prove that nothing leaves those ranges, floating
arithmetic is exact in any order, and faster in onnxruntime than int64, which is what is left beyond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.layout import Layout, channel_first, identity, inverse
from verifiable_ml.program import Interval
from verifiable_ml.program.operator import Accumulator, Known
from verifiable_ml.program.tensor import Shape, TensorSpec

OPSET, IR_VERSION = 18, 9
"""As old as the operators allow: BitShift, Clip and ReduceSum in the forms that are used here."""
CONTRIBUTED = "com.microsoft"
"""Operators that onnxruntime has beside ONNX's."""
MAX_BYTES = (1 << 31) - (1 << 24)
EXACT = (("float32", 1 << 24), ("float64", 1 << 53))


def arithmetic(bound: int) -> str:
    """The fastest type in which integers of magnitude <= bound, and sums and products that stay there, are exact."""
    return next((dtype for dtype, limit in EXACT if bound <= limit), "int64")


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor as onnxruntime holds it: `stored` is the shape there, `shape` what the program says, `layout` the way between."""

    name: str
    dtype: str
    shape: Shape
    stored: Shape
    layout: Layout


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """What a view needs to know of its operator."""

    attributes: Any
    operands: tuple[Known, ...]
    reached: Accumulator
    output: TensorSpec

    @property
    def bound(self) -> int:
        """The greatest magnitude that the accumulation, or any part of it, can have."""
        return max(self.reached.magnitude, self.reached.interval.magnitude)


class Graph:
    """Collects nodes and constants; the same node of the same inputs is made once.

    signed: whether products of bytes by signed bytes are exact where it will run.
    """

    def __init__(self, *, signed: bool = False) -> None:
        self.signed = signed
        self._nodes: dict[Any, onnx.NodeProto] = {}
        self._makers: dict[str, onnx.NodeProto] = {}
        self._constants: dict[str, np.ndarray[Any, Any]] = {}
        self._known: dict[Any, str] = {}

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """The name of its one output."""
        key = (op, inputs, tuple(sorted(attributes.items())))
        if key not in self._nodes:
            self._nodes[key] = helper.make_node(op, list(inputs), [f"{op.lower()}_{len(self._nodes)}"], **attributes)
            self._makers[self._nodes[key].output[0]] = self._nodes[key]
        return str(self._nodes[key].output[0])

    def made(self, name: str) -> onnx.NodeProto | None:
        """The node whose output has that name; None for an input or a constant."""
        return self._makers.get(name)

    def constant(self, array: Any, dtype: str) -> str:
        """The name of an initialiser."""
        values = np.asarray(array).astype(dtype)
        key = (values.tobytes(), values.shape, dtype)
        if key not in self._known:
            self._known[key] = f"constant_{len(self._constants)}"
            self._constants[self._known[key]] = values
        return self._known[key]

    def constant_value(self, array: IntArray) -> Value:
        """A constant of the program as a value."""
        dtype = array.dtype.name
        return Value(self.constant(array, dtype), dtype, array.shape, array.shape, Layout.plain(array.shape))

    def value(self, name: str, dtype: str, shape: Shape, permutation: Shape | None = None) -> Value:
        """A node's output that is stored with the axes of `shape` permuted (default: as they are)."""
        if permutation is None:
            return Value(name, dtype, shape, shape, Layout.plain(shape))
        stored = tuple(shape[axis] for axis in permutation)
        layout = Layout.plain(stored).permuted(stored, inverse(permutation))
        assert layout is not None
        return Value(name, dtype, shape, stored, layout)

    def cast(self, value: Value, dtype: str) -> Value:
        """The same integers in another type, which must hold them."""
        if value.dtype == dtype:
            return value
        if value.name in self._constants:
            return replace(value, name=self.constant(self._constants[value.name], dtype), dtype=dtype)
        return replace(value, name=self.node("Cast", value.name, to=onnx_type(dtype)), dtype=dtype)

    def laid(self, value: Value, permutation: Shape | None = None) -> str:
        """The name of the tensor with the axes of its shape permuted (default: as they are) and stored that way."""
        permutation = permutation or identity(len(value.shape))
        target = tuple(value.shape[axis] for axis in permutation)
        layout = value.layout.permuted(value.shape, permutation)
        if layout is None:
            value = self.value(self._moved(value, value.layout, value.shape), value.dtype, value.shape)
            layout = value.layout.permuted(value.shape, permutation)
            assert layout is not None
        return self._moved(value, layout, target)

    def _moved(self, value: Value, layout: Layout, target: Shape) -> str:
        if value.name in self._constants:
            return self.constant(layout.read(self._constants[value.name], target), value.dtype)
        if layout.is_plain:
            return self.reshape(value.name, value.stored, target)
        name = self.reshape(value.name, value.stored, layout.axes)
        name = self.node("Transpose", name, perm=layout.order)
        return self.reshape(name, tuple(layout.axes[axis] for axis in layout.order), target)

    def reshape(self, name: str, shape: Shape, target: Shape) -> str:
        """No node if it has that shape already."""
        return name if shape == target else self.node("Reshape", name, self.constant(np.array(target), "int64"))

    def rearranged(self, value: Value, view: Shape, permutation: Shape, shape: Shape) -> Value:
        """Seen as `view`, permuted, seen as `shape`; no byte moves if the layout can express it."""
        layout = value.layout.permuted(view, permutation)
        if layout is None:
            value = self.value(self.laid(value), value.dtype, value.shape)
            layout = value.layout.permuted(view, permutation)
            assert layout is not None
        return replace(value, layout=layout, shape=shape)

    def reshaped(self, value: Value, shape: Shape) -> Value:
        """Seen as `shape`."""
        return self.rearranged(value, value.shape, identity(len(value.shape)), shape)

    def computed(self, value: Value) -> Value:
        """The same value as a node's output, as a model's outputs must be."""
        return replace(value, name=self.node("Identity", value.name)) if value.name in self._constants else value

    def order(self, value: Value) -> Shape:
        """The permutation under which it is stored already: channels first, or none."""
        rank = len(value.shape)
        if not value.layout.is_plain:
            moved = value.layout.permuted(value.shape, channel_first(rank))
            if moved is not None and moved.is_plain:
                return channel_first(rank)
        return identity(rank)

    def aligned(self, values: Sequence[Value], shape: Shape) -> tuple[list[str], Shape]:
        """Names of all values in one order of axes, that of the largest, fit to broadcast to `shape`; and that order."""
        padded = [replace(v, shape=(1,) * (len(shape) - len(v.shape)) + v.shape) for v in values]
        permutation = self.order(max(padded, key=lambda v: int(np.prod(v.shape))))
        return [self.laid(v, permutation) for v in padded], permutation

    def channels(self, values: Any, dtype: str, permutation: Shape) -> str:
        """A constant of one entry a channel, or one for all, that broadcasts over a tensor stored with that permutation."""
        array = np.asarray(values).reshape(-1)
        if len(array) == 1:
            return self.constant(array.reshape(()), dtype)
        trailing = len(permutation) - 1 - permutation.index(len(permutation) - 1)
        return self.constant(array.reshape(-1, *[1] * trailing), dtype)

    def model(self, inputs: dict[str, Value], outputs: Sequence[Value]) -> onnx.ModelProto:
        """The ONNX model with these inputs and outputs. Raises UnsupportedModel if it is larger than a protobuf may be."""
        nodes = self._needed([value.name for value in outputs])
        read = {name for node in nodes for name in node.input}
        constants = {name: array for name, array in self._constants.items() if name in read}
        nbytes = sum(array.nbytes for array in constants.values())
        if nbytes > MAX_BYTES:
            raise UnsupportedModel(
                thing=f"{nbytes:,} bytes of constants",
                reason="an ONNX file holds 2 GiB",
                hint="narrower weights take fewer bytes",
            )
        graph = helper.make_graph(
            nodes,
            "program",
            [helper.make_tensor_value_info(v.name, onnx_type(v.dtype), v.stored) for v in inputs.values()],
            [helper.make_tensor_value_info(v.name, onnx_type(v.dtype), v.stored) for v in outputs],
            [numpy_helper.from_array(array, name) for name, array in constants.items()],
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIBUTED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)

    def _needed(self, names: list[str]) -> list[onnx.NodeProto]:
        """In order, the nodes that any of these values come from: what was replaced by something faster is left out."""
        needed: set[str] = set()
        while names:
            node = self._makers.get(names.pop())
            if node is not None and node.output[0] not in needed:
                needed.add(node.output[0])
                names += node.input
        return [node for node in self._nodes.values() if node.output[0] in needed]


def onnx_type(dtype: str) -> int:
    """ONNX's number for a NumPy type's name."""
    return int({"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "bool": TensorProto.BOOL}.get(dtype, 0)) or int(
        helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    )


def centred(graph: Graph, value: Value, zero: int, dtype: str) -> Value:
    """The difference value - zero in `dtype`, which must hold both and the difference."""
    value = graph.cast(value, dtype)
    return replace(value, name=graph.node("Sub", value.name, graph.constant(zero, dtype))) if zero else value


def centred_bound(interval: Interval, zero: int) -> int:
    """The greatest magnitude on the way to value - zero."""
    return max(interval.magnitude, abs(zero), interval.shifted(-zero).magnitude)


def floating(step: Step, zeros: tuple[int, int]) -> str:
    """The type in which both operands, their zero points taken away, and the accumulation are exact."""
    widest = max(centred_bound(k.interval, zero) for k, zero in zip(step.operands, zeros, strict=True))
    return arithmetic(max(step.bound, widest))


def index(graph: Graph, value: Value) -> str:
    """As Gather takes it: int32 or int64."""
    return graph.cast(value, value.dtype if value.dtype in ("int32", "int64") else "int64").name
