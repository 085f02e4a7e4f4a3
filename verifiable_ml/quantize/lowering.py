# SPDX-License-Identifier: MIT OR Apache-2.0
"""From a prepared ONNX graph and its ranges to a Program: one node after the other, each by its file in lower/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any, Literal

import numpy as np
import onnx
from onnx import numpy_helper, shape_inference

from verifiable_ml.errors import QuantisationError, UnsupportedOperator, VerifiableMlError
from verifiable_ml.frontend.graph import STATE
from verifiable_ml.frontend.trees import CANONICAL, Ensemble, read, thresholds
from verifiable_ml.program import Builder, Interval, Linear, Operand, Program, Ranks, Tokens, TraceRef
from verifiable_ml.program.ops.rearrange import identity
from verifiable_ml.program.tensor import Shape
from verifiable_ml.quantize.calibration import Calibration
from verifiable_ml.quantize.pending import MAX_SHIFT, Sum
from verifiable_ml.quantize.spec import QuantSpec
from verifiable_ml.quantize.value import FloatArray, Grid, Pending, Quantised
from verifiable_ml.quantize.widths import DEEP_BITS, SQUARE_BITS, STATE_BITS, Plan, Widths, before_logarithms, squares

FLOAT = onnx.TensorProto.FLOAT
WHOLE = Interval(-(1 << 31), (1 << 31) - 1)
"""What a tensor of whole numbers may hold."""
COMPARES = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
DECIDES = frozenset({"ArgMax", CANONICAL})
"""Operators that compare: they read all the bits that there are, and what else reads the same tensor gets it rounded."""
FEATURES = 256
"""A row of more numbers is a signal or an image, whose entries are of one kind: no scale an entry."""
INPUT_HEADROOM, FINE_HEADROOM = 1.25, 4.0
"""Inputs beyond the samples by less than a quarter are legal, with bits to spare more; others are refused, or saturated."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Which tensor of the float model a tensor of the trace stands for: how a report compares the two."""

    name: str
    value: Quantised


@dataclass(frozen=True, slots=True)
class Lowered:
    """A program, and what its tensors stand for."""

    program: Program
    observed: tuple[Observed, ...]


Lower = Callable[["Lowering", "Node"], Quantised | Pending]
"""What each row of a lower/ file's LOWERINGS is."""


class Node:
    """An ONNX node with its attributes read."""

    def __init__(self, proto: onnx.NodeProto) -> None:
        self.kind, self.name = proto.op_type, proto.name or proto.output[0]
        self.inputs, self.outputs, self._proto = tuple(proto.input), tuple(proto.output), proto
        self.is_state = any(found.key == STATE for found in proto.metadata_props)
        self._attributes = {a.name: onnx.helper.get_attribute_value(a) for a in proto.attribute}

    def get(self, name: str, default: Any) -> Any:
        """An attribute, or its default."""
        return self._attributes.get(name, default)

    @cached_property
    def ensemble(self) -> Ensemble:
        """Of a canonical TreeEnsembleRegressor."""
        return read(self._proto)[0]

    @property
    def output(self) -> str:
        """The one output that is lowered."""
        return str(self.outputs[0])

    def refuse(self, reason: str, hint: str) -> UnsupportedOperator:
        """The error for this node."""
        return UnsupportedOperator(thing=f"node `{self.name}` ({self.kind})", reason=reason, hint=hint)


class Lowering:
    """What the files of lower/ may ask and do: values by name, constants, ranges, and the Builder they emit to."""

    def __init__(self, model: onnx.ModelProto, calibration: Calibration, spec: QuantSpec, widths: Widths | None = None) -> None:
        self.calibration, self.spec, self.builder = calibration, spec, Builder()
        graph = shape_inference.infer_shapes(model, data_prop=True).graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
        self.shapes = {info.name: _shape(info) for info in (*graph.input, *graph.value_info, *graph.output)}
        self.shapes.update({name: values.shape for name, values in self.constants.items()})
        self._types = {v.name: v.type.tensor_type.elem_type for v in (*graph.input, *graph.value_info, *graph.output)}
        self.nodes = [Node(proto) for proto in graph.node]
        self.inputs, self.outputs = [given.name for given in graph.input], [output.name for output in graph.output]
        self.readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        self.deep = before_logarithms(self.nodes, self.constants)
        self.squares = squares(self.nodes, self.constants) & self.deep
        self._uses = Counter(name for node in self.nodes for name in node.inputs) + Counter(self.outputs)
        self._states = frozenset(node.output for node in self.nodes if node.is_state)
        self.plan = Plan(self.nodes, self.outputs, self.constants)
        self.widths = widths or self.plan.ladder(spec)[0][1]
        self._values: dict[str, Quantised | Pending] = {}
        self._exact: dict[str, Quantised] = {}
        self._observed: list[Observed] = []
        self._narrow: dict[str, dict[Shape, Quantised]] = {}
        self.ranks = {name: Ranks(rows) for name in self.inputs if (rows := self._thresholds(name)) is not None}

    def afresh(self, widths: Widths) -> Lowering:
        """The same model and ranges, nothing lowered yet, with these widths."""
        other = copy(self)
        other.widths, other.builder, other._values, other._exact, other._observed = widths, Builder(), {}, {}, []
        other._narrow = {}
        other.spec = replace(self.spec, weights=16 if widths.heavy else 8)
        if widths.are_fine:
            other.spec = replace(other.spec, max_shift=MAX_SHIFT)
        return other

    # ---- values

    def put(self, name: str, value: Quantised | Pending) -> None:
        """What stands for the tensor of that name."""
        self._values[name] = value
        if isinstance(value, Quantised) and name not in self.ranks:
            self._observed.append(Observed(name, value))

    def open(self, name: str) -> Quantised | Pending:
        """The value for a reader that may fold itself into it: settled already if others read it too."""
        value = self._values[name]
        return value if isinstance(value, Quantised) or self._uses[name] == 1 else self.affine(name)

    def affine(self, name: str) -> Quantised:
        """Integers whose scale may differ by entry, and that may have a constant added."""
        value = self._values[name]
        if not isinstance(value, Quantised):
            decides = any(map(self._decides, self.readers.get(name, [])))
            value = self.rescaled(self.exact(name), name) if decides else value.settle(self, name)
            self.put(name, value)
        return value

    def _decides(self, node: Node) -> bool:
        with_constant = self.widths.are_fine and any(name in self.constants for name in node.inputs)
        return node.kind in DECIDES or (with_constant and node.kind in COMPARES)

    def exact(self, name: str) -> Quantised:
        """The accumulator itself, for what decides by it; others that read the tensor get it rounded."""
        value = self._values[name]
        if isinstance(value, Quantised):
            return self._exact.get(name, value)
        if name not in self._exact:
            self._exact[name] = value.settle_raw(self, name)
            if self._uses[name] == 1:
                self.put(name, self._exact[name])
        return self._exact[name]

    def plain(self, name: str, layout: Shape | None = None) -> Quantised:
        """Integers of one scale and nothing added, in a layout: ONNX order unless another is asked for."""
        value = self.affine(name)
        if not value.plain:
            value = self.rescaled(value, name)
            self.put(name, value)
        return self.laid_out(value, layout or tuple(range(len(value.layout))), name)

    def narrow(self, name: str, value: Quantised) -> Quantised:
        """What stands for that tensor, at 16 bits or 8: for products with weights, and tables."""
        interval = self.builder.spec(value.ref).interval
        if name not in self._states or interval.high - interval.low < 1 << 16:
            return value
        if value.layout not in self._narrow.setdefault(name, {}):
            found = self.calibration.ranges[name]
            grid = Grid.of(found.low, found.high, 16 if name in self.widths.wide else 8, self.spec.headroom)
            self._narrow[name][value.layout] = self.rescaled(value, name, grid)
        return self._narrow[name][value.layout]

    def fine(self, name: str) -> Quantised:
        """Integers of one scale with all the bits that there are: the accumulator itself, if this is its only reader."""
        value = self._values[name]
        if not isinstance(value, Quantised) and self._uses[name] == 1:
            self.put(name, value.settle_raw(self, name))
        return self.plain(name, self.affine(name).layout)

    def is_whole(self, name: str) -> bool:
        """Whether the tensor holds whole numbers or truth values by its type: they are their own integers."""
        return bool(self._types.get(name, FLOAT) != FLOAT)

    def rescaled(self, value: Quantised, name: str, grid: Grid | None = None) -> Quantised:
        """On the grid of the tensor of that name, or on another, by an `add` of one operand."""
        form = Sum(((value.ref, value.scale),), value.extra, value.layout, f"rescale {name}", zeros=(value.zero,))
        return form.settle(self, name) if grid is None else form.settle_on(self, grid)

    def laid_out(self, value: Quantised, layout: Shape, name: str, shape: Shape | None = None) -> Quantised:
        """The same tensor with its axes in another order, and then under another shape; no operator if it is stored so."""
        stored = self.builder.spec(value.ref).shape
        permutation = tuple(value.layout.index(axis) for axis in layout)
        moved = tuple(stored[axis] for axis in permutation)
        shape = moved if shape is None else shape
        if value.layout == layout and stored == shape:
            return value
        if not value.plain:
            value = self.rescaled(value, name)
        maps = tuple(map(identity, moved))
        ref = self.move(value.ref, label=f"reorder {name}", view=stored, shape=shape, permutation=permutation, maps=maps)
        return Quantised(ref, value.scale, value.zero, layout if shape == moved else tuple(range(len(shape))))

    def constant(self, name: str) -> FloatArray | None:
        """The value of a constant as float64, or None for a tensor that depends on an input."""
        values = self.constants.get(name)
        return None if values is None else values.astype(np.float64)

    def magnitude(self, value: Quantised) -> int:
        """The greatest |integer - zero|."""
        return self.builder.spec(value.ref).interval.shifted(-value.zero).magnitude

    def magnitude_of(self, name: str) -> float:
        """The greatest |real value| that the integers of a tensor can stand for."""
        value = self.plain(name)
        return self.magnitude(value) * float(value.scale[0])

    # ---- grids

    def grid(self, name: str, least: float = -inf, most: float = inf) -> Grid:
        """The integers that the tensor of that name gets: from its range, its bits, and what it is proved to stay within."""
        return Grid(1.0, 0, WHOLE) if self.is_whole(name) else self.real_grid(name, least, most)

    def real_grid(self, name: str, least: float = -inf, most: float = inf) -> Grid:
        """The same, of whole numbers too: as narrow as their range."""
        found = self.calibration.ranges.get(name)
        if found is None:
            raise QuantisationError(
                thing=f"tensor `{name}`", reason="calibration has not seen it", hint="calibrate on the same model"
            )
        readers = self.readers.get(name, [])
        given = [self.given_grid(node) for node in readers if node.kind == "QuantizeLinear"]
        if given and given[0] is not None and len({*given}) == 1 and len(given) == len(readers) and name not in self.outputs:
            return given[0]
        if name in self.squares:
            return Grid.of_power(found.magnitude * self.spec.headroom, SQUARE_BITS)
        if name in self.deep:
            return Grid.of(found.low, found.high, DEEP_BITS, self.spec.headroom)
        return Grid.of(found.low, found.high, self.bits(name), self.spec.headroom, least, most)

    def given_grid(self, node: Node) -> Grid | None:
        """The grid that a QuantizeLinear or a DequantizeLinear names; None where its numbers are no constants."""
        scale = self.constant(node.inputs[1])
        named = len(node.inputs) > 2 and node.inputs[2]
        zero = self.constants.get(node.inputs[2]) if named else np.zeros((), np.uint8)
        if scale is None or zero is None or scale.size != 1 or zero.size != 1 or zero.dtype.kind not in "iu":
            return None
        reach, moved = np.iinfo(zero.dtype), self.moved(node)
        interval = Interval(int(reach.min) + moved, int(reach.max) + moved)
        return Grid(float(scale.reshape(())), int(zero.reshape(())) + moved, interval, fixed=True)

    def moved(self, node: Node) -> int:
        """What is added to the integers of a QuantizeLinear or a DequantizeLinear: signed bytes are stored as unsigned ones."""
        zero = self.constants.get(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else None
        return 128 if zero is not None and zero.dtype == np.int8 else 0

    def bits(self, name: str) -> int:
        """Of the tensor of that name: what adds up over steps has all, whatever the widths are."""
        return STATE_BITS if name in self._states else self.widths.bits if name in self.widths.wide else 8

    def weight_bits(self, name: str) -> Literal[8, 16]:
        """Of the weights whose products add up to the tensor of that name."""
        return 16 if name in self.widths.heavy else 8

    # ---- the whole

    def run(self, table: dict[str, Lower], *, identified: bool = True) -> Lowered:
        """Lower every node; `identified` as of Builder.build. Raises UnsupportedOperator, and what the Builder raises."""
        for name in self.inputs:
            self.put(name, self._input(name))
        for node in self.nodes:
            if node.kind not in table:
                raise node.refuse("no lowering to the integer operators exists for it", "`vml lint` lists every such node")
            self.put(node.output, self._lowered(table[node.kind], node))
        for name in self.outputs:
            self._output(name)
        return Lowered(self.builder.build(identified=identified), tuple(self._observed))

    def _lowered(self, lower: Lower, node: Node) -> Quantised | Pending:
        """A stranger's node may break a rule that nobody checks before: still a typed error."""
        try:
            return lower(self, node)
        except VerifiableMlError:
            raise
        except Exception as error:
            raise node.refuse(f"its lowering failed ({type(error).__name__}: {error})", "report it with the model") from error

    def _input(self, name: str) -> Quantised:
        """Whole numbers in [0, 255] are taken as they are; else one scale, or one an entry where entries differ by far."""
        shape, layout = self.shapes[name], tuple(range(len(self.shapes[name])))
        if name in self.ranks:
            ref = self.builder.input(name, shape, self.ranks[name].interval, self.ranks[name])
            return Quantised(ref, np.ones(1), 0, layout)
        found = self.calibration.ranges[name]
        if self.is_whole(name) and not (found.low >= 0 and found.high <= 255):
            ref = self.builder.input(name, shape, Interval(2 * int(found.low), 2 * int(found.high)), Tokens())
            return Quantised(ref, np.ones(1), 0, layout)
        if self.calibration.integral[name] and found.low >= 0 and found.high <= 255:
            interval, encoding, zero = Interval(0, max(int(found.high), 1)), Linear((1.0,), (0,)), 0
            if any(node.kind == "Gather" and node.inputs[1] == name for node in self.readers.get(name, [])):
                ref = self.builder.input(name, shape, interval, Tokens())
                return Quantised(ref, np.ones(1), 0, layout)
        else:
            encoding, interval = self._input_encoding(name, found.low, found.high)
            zero = encoding.zero[0]
        ref = self.builder.input(name, shape, interval, encoding)
        return Quantised(ref, np.array(encoding.scale), zero, layout)

    def _thresholds(self, name: str) -> tuple[tuple[float, ...], ...] | None:
        """Of an input that only trees read: for each feature the numbers that it is compared with."""
        readers, shape = self.readers.get(name, []), self.shapes[name]
        if not readers or name in self.outputs or any(node.kind != CANONICAL for node in readers):
            return None
        return thresholds([node.ensemble for node in readers], shape[-1])

    def _input_encoding(self, name: str, low: float, high: float) -> tuple[Linear, Interval]:
        given = self.real_grid(name)
        if given.fixed:
            return Linear((given.scale,), (given.zero,)), given.interval
        least, most = self.calibration.entries[name]
        magnitude = np.maximum(np.abs(least), np.abs(most))
        tabular = (
            len(self.shapes[name]) == 2
            and len(magnitude) <= FEATURES
            and magnitude.min() > 0
            and magnitude.max() > 16 * magnitude.min()
        )
        bits, headroom = self.bits(name), FINE_HEADROOM if self.widths.are_fine else INPUT_HEADROOM
        bits = DEEP_BITS if name in self.deep else bits
        if tabular:
            grids = [
                Grid.of(*ends, bits, 1.0) for ends in zip(np.minimum(least, 0) if low < 0 else least * 0, magnitude, strict=True)
            ]
            return Linear(tuple(headroom * grid.scale for grid in grids), (grids[0].zero,) * len(grids)), grids[0].interval
        grid = Grid.of(low * headroom, high * headroom, bits, 1.0)
        return Linear((grid.scale,), (grid.zero,)), grid.interval

    def _output(self, name: str) -> None:
        value = self.exact(name)
        decodable = (value.scale > 0).all() and not value.extra.any()
        if not decodable or (len(value.scale) > 1 and value.layout != tuple(range(len(value.layout)))):
            value = self.rescaled(value, name)
        value = self.laid_out(value, tuple(range(len(value.layout))), name)
        if value.ref.index < len(self.inputs):  # an operator must say that an output is an input
            shape = self.shapes[name]
            value = replace(value, ref=self.move(value.ref, label=name, view=shape, shape=shape))
        self.put(name, value)
        scale = tuple(float(s) for s in value.scale)
        self.builder.output(name, value.ref, Linear(scale, (value.zero,) * len(scale)))

    def move(
        self, ref: Operand, others: Sequence[Operand] = (), *, label: str, view: Shape, shape: Shape, **more: Any
    ) -> TraceRef:
        """A rearrange; what is not said stays in its place."""
        given = {"permutation": tuple(range(len(view))), "maps": tuple(map(identity, view)), **more}
        return self.builder.apply("rearrange", ref, *others, label=label, shape=shape, view=view, **given)


def _shape(info: onnx.ValueInfoProto) -> Shape:
    return tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
