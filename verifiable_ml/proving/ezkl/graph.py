# SPDX-License-Identifier: MIT OR Apache-2.0
"""The ONNX graph that a view is written into: float-typed, integer-valued, and nothing that float32 cannot hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.program import Interval
from verifiable_ml.program.tensor import Shape

EXACT = 1 << 24
"""ezkl reads constants as float32: below this every integer is exact."""
OPSET = 18
WIDEST = 1 << 26
"""Entries of the largest table that a circuit could hold."""
FOLDED = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Neg": np.negative}
"""What is computed here where all operands are constants: ezkl would compute it in float32, and round."""


class Graph:
    """Nodes and constants in order, and the reach of what they need: of tables, and of decompositions into legs."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[bytes, Shape], str] = {}
        self._values: dict[str, IntArray] = {}
        self._initialisers: list[onnx.TensorProto] = []
        self.looked_up = Interval(-1, 1)
        self.decomposed = 0

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; the name of its one output. Of constants alone it is computed here, exactly or not at all."""
        if kind in FOLDED and all(given in self._values for given in inputs):
            return self.constant(FOLDED[kind](*(self._values[given] for given in inputs)))
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: Any) -> str:
        """A constant of integers. Raises UnsupportedModel if float32 would round one."""
        integers = _int64(values)
        floats = integers.astype(np.float32)
        if (floats.astype(np.int64) != integers).any():
            raise UnsupportedModel(
                thing=f"a constant of {int(np.abs(integers).max())}",
                reason="ezkl reads constants as float32, which would round it",
                hint="narrow the model (--width 8, --weights 8), or use another backend",
            )
        key = (floats.tobytes(), floats.shape)
        if key not in self._constants:
            name = self._constants[key] = f"c{len(self._constants)}"
            self._values[name] = integers
            self._initialisers.append(numpy_helper.from_array(floats, name))
        return self._constants[key]

    def integers(self, values: Any) -> str:
        """int64: shapes, bounds and indices, which are no part of the circuit's values."""
        name = f"i{len(self._initialisers)}"
        self._initialisers.append(numpy_helper.from_array(np.asarray(values, dtype=np.int64), name))
        return name

    def plus(self, x: str, values: Any) -> str:
        """The sum of x and a constant, in as many additions as float32 needs to hold the constant exactly."""
        integers = _int64(values)
        if x in self._values:
            return self.constant(self._values[x] + integers)
        while integers.any():
            part = np.where(np.abs(integers) < EXACT, integers, _leading(integers))
            x, integers = self.op("Add", x, self.constant(part)), integers - part
        return x

    def times(self, x: str, values: Any) -> str:
        """The product of x and a constant."""
        integers = np.asarray(values, dtype=np.int64)
        return x if (integers == 1).all() else self.op("Mul", x, self.constant(integers))

    def reshape(self, x: str, shape: Shape) -> str:
        """The same elements under another shape; costs no cell."""
        if x in self._values:
            return self.constant(self._values[x].reshape(shape))
        return self.op("Reshape", x, self.integers(shape))

    def transpose(self, x: str, permutation: Shape) -> str:
        """Axes in another order; costs no cell."""
        if permutation == tuple(range(len(permutation))):
            return x
        if x in self._values:
            return self.constant(self._values[x].transpose(permutation))
        return self.op("Transpose", x, perm=list(permutation))

    def absolute(self, x: str, magnitude: int) -> str:
        """|x|, for x of at most so much."""
        self.decomposed = max(self.decomposed, magnitude)
        return self.op("Abs", x)

    def divided(self, x: str, by: int, magnitude: int) -> str:
        """The quotient, rounded either way, as a prover likes; of at most so much."""
        self.decomposed = max(self.decomposed, magnitude)
        return self.op("Div", x, self.constant([by]))

    def step(self, x: str, reach: Interval) -> str:
        """1 where x >= 0, else 0, for x within `reach`: at scale 0, ezkl's table of Sigmoid is exactly that.

        Raises UnsupportedModel for a reach that no table holds.
        """
        if reach.high - reach.low >= WIDEST:
            raise UnsupportedModel(
                thing=f"a step over [{reach.low}, {reach.high}]",
                reason=f"it needs a table of that many entries, and 2^{WIDEST.bit_length() - 1} is the limit",
                hint="narrow the model (--width 8, --weights 8), or use another backend",
            )
        self.looked_up = Interval.hull([self.looked_up, reach])
        return self.op("Sigmoid", x)

    def model(self, inputs: dict[str, Shape], outputs: list[tuple[str, Shape]]) -> onnx.ModelProto:
        """The finished model. Each output has a name of its own: where two are one tensor, a Reshape parts them."""
        named: list[onnx.ValueInfoProto] = []
        for name, shape in outputs:
            taken = name in inputs or any(name == other.name for other in named)
            own = self.reshape(name, shape) if taken else name
            named.append(helper.make_tensor_value_info(own, TensorProto.FLOAT, shape))
        given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()]
        graph = helper.make_graph(self._nodes, "view", given, named, self._initialisers)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)


def _int64(values: Any) -> IntArray:
    """Raises UnsupportedModel beyond 64 bits: an interval of i64, moved by its own width, leaves them."""
    try:
        integers: IntArray = np.asarray(values, dtype=np.int64)
    except OverflowError as error:
        raise UnsupportedModel(
            thing="a constant of more than 64 bits", reason="ezkl holds no such range", hint="use another backend"
        ) from error
    return integers


def _leading(values: IntArray) -> IntArray:
    """Each value with only its 24 leading bits."""
    bits = np.maximum(np.ceil(np.log2(np.maximum(np.abs(values), 1) + 1)).astype(np.int64) - 24, 0)
    leading: IntArray = np.sign(values) * ((np.abs(values) >> bits) << bits)
    return leading
